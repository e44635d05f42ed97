from .app import create_app as create_app
from .serving import prepare as prepare

__all__ = [
    "create_app",
    "prepare",
]
