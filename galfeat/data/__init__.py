"""Galaxy images: open, fetch, simulate and sample data sets."""

from galfeat.data.dataset import DataSet
from galfeat.data.digest import pixel_digest
from galfeat.data.fetch.download import download
from galfeat.data.packing import pack
from galfeat.data.readers.arrays import ArrayDataSet
from galfeat.data.readers.images import as_dataset
from galfeat.data.readers.opening import open_dataset
from galfeat.data.sample import stratified_sample, write_dataset
from galfeat.data.summary import Summary, summarise

__all__ = [
    "ArrayDataSet",
    "DataSet",
    "Summary",
    "as_dataset",
    "download",
    "open_dataset",
    "pack",
    "pixel_digest",
    "stratified_sample",
    "summarise",
    "write_dataset",
]
