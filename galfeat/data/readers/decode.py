"""Decode one image file to uint8 RGB."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from galfeat.data.dataset import Image
from galfeat.data.readers.fits import FITS_SUFFIXES, read_fits
from galfeat.data.readers.pixels import to_rgb
from galfeat.errors import ImageError, MissingDependencyError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")


def is_image_name(path: str | Path) -> bool:
    """Tell by its name whether galfeat reads this file as one image."""
    return Path(path).name.lower().endswith(PICTURE_SUFFIXES + FITS_SUFFIXES)


def decode_file(path: str | Path) -> Image:
    """Decode a JPEG, PNG, TIFF or FITS file; for FITS see `galfeat.data.readers.fits.read_fits`.

    The orientation that EXIF gives is applied. Grey, palette and CMYK images become
    RGB; what is transparent shows black, as the sky is dark. Of 16-bit samples the
    256 levels of 8 bits are kept; floats must lie in 0 to 1. Of several frames the
    first is read.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If the file is missing, empty, cut off, not an image, or has more pixels than
        Pillow's limit (``PIL.Image.MAX_IMAGE_PIXELS``).
    MissingDependencyError
        If it is a FITS file and astropy is not installed.
    """
    try:
        if Path(path).name.lower().endswith(FITS_SUFFIXES):
            return read_fits(path)
        with Pillow.open(path) as picture:
            return pixels_of(ImageOps.exif_transpose(picture))
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise ImageError(
            f"{path} has more than {Pillow.MAX_IMAGE_PIXELS} pixels; cut out the galaxy first"
        ) from error
    except (MissingDependencyError, MemoryError):
        raise
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist; correct the name or leave it out") from error
    except Exception as error:  # a damaged file raises nearly anything inside Pillow
        raise ImageError(f"{path} cannot be decoded ({error}); replace the file") from error


def pixels_of(picture: Pillow.Image) -> Image:
    """Return the pixels of a picture that Pillow has opened, as `decode_file` does."""
    if picture.mode == "F" or picture.mode.startswith("I;16"):
        return to_rgb(np.asarray(picture).astype("f4" if picture.mode == "F" else "u2"))
    if picture.mode == "I":
        wide = np.asarray(picture)
        if wide.min() < 0 or wide.max() > 65535:
            raise ImageError(f"samples from {wide.min()} to {wide.max()}; expected 8 or 16 bits")
        return to_rgb(wide.astype("u2"))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Pillow.new("RGBA", layer.size, "black")
        picture.alpha_composite(layer)
    return to_rgb(np.asarray(picture.convert("RGB")))


@contextlib.contextmanager
def decoding() -> Iterator[None]:
    """Make Pillow's warning of a huge image an error, and drop its others, for a while.

    The filters belong to the process, so this is entered once around the threads that
    decode, not inside each.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        yield
