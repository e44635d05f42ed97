"""What galfeat's features are compared with: pixels, scikit-image's HOG, statmorph."""
