"""Read linear flux from FITS files: bands, units, pixel scale and zero point."""

from __future__ import annotations

import math
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.readers.fits.calibration import gain_of, pixel_scale_of, unit_of, zero_point_of
from galfeat.data.readers.fits.file import FitsFile, flux_limit, open_fits
from galfeat.data.readers.fits.units import filter_name, has_image, header_names, science_unit
from galfeat.errors import ImageError

# Warning filters are global to the process, so only one thread at a time may change them.
_lock = threading.Lock()


@dataclass(frozen=True)
class FluxImage:
    """One band of linear flux.

    Attributes
    ----------
    flux : ndarray of float32 or float64, shape (H, W)
        In the order of the file: row 0 is the bottom of the displayed image.
    band : str
        Name of the band; empty if unknown.
    unit : str
        Unit of the flux; empty if unknown.
    pixel_scale : float or None
        In arcsec.
    zero_point : float or None
        AB magnitude of one unit of flux.
    gain : float or None
        Electrons per unit of flux.
    wcs : astropy.wcs.WCS or None
        The celestial coordinate system.
    """

    flux: NDArray[np.floating[Any]]
    band: str = ""
    unit: str = ""
    pixel_scale: float | None = None
    zero_point: float | None = None
    gain: float | None = None
    wcs: Any = field(default=None, repr=False)


def read_flux(
    path: str | Path, *, hdu: int | str | None = None, planes: str | None = None
) -> list[FluxImage]:
    """Read the bands of a FITS file as linear flux.

    Parameters
    ----------
    path : str or Path
        Plain or compressed: ``.fits``, ``.fits.gz``, ``.fits.fz``, ``.fits.bz2``.
    hdu : int or str, optional
        Number or name of the HDU. By default the first extension named like a science image
        (``SCI``, ``IMAGE``, ...), otherwise the first image that is not named like a mask, data
        quality, error, weight, segmentation or PSF.
    planes : str, optional
        Names of the planes of a cube, one letter each (``"griz"``) or separated by commas. By
        default the header card ``BANDS``, otherwise 0, 1, ...

    Returns
    -------
    list of FluxImage
        One for an image of shape (H, W) or (1, H, W), otherwise one per plane.

    Raises
    ------
    ImageError
        If the file is damaged or cut short, has no such HDU or no image, or `planes` does not
        name every plane.
    MissingDependencyError
        If astropy is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> from galfeat.data.readers.fits import read_flux
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     unit = fits.PrimaryHDU(np.zeros((2, 8, 9), "f4"))
    ...     unit.header["BUNIT"] = "nanomaggy"
    ...     unit.writeto(f"{folder}/galaxy.fits")
    ...     bands = read_flux(f"{folder}/galaxy.fits", planes="gr")
    >>> [(image.band, image.flux.shape, image.zero_point) for image in bands]
    [('g', (8, 9), 22.5), ('r', (8, 9), 22.5)]
    """
    with _opened(path) as file:
        unit = science_unit(file.units) if hdu is None else _unit(file.units, hdu)
        data, header, primary = _pixels(file, unit), unit.header, file.primary
    cube = data.reshape((-1, *data.shape[-2:]))
    names = _plane_names(len(cube), header, primary, planes)
    scale = pixel_scale_of(header)
    return [
        FluxImage(
            flux=np.ascontiguousarray(plane, dtype=plane.dtype.newbyteorder("=")),
            band=name, unit=unit_of(header, primary), pixel_scale=scale,
            zero_point=zero_point_of(header, primary, scale),
            gain=gain_of(header, primary), wcs=_celestial(header),
        )
        for plane, name in zip(cube, names, strict=True)
    ]  # fmt: skip


def read_plane(path: str | Path, *, hdu: int | str | None = None) -> NDArray[Any]:
    """Read one image of any kind: a mask, variance, segmentation or PSF.

    Parameters
    ----------
    path : str or Path
    hdu : int or str, optional
        By default the first HDU with an image.

    Returns
    -------
    ndarray, shape (H, W)

    Raises
    ------
    ImageError
        If the file is damaged, or the HDU has no two-dimensional image.
    """
    with _opened(path) as file:
        if hdu is not None:
            unit = _unit(file.units, hdu)
        else:
            unit = next((unit for unit in file.units if has_image(unit)), None)
        if unit is None:
            raise ImageError("no HDU contains an image; expected one of (H, W)")
        data = _pixels(file, unit)
    if data.ndim > 2 and math.prod(data.shape[:-2]) != 1:
        raise ImageError(f"the image has shape {data.shape}; expected (H, W)")
    plane = data.reshape(data.shape[-2:])
    return np.ascontiguousarray(plane, dtype=plane.dtype.newbyteorder("="))


@contextmanager
def _opened(path: str | Path) -> Iterator[FitsFile]:
    """Open a FITS file within ``GALFEAT_MAX_BYTES``, without warnings of astropy."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with open_fits(path, flux_limit()) as file:
                yield file
        except MemoryError as error:
            raise ImageError(
                "the image needs more memory than is available; cut out the part to measure"
            ) from error


def _unit(units: Sequence[Any], hdu: int | str) -> Any:  # noqa: ANN401
    """Return an HDU by number or name."""
    names = [unit.name.upper() for unit in units]
    if isinstance(hdu, str) and not hdu.isdigit():
        if hdu.upper() in names:
            return units[names.index(hdu.upper())]
    elif 0 <= int(hdu) < len(names):
        return units[int(hdu)]
    raise ImageError(
        f"there is no HDU {hdu!r}; the file contains {', '.join(name or '-' for name in names)}"
    )


def _pixels(file: FitsFile, unit: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return the pixels of an HDU."""
    if not has_image(unit):
        raise ImageError(f"HDU {unit.name!r} contains no image; expected one of (H, W)")
    data = file.pixels(unit)
    if data is None or data.ndim < 2 or 0 in data.shape:
        raise ImageError(f"HDU {unit.name!r} contains no image; expected one of (H, W)")
    if data.dtype.kind not in "fiu":
        raise ImageError(f"HDU {unit.name!r} has type {data.dtype}; expected numbers")
    return data


def _plane_names(number: int, header: Any, primary: Any, planes: str | None) -> list[str]:  # noqa: ANN401
    """Return the name of each plane."""
    if planes is not None:
        names = planes.split(",") if "," in planes else list(planes)
        if number == 1 and len(names) != 1:
            names = [planes]
        if len(names) != number:
            raise ImageError(
                f"the image has {number} planes and {len(names)} names, {planes!r}; expected one "
                "name for each plane"
            )
        return [name.strip() for name in names]
    named = header_names(number, header, primary)
    if named or number > 1:
        return named or [str(plane) for plane in range(number)]
    return [filter_name(header, primary)]


def _celestial(header: Any) -> Any:  # noqa: ANN401
    """Return the celestial coordinate system of a header, or None."""
    from astropy.wcs import WCS

    if not str(header.get("CTYPE1", "")).startswith(("RA", "DEC", "GLON", "GLAT")):
        return None
    cards = header.copy()
    if not str(cards["CTYPE1"]).endswith("-SIP"):
        # Coefficients of a distortion that was removed, as by drizzling.
        for key in [key for key in cards if re.fullmatch(r"[AB]P?_(\d_\d|ORDER|DMAX)", key)]:
            del cards[key]
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dates and units it corrects
        try:
            wcs = WCS(cards).celestial
        except Exception:  # any defect of the cards means no coordinates
            return None
    return wcs if wcs.has_celestial else None
