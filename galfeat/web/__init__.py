"""The web application: random galaxies and uploaded images, classified with reasons.

`request_limits` bounds the size and time of requests; `uploads` validates images.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
