from .prediction_sets import CalibrationRows as CalibrationRows
from .prediction_sets import SetThresholds as SetThresholds
from .prediction_sets import nonconformity as nonconformity
from .prediction_sets import set_thresholds as set_thresholds
from .priors import checked_priors as checked_priors
from .priors import estimated_priors as estimated_priors
from .priors import reweighted as reweighted

__all__ = [
    "CalibrationRows",
    "SetThresholds",
    "checked_priors",
    "estimated_priors",
    "nonconformity",
    "reweighted",
    "set_thresholds",
]
