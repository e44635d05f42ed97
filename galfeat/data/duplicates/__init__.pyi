from .fingerprint import copies_among as copies_among
from .fingerprint import fingerprints as fingerprints
from .grouping import Grouping as Grouping
from .grouping import find_groups as find_groups
from .grouping import find_groups_in as find_groups_in
from .pairs import near_identical as near_identical
from .sketches import sketch as sketch

__all__ = [
    "Grouping",
    "copies_among",
    "find_groups",
    "find_groups_in",
    "fingerprints",
    "near_identical",
    "sketch",
]
