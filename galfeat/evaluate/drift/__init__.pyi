from .page import DriftSet as DriftSet
from .page import drift_page as drift_page
from .records import Drift as Drift
from .records import FeatureDrift as FeatureDrift
from .records import FlagDrift as FlagDrift
from .statistics import measure_drift as measure_drift
from .statistics import measure_drift_from_quantiles as measure_drift_from_quantiles
from .text import drift_text as drift_text

__all__ = [
    "Drift",
    "DriftSet",
    "FeatureDrift",
    "FlagDrift",
    "drift_page",
    "drift_text",
    "measure_drift",
    "measure_drift_from_quantiles",
]
