"""Metadata of data sets: labels, positions and groups, and the classes of Galaxy10."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
