from .family import COLUMNS as COLUMNS
from .family import measure as measure

__all__ = [
    "COLUMNS",
    "measure",
]
