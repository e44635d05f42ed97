from .card import headline_scores as headline_scores
from .card import model_card as model_card
from .folder import load_model as load_model
from .folder import save_model as save_model
from .folder import share_model as share_model
from .manifest import read_manifest as read_manifest
from .rows import ModelRows as ModelRows
from .rows import read_rows as read_rows
from .shipped import SHIPPED as SHIPPED
from .shipped import model_folder as model_folder
from .trust import add_trusted as add_trusted
from .trust import is_trusted as is_trusted

__all__ = [
    "SHIPPED",
    "ModelRows",
    "add_trusted",
    "headline_scores",
    "is_trusted",
    "load_model",
    "model_card",
    "model_folder",
    "read_manifest",
    "read_rows",
    "save_model",
    "share_model",
]
