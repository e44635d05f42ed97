from .extractor import FeatureExtractor as FeatureExtractor
from .measuring import measure_images as measure_images
from .registry import DEFAULT_FAMILIES as DEFAULT_FAMILIES
from .registry import FAMILIES as FAMILIES
from .registry import Column as Column
from .registry import classifier_columns as classifier_columns
from .registry import columns as columns
from .table import FeatureTable as FeatureTable

__all__ = [
    "DEFAULT_FAMILIES",
    "FAMILIES",
    "Column",
    "FeatureExtractor",
    "FeatureTable",
    "classifier_columns",
    "columns",
    "measure_images",
]
