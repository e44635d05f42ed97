from .catalogue import Catalogue as Catalogue
from .catalogue import build_catalogue as build_catalogue
from .galaxy10 import (
    GALAXY10_CLASSES as GALAXY10_CLASSES,
)
from .galaxy10 import (
    GALAXY10_DECALS as GALAXY10_DECALS,
)
from .galaxy10 import (
    GALAXY10_SDSS as GALAXY10_SDSS,
)
from .galaxy10 import (
    PUBLISHED as PUBLISHED,
)
from .galaxy10 import (
    Published as Published,
)
from .groups import groups_by_position as groups_by_position
from .labels import Labels as Labels
from .labels import read_labels as read_labels

__all__ = [
    "GALAXY10_CLASSES",
    "GALAXY10_DECALS",
    "GALAXY10_SDSS",
    "PUBLISHED",
    "Catalogue",
    "Labels",
    "Published",
    "build_catalogue",
    "groups_by_position",
    "read_labels",
]
