"""Published and related statistics on native pixels: CAS, Gini, M20, MID, Sérsic, isophotes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
