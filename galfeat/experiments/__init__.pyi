from .ablation import ablate as ablate
from .comparison import Results as Results
from .comparison import compare as compare
from .costs import Costs as Costs
from .costs import measure_costs as measure_costs
from .cross_validation import cross_validate as cross_validate
from .label_audit import audit as audit
from .plan import Plan as Plan
from .scoring import Scored as Scored
from .scoring import score as score

__all__ = [
    "Costs",
    "Plan",
    "Results",
    "Scored",
    "ablate",
    "audit",
    "compare",
    "cross_validate",
    "measure_costs",
    "score",
]
