"""Cut one source out of an image and measure it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from galfeat.features.flux.flags import (
    AT_EDGE,
    NO_LIGHT,
    SERSIC_AT_BOUND,
    SERSIC_FAILED,
    SERSIC_SKIPPED,
)
from galfeat.features.flux.sersic_fit import SersicFit, fit_sersic
from galfeat.features.flux.stamp import cut_out, deviations
from galfeat.features.flux.statistics import NAMES, statistics

#: Width of the cut-out relative to the segment, and its minimum half-width in pixels.
_EXTENT, _MIN_HALF = 2.5, 24
#: Pixels that differ from their neighbours by this many standard deviations are outliers.
OUTLIER = 10.0
#: Maximum fraction of blank pixels around a segment.
_BLANK = 0.05
_NOTHING = np.zeros((0, 0), np.float32)
_IN_FLUX = ("flux_circular", "flux_elliptical", "flux_r50", "sky_mean", "sky_median", "sky_sigma")
_ALONG = {"_x": 1, "_y": 0}


@dataclass(frozen=True)
class Scene:
    """What all sources of an image share.

    Attributes
    ----------
    image : ndarray of float32 or float64, shape (H, W)
    labels : ndarray of int32, shape (H, W)
    mask : ndarray of bool, shape (H, W)
        Hidden pixels.
    blank : ndarray of bool, shape (H, W)
        Those without data, besides those that the user masks.
    variance : ndarray of float64, shape (H, W), or None
    gain : float
        Electrons per unit of the image; infinite without photon noise.
    psf : ndarray of float64, shape (h, w), or None
    sersic, oversample : bool
        Whether to fit the Sérsic model, and to integrate its pixels near the centre.
    """

    image: NDArray[np.floating]
    labels: NDArray[np.int32]
    mask: NDArray[np.bool_]
    blank: NDArray[np.bool_]
    variance: NDArray[np.floating] | None
    gain: float
    psf: NDArray[np.float64] | None
    sersic: bool
    oversample: bool


def slices_of(box: NDArray[np.int64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the cut-out around a segment's half-open box ``y0, y1, x0, x1``."""
    y0, y1, x0, x1 = (int(edge) for edge in box)
    y, x = y0 + (y1 - y0) // 2, x0 + (x1 - x0) // 2
    half = max(int(max(y1 - y0, x1 - x0) * _EXTENT / 2.0), _MIN_HALF)
    return (
        slice(max(0, y - half), min(shape[0], y + half)),
        slice(max(0, x - half), min(shape[1], x + half)),
    )


def measure_source(
    scene: Scene, label: int, box: NDArray[np.int64], *, noise: NDArray[np.floating] | None = None
) -> tuple[dict[str, float], dict[str, float], int]:
    """Return the measured values of a source, the errors of its Sérsic fit, and flags.

    Parameters
    ----------
    scene : Scene
    label : int
        The number of the source in the labels.
    box : ndarray of int64, shape (4,)
        Its half-open box ``y0, y1, x0, x1``.
    noise : ndarray, optional
        Noise to add to the cut-out.
    """
    rows, columns = slices_of(box, scene.image.shape)
    image = np.ascontiguousarray(scene.image[rows, columns])
    if noise is not None:
        image = image + noise
    labels = np.ascontiguousarray(scene.labels[rows, columns])
    mask = np.ascontiguousarray(scene.mask[rows, columns])
    scale = _scale(image, labels == label)
    light, hidden, segment, sky, bright, _ = cut_out(image, labels, mask, label, OUTLIER, scale)
    variance = _NOTHING
    if scene.variance is not None:
        variance = (scene.variance[rows, columns] / scale**2).astype(np.float32)
        unknown = ~np.isfinite(variance) | (variance < 0.0)
        if unknown.any():
            variance[unknown] = 0.0
    gain = scene.gain * scale
    values, flags = statistics(light, hidden, segment, sky, bright, variance, gain)
    result = dict(zip(NAMES, values.tolist(), strict=True))
    errors: dict[str, float] = {}
    if _touches_edge(box, scene) or _touches_blank(labels == label, scene.blank[rows, columns]):
        flags |= AT_EDGE
    if scene.sersic and not flags & NO_LIGHT:
        known = 0.0 if math.isnan(result["sky_sigma"]) else result["sky_sigma"]
        deviation = deviations(light, hidden, variance, gain, known)
        fit, fit_flags = _fitted(scene, result, light, deviation)
        flags |= fit_flags
        if fit is not None:
            result |= _sersic_values(fit, light, deviation, scale)
            errors = _sersic_errors(fit, scale)
    for name in result:
        if name in _IN_FLUX:
            result[name] *= scale
        elif name[-2:] in _ALONG:
            result[name] += (rows, columns)[_ALONG[name[-2:]]].start
    return result, errors, flags


