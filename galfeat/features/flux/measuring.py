"""Measure published morphology on an image of linear flux."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.features.flux.columns import LENGTHS, NAMES
from galfeat.features.flux.cutting import Scene, measure_source, slices_of
from galfeat.features.flux.detection import detect
from galfeat.features.flux.flags import NO_SOURCE, OFF_CENTRE, OUTSIDE_IMAGE
from galfeat.features.flux.inputs import (
    boxes_of,
    central,
    checked_image,
    checked_noise,
    checked_number,
    checked_psf,
    checked_segmentation,
    chosen,
    is_central,
    nearest,
    outside,
)
from galfeat.features.flux.table import FluxTable

#: Columns without an error from resampling: positions of the sky box and criteria.
_WITHOUT_ERROR = ("sersic_", "residual_", "sky_")
#: Row of a position outside the image.
_OUTSIDE = -2
_ALL_NAMES = (*NAMES, *(f"{name}_error" for name in NAMES))


def measure(
    image: ArrayLike,
    *,
    segmentation: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    gain: float | None = None,
    psf: ArrayLike | None = None,
    pixel_scale: float | None = None,
    zero_point: float | None = None,
    sources: str | Sequence[int] | None = None,
    positions: ArrayLike | None = None,
    sersic: bool = True,
    oversample: bool = True,
    resamples: int = 16,
    seed: int = 0,
    flux_unit: str = "",
    n_jobs: int = 1,
) -> FluxTable:
    """Measure the published morphology of galaxies on linear flux.

    Concentration, asymmetries, smoothness, Gini, M20, MID, Petrosian and other radii, and a
    two-dimensional Sérsic fit, as statmorph defines them (Rodriguez-Gomez et al. 2019). Unlike
    the family ``morphology``, which describes display images, nothing is stretched.

    Parameters
    ----------
    image : array_like of float, shape (H, W) or (1, H, W)
        One band. With a segmentation the sky must be subtracted. Pixels that are not finite are
        masked. 8-bit images are rejected, because they are display images.
    segmentation : array_like of int, shape (H, W), optional
        0 for sky, otherwise the number of a source. By default sources are detected and
        deblended, the sky is subtracted, and zeros are masked if more than a twentieth of the
        pixels are (see `galfeat.features.flux.detection.detect`).
    mask : array_like of bool, shape (H, W), optional
        Pixels to ignore.
    variance : array_like of float, shape (H, W), optional
        Variance of each pixel, the sky's included. Pixels without a positive, finite one are
        masked. Errors are measured only if it is given.
    gain : float, optional
        Electrons per unit of the image, for photon noise; ignored with a variance. By default
        noise is that of the sky alone.
    psf : array_like of float, shape (h, w), optional
        Point spread function for the Sérsic fit, centred on pixel ``((h-1)//2, (w-1)//2)``.
    pixel_scale : float, optional
        In arcsec; without it, lengths in arcsec are NaN.
    zero_point : float, optional
        Magnitude of one unit of flux; without it, magnitudes are NaN.
    sources : {"central", "all"} or sequence of int, optional
        The source nearest to the centre, all, or those with the given numbers. By default all of
        a given segmentation, and otherwise the central one.
    positions : array_like of float, shape (n, 2), optional
        Columns and rows (0-based), instead of `sources`: one row of the table for each, of the
        source there or the nearest one within 3 px.
    sersic : bool, default True
        Whether to fit the Sérsic model, which takes most of the time.
    oversample : bool, default True
        Whether to integrate the model over pixels near the centre.
    resamples : int, default 16
        With a variance, the number of copies of the image with noise added again from which
        errors are estimated as standard deviations; 0 for none. Those of the Sérsic fit come
        from the curvature of chi squared.
    seed : int, default 0
        Of the added noise.
    flux_unit : str, default ""
        Unit of the image, for the table.
    n_jobs : int, default 1
        Number of threads; results do not depend on it.

    Returns
    -------
    FluxTable
        One row per source. Values are NaN where they are undefined, and `flags` states why.

    Raises
    ------
    ImageError
        If an array has the wrong shape, type or values, or mask and variance hide all pixels.
    DataError
        If a source is not in the segmentation, or a number is not finite or not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import galfeat
    >>> y, x = np.mgrid[:101, :101] - 50.0
    >>> light = np.exp(-np.hypot(x, y / 0.7) / 6.0)
    >>> noise = np.random.default_rng(0).normal(0.0, 0.005, light.shape)
    >>> table = galfeat.measure(light + noise, pixel_scale=0.2)
    >>> print(f"{table['sersic_index'][0]:.1f} {table['ellipticity'][0]:.1f}")
    1.0 0.3
    """
    light = checked_image(image)
    pixel_scale = checked_number(pixel_scale, "pixel_scale")
    zero_point = checked_number(zero_point, "zero_point", positive=False)
    gain = checked_number(gain, "gain")
    masked, unknown, spread = checked_noise(mask, variance, light.shape)
    blank = unknown | ~np.isfinite(light)
    if segmentation is None:
        found = detect(light, mask=masked | unknown)
        light, labels = light - found.sky, found.labels
        blank |= ~found.usable
    else:
        labels = checked_segmentation(segmentation, light.shape)
    blank &= ~masked
    hidden = masked | unknown if segmentation is not None else masked | blank
    numbers, boxes = boxes_of(labels)
    doubt = 0
    if positions is not None:
        rows = nearest(labels, numbers, positions)
        missed = outside(positions, light.shape)
        rows = [_OUTSIDE if out else row for row, out in zip(rows, missed, strict=True)]
    elif sources == "central" or (sources is None and segmentation is None):
        rows = central(labels, numbers, boxes)
        if rows[0] >= 0 and not is_central(labels, int(numbers[rows[0]])):
            doubt = OFF_CENTRE
    else:
        rows = chosen(numbers, None if sources in (None, "all") else sources)
    scene = Scene(
        light, labels, hidden, blank, spread, math.inf if gain is None else gain,
        checked_psf(psf), sersic, oversample,
    )  # fmt: skip
    repeats = resamples if spread is not None else 0

    def one(row: int) -> tuple[dict[str, float], int]:
        if row < 0:
            return {}, OUTSIDE_IMAGE if row == _OUTSIDE else NO_SOURCE
        values, flags = _with_errors(scene, int(numbers[row]), boxes[row], repeats, seed)
        return values, flags | doubt

    if n_jobs > 1 and len(rows) > 1:
        with ThreadPoolExecutor(n_jobs) as pool:
            results = list(pool.map(one, rows))
    else:
        results = [one(row) for row in rows]
    for values, _ in results:
        _calibrate(values, pixel_scale, zero_point)
    return _table(results, [int(numbers[row]) if row >= 0 else 0 for row in rows], flux_unit)


def _with_errors(
    scene: Scene, label: int, box: NDArray[np.int64], repeats: int, seed: int
) -> tuple[dict[str, float], int]:
    """Return a source's values with their errors, and its flags."""
    values, fitted, flags = measure_source(scene, label, box)
    if scene.variance is None:
        return values, flags
    errors = {f"{name}_error": error for name, error in fitted.items()}
    if repeats > 1:
        random = np.random.default_rng([seed, label])
        deviation = np.sqrt(scene.variance[slices_of(box, scene.image.shape)])
        plain = replace(scene, sersic=False)
        copies = []
        for _ in range(repeats):
            noise = deviation * random.standard_normal(deviation.shape)
            copies.append(measure_source(plain, label, box, noise=noise)[0])
        for name in values:
            if not name.startswith(_WITHOUT_ERROR):
                sample = np.array([copy[name] for copy in copies])
                sample = sample[np.isfinite(sample)]
                spread = float(sample.std(ddof=1)) if sample.size > 1 else math.nan
                errors[f"{name}_error"] = spread
    return values | errors, flags


def _calibrate(
    values: dict[str, float], pixel_scale: float | None, zero_point: float | None
) -> None:
    """Add lengths in arcsec and magnitudes."""
    for name in LENGTHS:
        for end in ("", "_error"):
            if name + end in values:
                scale = math.nan if pixel_scale is None else pixel_scale
                values[f"{name}_arcsec{end}"] = values[name + end] * scale
    pairs = (
        ("magnitude_circular", "flux_circular"),
        ("magnitude", "flux_elliptical"),
        ("sersic_magnitude", "sersic_flux"),
    )
    for name, flux in pairs:
        values[name] = _magnitude(values.get(flux, math.nan), zero_point)
        error = values.get(f"{flux}_error", math.nan)
        if math.isfinite(error) and values[flux] > 0.0:
            values[f"{name}_error"] = 2.5 / math.log(10.0) * error / values[flux]
    area = math.pi * values.get("r50_arcsec", math.nan) ** 2
    brightness = values.get("flux_r50", math.nan) / area if area > 0.0 else math.nan
    values["surface_brightness_r50"] = _magnitude(brightness, zero_point)


def _magnitude(flux: float, zero_point: float | None) -> float:
    if zero_point is None or not flux > 0.0:
        return math.nan
    return zero_point - 2.5 * math.log10(flux)


def _table(
    results: list[tuple[dict[str, float], int]], labels: list[int], flux_unit: str
) -> FluxTable:
    known = set().union(*(values for values, _ in results)) if results else set()
    wanted = [name for name in _ALL_NAMES if name in known or not name.endswith("_error")]
    rows = [[values.get(name, math.nan) for name in wanted] for values, _ in results]
    matrix = np.array(rows, np.float64).reshape(len(rows), len(wanted))
    columns = dict(zip(wanted, np.ascontiguousarray(matrix.T), strict=True))
    bits = np.array([flags for _, flags in results], np.int64)
    return FluxTable(np.array(labels, np.int64), bits, columns, flux_unit)
