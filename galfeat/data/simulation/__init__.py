"""Simulated galaxies of the ten Galaxy10 DECaLS classes, with their true parameters.

`population` and `sampling` draw what a galaxy is made of, as the parameters in `scene`; `galaxy`,
`paint` and `paint_disc` paint its light (bars and arms in `paint_disc`, on profiles of `radial`);
`draw` makes the image and `rendering` shows it as a survey would. `simulator` puts all together.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
