"""Images from files: HDF5, .npz, folders, single images and FITS.

A new container of images is a `DataSet` in a file of its own, added to `opening.open_dataset`. A
new format of single images is a function that returns pixels, as in `fits.display`, added to
`decode.decode_file` and `decode.is_image_name`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
