"""Maps beside FITS images: segmentation, mask, variance and PSF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.readers.fits.flux import read_plane
from galfeat.errors import DataError, ImageError

_SUFFIXES = (".gz", ".fz", ".bz2", ".fits", ".fit", ".fts")
#: Maps of which at least one value must be positive.
_NOISE = ("variance", "sigma", "weight")


def read_maps(path: Path, maps: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Read the maps of an image; a spread of any kind becomes a variance.

    Parameters
    ----------
    path : Path
        The image.
    maps : dict of str to str
        An extension of the image (its number or name), or a file, optionally with the extension
        in brackets, by ``segmentation``, ``mask``, ``variance``, ``sigma``, ``weight`` or
        ``psf``. Braces stand for the name of the image without its suffix.

    Returns
    -------
    dict of str to ndarray, shape (H, W)
        `segmentation`, `mask` (bool), `variance` (NaN where unknown) and `psf`, as given.

    Raises
    ------
    DataError
        If a map cannot be read, hides all pixels, or has no positive noise.
    """
    given: dict[str, NDArray[Any]] = {}
    for name, text in maps.items():
        shown = _filled(path, text)
        try:
            values = _read_map(path, shown)
        except ImageError as error:
            raise DataError(f"--{name} {shown}: {error}") from error
        if name == "mask":
            given[name] = ~np.isfinite(values) | (values != 0)
            if given[name].all():
                raise DataError(
                    f"--mask {shown}: no value is 0, so the mask hides all pixels; expected 0 for "
                    "pixels to measure"
                )
        elif name in _NOISE:
            positive = np.isfinite(values) & (values > 0)
            if not positive.any():
                raise DataError(
                    f"--{name} {shown}: no value is positive; expected the {name} of each pixel"
                )
            given["variance"] = _variance(name, np.where(positive, values, 1), positive)
        else:
            given[name] = values
    return given


def _variance(name: str, values: NDArray[Any], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the variance, NaN where it is not known."""
    spread = values.astype(np.float64)
    if name == "sigma":
        spread = spread**2
    elif name == "weight":
        spread = 1.0 / spread
    return np.where(positive, spread, np.nan)


def _filled(path: Path, text: str) -> str:
    """Return the name of a map, with the name of the image in place of braces."""
    stem = str(path)
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    return text.replace("{}", stem)


def _read_map(path: Path, name: str) -> NDArray[Any]:
    """Read an extension of a file, or of another one."""
    file, bracket, extension = name.removesuffix("]").partition("[")
    if not bracket and not Path(name).exists() and "." not in Path(name).name:
        return read_plane(path, hdu=name)
    return read_plane(file, hdu=extension or None)
