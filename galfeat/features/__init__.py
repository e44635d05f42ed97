"""Named, physical features of galaxy images: the registry, the extractor and the families."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
