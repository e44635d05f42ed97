from .balancing import Balancing as Balancing
from .evaluation import Evaluation as Evaluation
from .evaluation import evaluate_predictions as evaluate_predictions
from .importances import Importances as Importances
from .importances import measure_importances as measure_importances
from .intervals import Interval as Interval
from .intervals import bootstrap as bootstrap
from .intervals import wilson as wilson
from .repeats import (
    CrossValidation as CrossValidation,
)
from .repeats import (
    RepeatedScore as RepeatedScore,
)
from .repeats import (
    summarise_repeats as summarise_repeats,
)
from .score_summary import ScoreSummary as ScoreSummary
from .soft import SoftEvaluation as SoftEvaluation
from .soft import evaluate_fractions as evaluate_fractions
from .splits import holdout as holdout
from .splits import outer_folds as outer_folds

__all__ = [
    "Balancing",
    "CrossValidation",
    "Evaluation",
    "Importances",
    "Interval",
    "RepeatedScore",
    "ScoreSummary",
    "SoftEvaluation",
    "bootstrap",
    "evaluate_fractions",
    "evaluate_predictions",
    "holdout",
    "measure_importances",
    "outer_folds",
    "summarise_repeats",
    "wilson",
]
