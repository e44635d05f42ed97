"""Images from files: HDF5, .npz, folders, single images and FITS.

To add a reader, write a `DataSet` in a new file; `opening` chooses among the readers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
