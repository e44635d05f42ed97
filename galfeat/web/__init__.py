"""The web application: a button, a galaxy, what a model predicts for it and why.

`app` is the application and `serving` starts it. What visitors may send is limited by `uploads`
(formats, pixels), `decoders` (time and memory to decode), `request_limits` (bytes, time), `app`
(images per request), `worker_pool` (requests at once), `request_framing` (form of requests) and
`connection` (connections). `shutdown` ends the server.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
