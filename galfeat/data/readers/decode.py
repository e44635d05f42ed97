"""Decode one image file to uint8 RGB."""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from galfeat.data.dataset import Image
from galfeat.data.readers.fits.display import FITS_SUFFIXES, read_fits
from galfeat.data.readers.headers import check_file, check_picture, check_strips
from galfeat.data.readers.pixels import to_rgb
from galfeat.errors import ImageError, MissingDependencyError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp")


def is_image_name(path: str | Path) -> bool:
    """Return whether a file has the name of an image that galfeat reads."""
    return Path(path).name.lower().endswith(PICTURE_SUFFIXES + FITS_SUFFIXES)


def decode_file(path: str | Path, *, bands: str | None = None) -> Image:
    """Decode a JPEG, PNG, TIFF, WebP, GIF, BMP or FITS file.

    The EXIF orientation is applied. Grey, palette and CMYK images become RGB; transparent
    pixels become black, as the sky is dark. 16-bit samples are reduced to 8 bits; floats must
    lie in 0 to 1. Only the first of several frames is read.

    Parameters
    ----------
    path : str or Path
    bands : str, optional
        Bands of a FITS image to show; see `galfeat.data.readers.fits.display.read_fits`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)

    Raises
    ------
    ImageError
        If the file is missing, empty, truncated, in another format, or beyond the limits of
        `galfeat.data.readers.headers`; if it has more pixels than Pillow's limit
        (``PIL.Image.MAX_IMAGE_PIXELS``), or needs more memory than is available.
    MissingDependencyError
        If it is a FITS file and astropy is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from galfeat.data.readers import decode_file
    >>> Image.new("RGB", (20, 10), (1, 2, 3)).save("galaxy.png")
    >>> decode_file(Path("galaxy.png")).shape
    (10, 20, 3)
    """
    try:
        _check_regular(path)
        if Path(path).name.lower().endswith(FITS_SUFFIXES):
            return read_fits(path, bands=bands)
        with Pillow.open(path, formats=[check_file(path)]) as picture:
            check_strips(picture)
            return pixels_of(ImageOps.exif_transpose(picture))
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise ImageError(
            f"{path} has more than {Pillow.MAX_IMAGE_PIXELS} pixels; cut out the galaxy first"
        ) from error
    except MissingDependencyError:
        raise
    except MemoryError as error:
        raise ImageError(
            f"{path} needs more memory than is available; cut out the galaxy first"
        ) from error
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist; correct the name or leave it out") from error
    except Exception as error:  # Pillow raises nearly anything for a damaged file
        raise ImageError(f"{path} cannot be decoded ({error}); replace the file") from error


def decode_picture(picture: Pillow.Image) -> Image:
    """Decode a PIL image, in any mode and with EXIF orientation, as `decode_file` does.

    Raises
    ------
    ImageError
        If its file is damaged or beyond the limits of `galfeat.data.readers.headers`, its samples
        are out of range, or it needs more memory than is available.
    """
    try:
        check_picture(picture)
        return pixels_of(ImageOps.exif_transpose(picture))
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            "the picture needs more memory than is available; cut out the galaxy first"
        ) from error
    except Exception as error:  # Pillow raises nearly anything for a damaged file
        raise ImageError(f"the picture cannot be decoded ({error}); replace it") from error


def pixels_of(picture: Pillow.Image) -> Image:
    """Return the pixels of a PIL image as RGB, as `decode_file` does, without rotating it."""
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


def _check_regular(path: str | Path) -> None:
    """Raise ImageError for a pipe, a device or a folder, which may have no end or no content."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ImageError("it is not a regular file; replace it by an image file")


@contextlib.contextmanager
def decoding() -> Iterator[None]:
    """Turn Pillow's warning about huge images into an error and ignore its other warnings.

    Warning filters belong to the process, so enter this once around the threads that decode,
    not in each thread.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        yield
