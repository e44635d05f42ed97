"""Galaxy images in: open, fetch, simulate, sample."""

from galfeat.data.arrays import ArrayDataSet
from galfeat.data.dataset import DataSet
from galfeat.data.digest import pixel_digest
from galfeat.data.opening import open_dataset

__all__ = ["ArrayDataSet", "DataSet", "open_dataset", "pixel_digest"]
