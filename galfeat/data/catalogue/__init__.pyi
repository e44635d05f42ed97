from .catalogue import Catalogue as Catalogue
from .catalogue import build_catalogue as build_catalogue
from .fractions import VoteFractions as VoteFractions
from .fractions import read_fractions as read_fractions
from .fractions import read_soft_labels as read_soft_labels
from .frequencies import galaxy10_frequencies as galaxy10_frequencies
from .frequencies import read_frequencies as read_frequencies
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
from .tables import read_table as read_table
from .vote_schemes import VoteScheme as VoteScheme
from .vote_schemes import vote_scheme as vote_scheme
from .votes import VoteLabels as VoteLabels
from .votes import label_votes as label_votes

__all__ = [
    "GALAXY10_CLASSES",
    "GALAXY10_DECALS",
    "GALAXY10_SDSS",
    "PUBLISHED",
    "Catalogue",
    "Labels",
    "Published",
    "VoteFractions",
    "VoteLabels",
    "VoteScheme",
    "build_catalogue",
    "galaxy10_frequencies",
    "groups_by_position",
    "label_votes",
    "read_fractions",
    "read_frequencies",
    "read_labels",
    "read_soft_labels",
    "read_table",
    "vote_scheme",
]
