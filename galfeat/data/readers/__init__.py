"""Images from files: HDF5, .npz, folders, single images and FITS.

A new reader is a `DataSet` in a file of its own; `opening` chooses among them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
