"""Classes and download addresses of the two published Galaxy10 data sets."""

from __future__ import annotations

from typing import NamedTuple

GALAXY10_DECALS = (
    "Disturbed",
    "Merging",
    "Round Smooth",
    "In-between Round Smooth",
    "Cigar Shaped Smooth",
    "Barred Spiral",
    "Unbarred Tight Spiral",
    "Unbarred Loose Spiral",
    "Edge-on without Bulge",
    "Edge-on with Bulge",
)

GALAXY10_DECALS_COARSE = ("", "merger", *["smooth"] * 3, *["spiral"] * 3, *["edge-on"] * 2)
"""The coarse class of each class; disturbed galaxies have none."""

GALAXY10_SDSS = (
    "Disk Face-on No Spiral",
    "Smooth Completely Round",
    "Smooth In-between Round",
    "Smooth Cigar Shaped",
    "Disk Edge-on Rounded Bulge",
    "Disk Edge-on Boxy Bulge",
    "Disk Edge-on No Bulge",
    "Disk Face-on Tight Spiral",
    "Disk Face-on Medium Spiral",
    "Disk Face-on Loose Spiral",
)

GALAXY10_CLASSES: dict[tuple[int, ...], tuple[str, ...]] = {
    (256, 256, 3): GALAXY10_DECALS,
    (69, 69, 3): GALAXY10_SDSS,
}
"""Class names by the shape of one image."""


class Published(NamedTuple):
    """Name, SHA-256 and mirrors of a published file.

    Examples
    --------
    >>> from galfeat.data.catalogue import PUBLISHED
    >>> PUBLISHED["galaxy10-sdss"].file
    'Galaxy10.h5'
    """

    file: str
    sha256: str
    urls: tuple[str, ...]


PUBLISHED = {
    "galaxy10-decals": Published(
        "Galaxy10_DECals.h5",
        "19aefc477c41bb7f77ff07599a6b82a038dc042f889a111b0d4d98bb755c1571",
        (
            "https://zenodo.org/records/10845026/files/Galaxy10_DECals.h5?download=1",
            "https://www.astro.utoronto.ca/~hleung/shared/Galaxy10/Galaxy10_DECals.h5",
        ),
    ),
    "galaxy10-sdss": Published(
        "Galaxy10.h5",
        "969a6b1cefcc36e09fffa86febd2f699a4aa19b837ba0427f01b0bc6ded458af",
        (
            "https://zenodo.org/records/10844811/files/Galaxy10.h5?download=1",
            "https://www.astro.utoronto.ca/~hleung/shared/Galaxy10/Galaxy10.h5",
        ),
    ),
}
"""The data sets that `galfeat data fetch` downloads."""
