"""Experiments that fit models: cross-validation, scoring, ablation, comparison and costs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
