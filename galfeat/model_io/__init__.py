"""A model folder on disk: saved, verified, loaded, trusted, described by a card.

`manifest` verifies a folder and `trust` says whose code may run; `folder` saves and loads.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
