"""Named, physical features of galaxy images, one module per family."""

from galfeat.features.extractor import FeatureExtractor
from galfeat.features.registry import (
    DEFAULT_FAMILIES,
    FAMILIES,
    Column,
    classifier_columns,
    columns,
)
from galfeat.features.table import FeatureTable
from galfeat.features.warmup import warmup
from galfeat.frame import describe_flags

__all__ = [
    "DEFAULT_FAMILIES",
    "FAMILIES",
    "Column",
    "FeatureExtractor",
    "FeatureTable",
    "classifier_columns",
    "columns",
    "describe_flags",
    "warmup",
]
