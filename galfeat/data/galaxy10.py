"""The two published Galaxy10 data sets: their classes and where to get them."""

from __future__ import annotations

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
