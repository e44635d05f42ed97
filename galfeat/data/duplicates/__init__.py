"""Duplicates: near-identical images, rows at one position, and conflicting labels among them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
