"""FITS files: as pictures for classifiers (`display`) and as linear flux (`flux`).

`file` opens files of any packing within limits, `units` chooses the science HDU and the bands,
`calibration` reads pixel scale, zero point and gain from headers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
