from .atomic import (
    atomic_file as atomic_file,
)
from .atomic import (
    atomic_folder as atomic_folder,
)
from .atomic import (
    can_replace as can_replace,
)
from .atomic import (
    ensure_folder_writable as ensure_folder_writable,
)
from .atomic import (
    ensure_writable as ensure_writable,
)
from .cells import csv_cell as csv_cell
from .cells import printable as printable
from .cells import valid_text as valid_text
from .checkpoint import CheckpointStore as CheckpointStore
from .checkpoint import sources_digest as sources_digest
from .packaged import data_folder as data_folder
from .scratch import scratch_folder as scratch_folder
from .versions import library_versions as library_versions

__all__ = [
    "CheckpointStore",
    "atomic_file",
    "atomic_folder",
    "can_replace",
    "csv_cell",
    "data_folder",
    "ensure_folder_writable",
    "ensure_writable",
    "library_versions",
    "printable",
    "scratch_folder",
    "sources_digest",
    "valid_text",
]
