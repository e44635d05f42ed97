"""How the small network is trained: its samples, tasks, augmentation and card.

What runs it to measure an image is `galfeat.features.embedding`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
