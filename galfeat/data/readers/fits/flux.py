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
from galfeat.data.readers.fits.units import Band, flux_bands, has_image, unit_bands
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
    note : str
        Other images of the file, which were not read; empty if there are none.
    """

    flux: NDArray[np.floating[Any]]
    band: str = ""
    unit: str = ""
    pixel_scale: float | None = None
    zero_point: float | None = None
    gain: float | None = None
    wcs: Any = field(default=None, repr=False)
    note: str = ""


def read_flux(
    path: str | Path,
    *,
    hdu: int | str | None = None,
    planes: str | None = None,
    bands: Sequence[str] = (),
) -> list[FluxImage]:
    """Read the bands of a FITS file as linear flux.

    Parameters
    ----------
    path : str or Path
        Plain or compressed: ``.fits``, ``.fits.gz``, ``.fits.fz``, ``.fits.bz2``.
    hdu : int or str, optional
        Number or name of the HDU. By default all HDUs named like bands (``G``, ``F115W``,
        ``IMAGE-R``) or with different cards ``FILTER``; otherwise the first extension named like
        a science image (``SCI``, ``IMAGE``, ...); otherwise the first image that is not named
        like a mask, data quality, error, weight, segmentation or PSF.
    planes : str, optional
        Names of the planes of a cube or of the bands, one letter each (``"griz"``) or separated
        by commas. By default from the header cards ``BANDS`` or ``FILTER`` or the name of the
        HDU, otherwise 0, 1, ...
    bands : sequence of str, optional
        Read only the bands of these names, in any case.

    Returns
    -------
    list of FluxImage
        One for an image of shape (H, W) or (1, H, W), otherwise one per plane or band.

    Raises
    ------
    ImageError
        If the file is damaged or cut short, has no such HDU, band or image, its bands are on the
        last axis, or `planes` does not name every plane.
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
        if hdu is None:
            found, note = flux_bands(file.units)
        else:
            unit = _unit(file.units, hdu)
            _check_image(unit)
            found, note = unit_bands(unit, file.primary), ""
        chosen = _chosen(_named(found, planes), bands)
        units = {id(band.unit): band.unit for band in chosen}
        file.check_size(units.values())
        pixels = {key: _pixels(file, unit) for key, unit in units.items()}
        primary = file.primary
    return [_image(band, pixels[id(band.unit)], primary, note) for band in chosen]


def _image(band: Band, data: NDArray[Any], primary: Any, note: str) -> FluxImage:  # noqa: ANN401
    """Return one band with the units of its header."""
    plane, header = data[band.place], band.unit.header
    scale = pixel_scale_of(header)
    return FluxImage(
        flux=np.ascontiguousarray(plane, dtype=plane.dtype.newbyteorder("=")),
        band=band.name, unit=unit_of(header, primary), pixel_scale=scale,
        zero_point=zero_point_of(header, primary, scale),
        gain=gain_of(header, primary), wcs=_celestial(header), note=note,
    )  # fmt: skip


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


def _check_image(unit: Any) -> None:  # noqa: ANN401
    """Raise ImageError if an HDU has no image."""
    if not has_image(unit):
        raise ImageError(f"HDU {unit.name!r} contains no image; expected one of (H, W)")


def _pixels(file: FitsFile, unit: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return the pixels of an HDU."""
    _check_image(unit)
    data = file.pixels(unit)
    if data is None or data.ndim < 2 or 0 in data.shape:
        raise ImageError(f"HDU {unit.name!r} contains no image; expected one of (H, W)")
    if data.dtype.kind not in "fiu":
        raise ImageError(f"HDU {unit.name!r} has type {data.dtype}; expected numbers")
    return data


def _named(bands: Sequence[Band], planes: str | None) -> list[Band]:
    """Return the bands with the given names."""
    if planes is None:
        return list(bands)
    names = planes.split(",") if "," in planes else list(planes)
    if len(bands) == 1 and len(names) != 1:
        names = [planes]
    if len(names) != len(bands):
        raise ImageError(
            f"the image has {len(bands)} planes and {len(names)} names, {planes!r}; expected one "
            "name for each plane"
        )
    return [band._replace(name=name.strip()) for band, name in zip(bands, names, strict=True)]


def _chosen(bands: Sequence[Band], names: Sequence[str]) -> list[Band]:
    """Return the bands of the given names, or all."""
    wanted = {name.lower() for name in names}
    chosen = [band for band in bands if not wanted or band.name.lower() in wanted]
    missing = [name for name in names if name.lower() not in {b.name.lower() for b in bands}]
    if missing and len(bands) == 1 and not bands[0].name:
        raise ImageError(
            f"no band {', '.join(missing)}; the file contains one band without a name: omit "
            "--band, or name it with --planes"
        )
    if missing:
        raise ImageError(
            f"no band {', '.join(missing)}; the file contains "
            f"{', '.join(band.name or 'one without a name' for band in bands)}"
        )
    return chosen


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
