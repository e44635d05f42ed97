from .columns import COLUMNS as COLUMNS
from .measuring import measure as measure
from .table import FluxTable as FluxTable

__all__ = [
    "COLUMNS",
    "FluxTable",
    "measure",
]
