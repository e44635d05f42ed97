"""What fits models in order to learn about them: folds, scores, ablation, comparison, costs."""
