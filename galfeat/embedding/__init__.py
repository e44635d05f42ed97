"""Training of the small network: samples, tasks, augmentation and card.

`galfeat.features.embedding` runs the trained network on images.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
