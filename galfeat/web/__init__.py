"""The web application: a button, a galaxy, what a model predicts for it and why.

`request_limits` bounds what visitors may send, `uploads` what they may upload.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
