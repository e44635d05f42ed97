"""Read FITS images, one or three bands of each, as uint8 RGB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from galfeat.data.dataset import Image
from galfeat.data.readers.fits.calibration import in_nanomaggies
from galfeat.data.readers.fits.file import FitsFile, display_limit, open_fits
from galfeat.data.readers.fits.units import Band, display_bands
from galfeat.errors import ImageError

VARIABLE = "GALFEAT_BANDS"
"""Environment variable with the bands to show."""

FITS_SUFFIXES = tuple(
    suffix + packed for suffix in (".fits", ".fit", ".fts") for packed in ("", ".gz", ".bz2", ".fz")
)
LEGACY_SCALES = {"g": 6.0, "r": 3.4, "i": 3.0, "z": 2.2}
"""Band scales of the Legacy Surveys' viewer, per nanomaggy."""

SOFTENING = 20.0
SKY_LEVEL = 0.03
SKY_NOISE = 0.02
_BLOCK = 2**20

FULL_SCALE = 2.2
"""The stretched value is 1 at this scaled flux: asinh(20 × 2.2) / √20."""


def read_fits(path: str | Path, *, bands: str | None = None) -> Image:
    """Read a FITS file as an RGB image.

    The science image is read, of shape (H, W) or (bands, H, W) with any axes of length one: the
    HDU named ``SCI`` or the like, or else the first image that is not named like a mask, error,
    weight or segmentation. Bands may also be in HDUs of their own, named ``G``, ``F115W`` or
    ``IMAGE-R``, or with a card ``FILTER``. The card ``BANDS`` gives the order of the bands in a
    cube (``grz``); without it, blue to red is assumed. The image is flipped upright, because
    FITS stores the bottom row first. See `asinh_rgb` for the stretch. Fluxes of the Legacy
    Surveys (g, r, i and z, with ``SURVEY`` LegacySurvey or DECaLS, or ``BUNIT`` nanomaggy) are
    scaled as in its viewer, to look like Galaxy10 DECaLS, and zeros in single bands are blank;
    others are scaled by their noise.

    Parameters
    ----------
    path : str or Path
        Plain, or packed with gzip, bzip2 or as ``.fits.fz``.
    bands : str, optional
        One or three bands to show, one letter each (``"gri"``) or separated by commas
        (``"F115W,F200W,F444W"``); planes without a name have numbers, from 0. Bands u to z are
        sorted from blue to red, others are given in this order. By default the environment
        variable ``GALFEAT_BANDS``, or else all bands of an image of one or three, grz of griz,
        and gri, grz, riz or izy of others, the first that exists.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Three equal channels for one band.

    Raises
    ------
    ImageError
        If the file is damaged, there is no image, its shape is wrong, it has other numbers of
        bands and none are chosen, or not the chosen ones; if it has more pixels than Pillow's
        limit (``PIL.Image.MAX_IMAGE_PIXELS``), or more than half of its pixels are blank (NaN or
        infinite).
    MissingDependencyError
        If astropy is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> from galfeat.data.readers import read_fits
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     unit = fits.PrimaryHDU(np.zeros((4, 32, 48)))
    ...     unit.header["BANDS"] = "griz"
    ...     unit.writeto(f"{folder}/galaxy.fits")
    ...     read_fits(f"{folder}/galaxy.fits", bands="gri").shape
    (32, 48, 3)
    """
    with open_fits(path, display_limit()) as file:
        shown = display_bands(file.units, bands or os.environ.get(VARIABLE) or None)
        flux = _planes(file, shown)
        headers = [*(band.unit.header for band in shown), file.primary]
    names = [band.name.lower() for band in shown]
    known = len(names) == 3 and set(names) <= set(LEGACY_SCALES)
    scales = None
    if known and in_nanomaggies(*headers):
        scales = [LEGACY_SCALES[name] for name in names]
        flux[(flux == 0) & flux.any(axis=0)] = np.nan  # zeros where a band has no exposure
    return np.ascontiguousarray(asinh_rgb(flux, scales=scales)[::-1])


def _planes(file: FitsFile, shown: list[Band]) -> NDArray[Any]:
    """Read bands one after another, shape (bands, H, W)."""
    first = file.plane(shown[0].unit, shown[0].place)
    flux = np.empty((len(shown), *first.shape), first.dtype.newbyteorder("="))
    flux[0] = first
    del first
    for number, band in enumerate(shown[1:], start=1):
        plane = file.plane(band.unit, band.place)
        if plane.shape != flux.shape[1:]:
            raise ImageError(
                f"band {band.name} has shape {plane.shape} and band {shown[0].name} "
                f"{flux.shape[1:]}; expected one size: resample them, or choose one with --bands"
            )
        flux[number] = plane
    return flux


