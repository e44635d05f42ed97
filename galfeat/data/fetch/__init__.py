"""Download published data sets, and cut-outs by position from the surveys."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