def _scale(image: NDArray[np.floating], segment: NDArray[np.bool_]) -> float:
    """Return the brightest value of the segment, or 1 if none is positive."""
    top = float(np.max(image, initial=0.0, where=segment))
    if not math.isfinite(top):
        top = float(np.max(image, initial=0.0, where=segment & np.isfinite(image)))
    return top if top > 0.0 else 1.0


def _touches_edge(box: NDArray[np.int64], scene: Scene) -> bool:
    height, width = scene.image.shape
    return bool(box[0] <= 0 or box[2] <= 0 or box[1] >= height or box[3] >= width)


def _touches_blank(segment: NDArray[np.bool_], blank: NDArray[np.bool_]) -> bool:
    """Return whether more than a twentieth of the pixels around a segment's data are blank."""
    if not blank.any():
        return False
    seen = segment & ~blank
    around = ndimage.binary_dilation(seen, np.ones((3, 3), bool)) & ~seen
    return bool(np.count_nonzero(around & blank) > _BLANK * np.count_nonzero(around))


def _fitted(
    scene: Scene,
    values: dict[str, float],
    light: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> tuple[SersicFit | None, int]:
    """Return the Sérsic fit, started from the other statistics, and flags."""
    usable = (light != 0.0) & (deviation > 0.0)
    weight = np.zeros_like(light)
    weight[usable] = 1.0 / deviation[usable]
    radius = values["half_light_elliptical"]
    concentration = values["concentration"]
    index = 10.0**-1.5 * concentration**3.5 if concentration > 0.0 else 1.0
    index = min(max(index, 1.0), 3.5)
    if not radius > 0.0:
        return None, SERSIC_SKIPPED
    q = 1.0 - values["ellipticity"]
    # Within the ellipse the mean brightness is some three times that at its edge.
    amplitude = 0.5 * values["flux_elliptical"] / (math.pi * q * radius * radius) / 2.5
    start = (
        amplitude, radius, index, values["centre_x"], values["centre_y"],
        values["ellipticity"], values["position_angle"],
    )  # fmt: skip
    if not np.all(np.isfinite(start)):
        return None, SERSIC_SKIPPED
    fit = fit_sersic(light, weight, start, psf=scene.psf, oversample=scene.oversample)
    if fit is None:
        return None, SERSIC_SKIPPED
    flags = 0 if fit.converged else SERSIC_FAILED
    return fit, flags | (SERSIC_AT_BOUND if fit.at_bound else 0)


def _sersic_values(
    fit: SersicFit,
    light: NDArray[np.float32],
    deviation: NDArray[np.float32],
    scale: float,
) -> dict[str, float]:
    freedom = fit.number - 7
    inside = deviation > 0.0
    rest = np.abs(light - fit.model)[inside].sum(dtype=np.float64)
    # The mean absolute deviation of a normal distribution is 0.8 standard deviations.
    expected = 0.8 * deviation[inside].sum(dtype=np.float64)
    total = fit.model[inside].sum(dtype=np.float64)
    return {
        "sersic_amplitude": fit.amplitude * scale,
        "sersic_radius": fit.radius,
        "sersic_index": fit.index,
        "sersic_x": fit.x,
        "sersic_y": fit.y,
        "sersic_ellipticity": fit.ellipticity,
        "sersic_angle": fit.angle,
        "sersic_chi2": fit.chi2 / freedom,
        "sersic_aic": _aic(fit),
        "sersic_bic": _likelihood(fit) + 7 * math.log(fit.number),
        "sersic_flux": fit.flux * scale,
        "residual_sersic": (rest - expected) / total if total > 0.0 else math.nan,
    }


def _likelihood(fit: SersicFit) -> float:
    """Return minus twice the logarithm of the likelihood of a least-squares fit."""
    return fit.number * math.log(max(fit.chi2, 1e-300) / fit.number)


def _aic(fit: SersicFit) -> float:
    """Return Akaike's criterion, corrected for few pixels as in astropy."""
    if fit.number / 7.0 >= 40.0:
        return _likelihood(fit) + 14.0
    return _likelihood(fit) + 14.0 * fit.number / max(fit.number - 8.0, 1.0)


def _sersic_errors(fit: SersicFit, scale: float) -> dict[str, float]:
    names = ("amplitude", "radius", "index", "x", "y", "ellipticity", "angle")
    errors = {f"sersic_{name}": float(e) for name, e in zip(names, fit.errors, strict=True)}
    errors["sersic_amplitude"] *= scale
    return errors
