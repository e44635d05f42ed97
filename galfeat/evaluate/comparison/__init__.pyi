from .left_out import Ablation as Ablation
from .left_out import measure_ablation as measure_ablation
from .page import comparison_page as comparison_page
from .paired import (
    Comparison as Comparison,
)
from .paired import (
    Difference as Difference,
)
from .paired import (
    OutOfFold as OutOfFold,
)
from .paired import (
    compare_predictions as compare_predictions,
)
from .text import comparison_csv as comparison_csv
from .text import comparison_text as comparison_text

__all__ = [
    "Ablation",
    "Comparison",
    "Difference",
    "OutOfFold",
    "compare_predictions",
    "comparison_csv",
    "comparison_page",
    "comparison_text",
    "measure_ablation",
]
