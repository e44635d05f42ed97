"""The bands of a FITS mosaic: images with world coordinates, read in sections."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.readers.fits.units import BLUE_TO_RED
from galfeat.errors import DataError
from galfeat.storage.versions import require_package

_SIP_CARD = r"(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)"


class OutsideError(Exception):
    """A position cannot be cut out of a mosaic; the message gives the reason."""


@dataclass(frozen=True)
class Band:
    """An image in a FITS file: one plane, read in sections."""

    path: Path
    header: Any
    section: Any
    shape: tuple[int, int]
    plane: int | None
    wcs: Any
    letter: str

    def corner(self, ra: float, dec: float, size: int) -> tuple[NDArray[np.float64], int, int]:
        """Return a position in pixels, and the first column and row of its cut-out."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                x, y = np.asarray(self.wcs.all_world2pix(ra, dec, 0), dtype=np.float64)
        except Exception as error:  # no convergence far from the image
            raise OutsideError(f"it is outside {self.path.name}") from error
        height, width = self.shape
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise OutsideError(f"it is outside {self.path.name}")
        # The pixel right of the centre, if the size is even, contains the position.
        left, bottom = (int(np.floor(value + 0.5)) - size // 2 for value in (x, y))
        return np.array([x, y]), left, bottom

    def pixels(self, left: int, bottom: int, size: int) -> NDArray[Any]:
        """Return a square of pixels; NaN beyond the edges of the image."""
        height, width = self.shape
        rows = slice(max(bottom, 0), min(bottom + size, height))
        columns = slice(max(left, 0), min(left + size, width))
        key = (rows, columns) if self.plane is None else (self.plane, rows, columns)
        try:
            inside = np.asarray(self.section[key])
        except MemoryError:
            raise
        except Exception as error:  # a damaged file raises many kinds of errors inside astropy
            raise DataError(
                f"{self.path} cannot be read at row {rows.start + 1} ({error}); replace the file"
            ) from error
        if inside.shape == (size, size):
            return inside
        kind = inside.dtype if inside.dtype.kind == "f" else np.dtype(np.float32)
        square = np.full((size, size), np.nan, dtype=kind.newbyteorder("="))
        square[
            rows.start - bottom : rows.stop - bottom, columns.start - left : columns.stop - left
        ] = inside
        return square


@contextlib.contextmanager
def open_bands(paths: Sequence[Path]) -> Iterator[list[Band]]:
    """Open FITS files and yield their bands; see `galfeat.data.fetch.cut_mosaic`.

    Raises
    ------
    DataError
        If a file has no image with celestial world coordinates.
    MissingDependencyError
        If astropy is not installed.
    """
    require_package("astropy.io", "fits", "cutting out of FITS files")
    from astropy.io import fits

    if not paths:
        raise DataError("no mosaic was given; expected at least one FITS file")
    with contextlib.ExitStack() as stack:
        bands = []
        for path in paths:
            if not path.is_file():
                raise DataError(f"{path} is not a file; expected a FITS image")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    units = stack.enter_context(fits.open(path))
                    bands += _bands_of(path, units)
            except (DataError, MemoryError):
                raise
            except Exception as error:  # damaged files raise many kinds of errors inside astropy
                raise DataError(
                    f"{path} cannot be read as a FITS image ({error}); replace the file"
                ) from error
        yield bands


def _bands_of(path: Path, units: Any) -> list[Band]:  # noqa: ANN401
    from astropy.wcs import WCS

    unit = next((u for u in units if u.is_image and u.header.get("NAXIS", 0) >= 2), None)
    if unit is None or len(unit.shape) not in (2, 3):
        found = "no image" if unit is None else f"an image of shape {unit.shape}"
        raise DataError(f"{path} contains {found}; expected one of (H, W) or (b, H, W)")
    header = without_unused_distortion(unit.header)
    wcs = WCS(header, fobj=units).celestial
    if not wcs.has_celestial:
        raise DataError(
            f"{path} has no celestial world coordinates (CTYPE, CRVAL, CRPIX); add them, e.g. with "
            "astrometry.net"
        )
    planes = [None] if len(unit.shape) == 2 else list(range(unit.shape[0]))
    letters = _letters(header, len(planes))
    return [
        Band(path, header, unit.section, unit.shape[-2:], plane, wcs, letter)
        for plane, letter in zip(planes, letters, strict=True)
    ]


def without_unused_distortion(header: Any) -> Any:  # noqa: ANN401
    """Return a header without SIP coefficients if its axes are not of a SIP projection.

    Drizzled images keep the coefficients of the exposures, which were removed from the pixels;
    astropy would apply them again.
    """
    header = header.copy()
    if not str(header.get("CTYPE1", "")).endswith("-SIP"):
        for card in [name for name in header if re.fullmatch(_SIP_CARD, name)]:
            header.remove(card, ignore_missing=True, remove_all=True)
    return header


def _letters(header: Any, count: int) -> list[str]:  # noqa: ANN401
    """Return the letter of each band, empty where the header does not name it."""
    names = str(header.get("BANDS", header.get("FILTER", header.get("BAND", "")))).strip().lower()
    if count == 1:
        letter = names.split()[0][:1] if names.split() else ""
        alone = len(names.split()[0]) == 1 if names.split() else False
        return [letter if alone and letter in BLUE_TO_RED else ""]
    return list(names) if len(names) == count and set(names) <= set(BLUE_TO_RED) else [""] * count
