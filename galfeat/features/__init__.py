"""Named, physical features of galaxy images, one module per family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from galfeat.features.measuring import measure_images
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

if TYPE_CHECKING:
    from galfeat.features.extractor import FeatureExtractor

__all__ = [
    "DEFAULT_FAMILIES",
    "FAMILIES",
    "Column",
    "FeatureExtractor",
    "FeatureTable",
    "classifier_columns",
    "columns",
    "describe_flags",
    "measure_images",
    "warmup",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    # scikit-learn is imported when the estimator is asked for, not when an image is measured.
    if name == "FeatureExtractor":
        from galfeat.features.extractor import FeatureExtractor

        return FeatureExtractor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