def asinh_rgb(bands: NDArray[np.floating[Any]], *, scales: list[float] | None = None) -> Image:
    """Stretch linear fluxes as the Legacy Surveys' viewer does.

    Each band is multiplied by its scale, which gives x; with I the mean over bands of
    max(0, x + 0.03), a channel is 255 (x + 0.03) asinh(20 I) / (√20 I), clipped to 0 to 255.
    The ratio of the channels, the colour, is preserved unless a channel saturates. The sky
    level is near 32.

    Parameters
    ----------
    bands : ndarray, shape (1, H, W) or (3, H, W)
        From blue to red. A pixel that is blank (NaN or infinite) in all bands becomes sky; in
        a single band it has the mean of the others.
    scales : list of float, optional
        One per band. By default the sky (the clipped median of the border, a tenth of
        the width on each side) is subtracted and its noise scaled to 0.02, or less if
        the centre would saturate; bands without noise are scaled to their maximum.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Red first. One band yields three equal channels; a flat band yields sky.

    Raises
    ------
    ImageError
        If more than half of the pixels are blank in all bands.

    References
    ----------
    Lupton et al. 2004, PASP 116, 133; Dey et al. 2019, AJ 157, 168.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.readers import asinh_rgb
    >>> asinh_rgb(np.zeros((1, 32, 32)))[0, 0].tolist()
    [32, 32, 32]
    """
    bands = np.asarray(bands)
    blank = np.mean(np.logical_and.reduce([~np.isfinite(band) for band in bands]))
    if blank > 0.5:
        raise ImageError(f"{blank:.0%} of the pixels are blank; expected at most half")
    linear = _NoiseScaling(bands) if scales is None else _FixedScaling(scales)
    height, width = bands.shape[1:]
    image = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _BLOCK // width)  # in blocks, as intermediate results are in float64
    for start in range(0, height, rows):
        image[start : start + rows] = _stretched(bands[:, start : start + rows], linear)
    return image


def _stretched(bands: NDArray[Any], linear: _Scaling) -> NDArray[np.uint8]:
    """Return the stretched pixels of some rows, shape (rows, W, 1) or (rows, W, 3)."""
    flux = linear.scaled(_flux(bands))
    known = ~np.isnan(flux)
    mean = np.where(known, flux, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    x = np.where(known, flux, mean) + SKY_LEVEL
    intensity = np.maximum(x, 0).mean(axis=0)
    gain = np.arcsinh(SOFTENING * intensity) / np.sqrt(SOFTENING)
    gain /= np.maximum(intensity, 1e-6)
    picture: NDArray[np.uint8] = np.rint(255 * np.clip(x * gain, 0, 1)).astype(np.uint8)
    return picture[::-1].transpose(1, 2, 0)


def _flux(bands: NDArray[Any]) -> NDArray[np.float64]:
    """Return a copy in which all blank pixels are NaN."""
    flux = np.array(bands, dtype=np.float64)
    flux[~np.isfinite(flux)] = np.nan
    return flux


class _Scaling(Protocol):
    """Scale the bands of some rows, shape (bands, rows, W)."""

    def scaled(self, flux: NDArray[np.float64]) -> NDArray[np.float64]: ...


class _FixedScaling:
    """Scale bands of known units."""

    def __init__(self, scales: list[float]) -> None:
        self._factors: NDArray[np.float64] = np.reshape(scales, (-1, 1, 1))

    def scaled(self, flux: NDArray[np.float64]) -> NDArray[np.float64]:
        return flux * self._factors


class _NoiseScaling:
    """Scale bands of unknown units to zero sky and equal noise."""

    def __init__(self, bands: NDArray[Any]) -> None:
        self._sky = np.empty((len(bands), 1, 1))
        self._unit = np.empty((len(bands), 1, 1))
        self._factor = 1.0
        for band, values in enumerate(bands):
            sky, noise = _sky(values)
            self._sky[band] = sky
            self._unit[band] = noise / SKY_NOISE or _largest_deviation(values, sky) or 1.0
        height, width = bands.shape[1:]
        rows, columns = (slice(size // 4, size - size // 4) for size in (height, width))
        centre = self.scaled(_flux(bands[:, rows, columns]))
        finite = centre[np.isfinite(centre)]
        brightest = float(np.percentile(finite, 99)) if finite.size else 0.0
        self._factor = min(1.0, FULL_SCALE / max(brightest, FULL_SCALE))

    def scaled(self, flux: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = (flux - self._sky) / self._unit * self._factor
        return scaled


def _largest_deviation(band: NDArray[Any], sky: float) -> float:
    largest = 0.0
    for row in band:
        values = row[np.isfinite(row)].astype(np.float64)
        largest = max(largest, float(np.max(np.abs(values - sky), initial=0)))
    return largest


def _sky(band: NDArray[Any]) -> tuple[float, float]:
    """Return clipped median and noise (1.4826 MAD) of the border; zeros if all of it is blank.

    Blank rows and columns at the edges do not belong to the image.
    """
    finite = np.isfinite(band)
    rows, columns = (np.flatnonzero(finite.any(axis=axis)) for axis in (1, 0))
    if rows.size:
        inside = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        band, finite = band[inside], finite[inside]
    rim = max(1, band.shape[1] // 10), max(1, band.shape[0] // 10)
    border = np.ones(band.shape, bool)
    border[rim[1] : -rim[1], rim[0] : -rim[0]] = False
    values = band[border & finite].astype(np.float64)
    sky = noise = 0.0
    for _ in range(5):
        if values.size == 0:
            break
        sky = float(np.median(values))
        noise = 1.4826 * float(np.median(np.abs(values - sky)))
        values = values[np.abs(values - sky) <= 3 * noise]
    return sky, noise
