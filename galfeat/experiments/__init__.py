"""What fits models in order to learn about them: folds, scores, ablation, comparison, costs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
