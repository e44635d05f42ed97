"""Files and folders that appear whole or not at all, checkpoints of long runs, packaged data."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
