from .arrays import ArrayDataSet as ArrayDataSet
from .decode import decode_file as decode_file
from .fits import asinh_rgb as asinh_rgb
from .fits import read_fits as read_fits
from .folder import FileDataSet as FileDataSet
from .hdf5 import HDF5DataSet as HDF5DataSet
from .images import as_dataset as as_dataset
from .npz import open_npz as open_npz
from .opening import open_dataset as open_dataset
from .pixels import to_rgb as to_rgb

__all__ = [
    "ArrayDataSet",
    "FileDataSet",
    "HDF5DataSet",
    "as_dataset",
    "asinh_rgb",
    "decode_file",
    "open_dataset",
    "open_npz",
    "read_fits",
    "to_rgb",
]
