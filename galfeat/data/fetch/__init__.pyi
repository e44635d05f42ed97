from .catalogue import (
    SkyCatalogue as SkyCatalogue,
)
from .catalogue import (
    read_positions as read_positions,
)
from .cutouts import (
    Cutout as Cutout,
)
from .cutouts import (
    fetch_cutouts as fetch_cutouts,
)
from .cutouts import (
    sample_cutouts as sample_cutouts,
)
from .download import file_sha256 as file_sha256
from .mosaic import cut_mosaic as cut_mosaic
from .survey_requests import survey_cutouts as survey_cutouts
from .surveys import SkyPosition as SkyPosition
from .training import fetch_training as fetch_training
from .training import read_training as read_training
from .transfer import (
    ServerRefusedError as ServerRefusedError,
)
from .transfer import (
    TransferBrokenError as TransferBrokenError,
)

__all__ = [
    "Cutout",
    "ServerRefusedError",
    "SkyCatalogue",
    "SkyPosition",
    "TransferBrokenError",
    "cut_mosaic",
    "fetch_cutouts",
    "fetch_training",
    "file_sha256",
    "read_positions",
    "read_training",
    "sample_cutouts",
    "survey_cutouts",
]
