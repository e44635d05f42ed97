"""Simulated galaxies of the ten Galaxy10 DECaLS classes, with the truth beside them.

`sampling` draws what a galaxy is made of, `draw` paints it with its spheroid, disc, bar, arms and
companions, and `rendering` shows it as a survey would.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
