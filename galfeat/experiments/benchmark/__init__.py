"""One test split of Galaxy10 DECaLS, and pipelines fitted to all other galaxies.

`plan` holds the settings, `tables` the features, `split` divides the galaxies, `fits` carries out
the fits, and `run` is `galfeat benchmark`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
