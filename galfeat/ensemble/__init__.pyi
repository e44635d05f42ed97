from .decision import decide as decide
from .model import Ensemble as Ensemble

__all__ = [
    "Ensemble",
    "decide",
]
