from .pixels import Pixels as Pixels

__all__ = [
    "Pixels",
]
