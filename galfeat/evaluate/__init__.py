"""Statistics of predictions: splits, scores, intervals and reports. No model is fitted here."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
