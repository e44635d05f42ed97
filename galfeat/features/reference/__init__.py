"""Reference features for comparison: pixels, scikit-image's HOG and statmorph."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
