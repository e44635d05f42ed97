"""Sentences on how far to trust a classification, for the page and the API."""

from __future__ import annotations

from galfeat.frame import Frame
from galfeat.web.uploads import Upload

#: Half-light radius in pixels, and shorter side of an image, below which a class is not to be
#: trusted: half of the images reduced to this size, or more, get another class than at full size;
#: see `benchmarks/serving/small_galaxies.py`.
SMALLEST_RADIUS, SMALLEST_SIDE = 4.0, 33


def size_caution(frame: Frame, side: int) -> str | None:
    """Return a caution if a galaxy is too small for its class to be trusted, or else None.

    Parameters
    ----------
    frame : Frame
    side : int
        Shorter side of the image, in pixels.
    """
    radius = frame.radii[2]
    if radius >= SMALLEST_RADIUS and side >= SMALLEST_SIDE:
        return None
    return (
        f"The galaxy is too small for its class to be trusted: half of its light lies within "
        f"{radius:.1f} pixels. Send an image with more detail; enlarging this one adds none."
    )


def reduction_note(upload: Upload) -> str | None:
    """Return a note if an upload was reduced before it was measured, or else None."""
    if upload.factor == 1:
        return None
    height, width = upload.pixels.shape[:2]
    sizes = f"{upload.width:,} × {upload.height:,} to {width:,} × {height:,}"
    return (
        f"The image was reduced from {sizes} pixels before it was measured. A cut-out of the "
        "galaxy shows more detail."
    )
