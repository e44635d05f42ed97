from .making import is_embedder as is_embedder
from .making import make_embedder as make_embedder
from .sources import Source as Source

__all__ = [
    "Source",
    "is_embedder",
    "make_embedder",
]
