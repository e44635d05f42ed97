"""Simulated galaxies of the ten Galaxy10 DECaLS classes, with their true parameters.

`sampling` draws a galaxy's parameters at random, `draw` paints its components and companions,
and `rendering` converts the light to an image as a survey would.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
