"""What galfeat's features are compared with: pixels, scikit-image's HOG, statmorph."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
