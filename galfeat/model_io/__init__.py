"""Model folders on disk: saving, verification, loading, trust and model cards.

`folder` saves and loads models, `manifest` verifies files, `trust` lists models allowed to run
code.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
