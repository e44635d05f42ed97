"""Morphology: the published statistics of a galaxy, on its native pixels.

Concentration, asymmetry, smoothness, Gini, M20, MID, Sérsic index, isophotes and nuclei, as the
literature defines them on an image, a segment and a Petrosian radius. On a display image they
describe the stretched light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.asymmetry import least_asymmetry, turned_difference
from galfeat.features.morphology.background import measure_background
from galfeat.features.morphology.columns import COLUMNS, NAMES
from galfeat.features.morphology.gini import gini_segment, gini_statistics
from galfeat.features.morphology.half_turn import padded_box, turned_copy
from galfeat.features.morphology.isophotes import (
    isophote_changes,
    isophote_ellipses,
    leftovers,
    mean_profile,
)
from galfeat.features.morphology.mid import basins, blurred, intensity_deviation, mid_segment
from galfeat.features.morphology.moments import ellipse_about, segment_moments, split_labels
from galfeat.features.morphology.multimode import multimode
from galfeat.features.morphology.nuclei import nuclei
from galfeat.features.morphology.outskirts import (
    farthest,
    mean_of_nine,
    outline,
    outline_box,
    smoothness,
)
from galfeat.features.morphology.petrosian import EXTENT, petrosian_curve, radius_of_fraction
from galfeat.features.morphology.sersic import bulge_strength, fit_sersic, rings, sersic_table
from galfeat.features.morphology.sky import sky_statistics
from galfeat.frame import Frame
from galfeat.kernels import kernel, variable

__all__ = ["COLUMNS", "NAMES", "measure", "morphology"]

#: Width of the box around the galaxy, relative to its segment ...
_STAMP = 2.5
#: ... and its minimum width, in pixels.
_MIN_STAMP = 48
#: Maximum distance of the centre of minimum asymmetry from the centroid, in Petrosian radii.
_DRIFT = 0.25
#: Half-width of the box for the Gini segment, in elliptical Petrosian radii.
_GINI_BOX = 2.0
#: Inner radius of the smoothness ring and side of its squares, in Petrosian radii.
_CLUMP = 0.25
#: Mean positive deviation of normal noise, in standard deviations.
_CLUMPS_OF_SKY = 1.0 / float(np.sqrt(2.0 * np.pi))
_NUMBER = len(NAMES)
#: Placeholder for a sky that has to be measured.
_UNKNOWN = (float("nan"), float("nan"), float("nan"))


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; statistics are NaN if the segment contains no light.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features.morphology import COLUMNS, measure
    >>> from galfeat.frame import measure_frame
    >>> frame = measure_frame(simulate(1, seed=1).images[0])
    >>> measure(frame).shape == (len(COLUMNS),)
    True
    """
    segment, mask = split_labels(frame.labels, frame.galaxy + 1)
    statistics = _measure(frame.grey, segment, mask, _UNKNOWN, 1.0).astype(np.float32)
    return np.concatenate([statistics, measure_background(frame)])


def morphology(
    image: NDArray[np.floating],
    segment: NDArray[np.bool_],
    *,
    mask: NDArray[np.bool_] | None = None,
    sky: tuple[float, float, float] | None = None,
    gain: float = 1.0,
) -> dict[str, float]:
    """Return the morphology of a galaxy.

    Parameters
    ----------
    image : ndarray of float, shape (H, W)
        One band or a mean of bands, sky-subtracted. Finite.
    segment : ndarray of bool, shape (H, W)
        The galaxy's pixels.
    mask : ndarray of bool, shape (H, W), optional
        Pixels of other objects, which are ignored.
    sky : tuple of float, optional
        Mode and standard deviation of the residual sky, and mean absolute difference of two
        of its pixels. By default they are measured around the galaxy, outside segment and
        mask.
    gain : float, default 1
        Electrons per unit of the image, for the photon noise.

    Returns
    -------
    dict of str to float
        The values named in `NAMES`, in that order. If the segment is empty or contains no
        light, NaN is returned for all.

    Raises
    ------
    ValueError
        If the shapes differ or the image is not two-dimensional.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.morphology.family import morphology
    >>> y, x = np.mgrid[-40:41, -40:41]
    >>> radius = np.hypot(x, y / 0.5)
    >>> print(f"{morphology(100 * np.exp(-radius / 6), radius < 24)['axis_ratio']:.2f}")
    0.50
    """
    light = np.ascontiguousarray(image, dtype=np.float32)
    own = np.ascontiguousarray(segment, dtype=np.bool_)
    others = np.zeros_like(own) if mask is None else np.ascontiguousarray(mask, dtype=np.bool_)
    if light.ndim != 2 or own.shape != light.shape or others.shape != light.shape:
        raise ValueError(
            f"image, segment and mask have shapes {light.shape}, {own.shape} and {others.shape}; "
            "expected equal shapes with two axes: pass arrays of one image"
        )
    known = _UNKNOWN if sky is None else (float(sky[0]), float(sky[1]), float(sky[2]))
    values = _measure(light, own, others & ~own, known, float(gain))
    return dict(zip(NAMES, values.tolist(), strict=True))


@kernel
def _measure(
    image: NDArray[np.float32],
    segment: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    sky: tuple[float, float, float],
    gain: float,
) -> NDArray[np.float64]:
    moments = segment_moments(image, segment)
    if moments[0] <= 0.0:
        return np.full(_NUMBER, np.nan)
    box = _stamp(moments, image.shape)
    level, noise, difference = sky
    if np.isnan(level):
        around = sky_statistics(image, segment | mask, box)
        level, noise, difference = around[0], around[1], around[2]
    variance = noise * noise
    # With negative light the centroid may be outside the segment.
    cy = min(max(moments[1] / moments[0], moments[7]), moments[8] - 1.0)
    cx = min(max(moments[2] / moments[0], moments[9]), moments[10] - 1.0)
    guess = 0.3 * (moments[8] - moments[7] + moments[10] - moments[9])

    _, first = petrosian_curve(image, mask, (cy, cx), (1.0, 0.0), guess, 1.0)
    smoothed = mean_of_nine(image, mask, box)
    region, ends = outline(smoothed, level + noise)
    y0, _, x0, _ = box
    reach, _ = farthest(ends, cy - y0, cx - x0, 1.0, 0.0)
    # At most the size of the image.
    widest = max(image.shape[0], image.shape[1])
    half = int(min(max(EXTENT * first, reach) + _DRIFT * first, widest)) + 3
    top, left = int(np.rint(cy)) - half, int(np.rint(cx)) - half
    square, seen, whole = padded_box(image, mask, top + half, left + half, half)
    turned = turned_copy(square)
    seen_turned = seen if whole else turned_copy(seen)
    asymmetry, ay, ax = least_asymmetry(
        square, turned, seen, seen_turned, whole, cy - top, cx - left,
        EXTENT * first, _DRIFT * first, difference,
    )  # fmt: skip
    yc, xc = ay + top, ax + left

    curve, circular = petrosian_curve(image, mask, (yc, xc), (1.0, 0.0), EXTENT * first, EXTENT)
    r20 = radius_of_fraction(curve[0], EXTENT * circular, 0.2)
    r50 = radius_of_fraction(curve[0], EXTENT * circular, 0.5)
    r80 = radius_of_fraction(curve[0], EXTENT * circular, 0.8)
    concentration = 5.0 * np.log10(r80 / r20) if r20 > 0.0 else 0.0
    q, pa = ellipse_about(moments, yc, xc)
    ellipses, elliptical = petrosian_curve(
        image, mask, (yc, xc), (q, pa), EXTENT * circular, EXTENT
    )

    circle, ellipse = farthest(ends, yc - y0, xc - x0, q, pa)
    half_light = radius_of_fraction(ellipses[0], min(ellipse, ellipses.shape[1] / 8 - 1), 0.5)
    every = variable(1)
    d, t, area = turned_difference(
        square, turned, seen, seen_turned, whole, ay, ax, half_light, ellipse, q, pa, every
    )
    outer = (d - area * difference) / t if t > 0.0 else 0.0
    # Where other objects hide the outline, the opposite pixels are hidden too.
    shadow = outline_box(region, top - y0, left - x0, square.shape[0])
    d, t, _ = turned_difference(
        shadow, turned_copy(shadow), seen, seen_turned, whole, ay, ax, 0.0, circle + 0.5,
        1.0, 0.0, every,
    )  # fmt: skip
    shape = d / t if t > 0.0 else 0.0
    clumps = smoothness(
        square, seen, ay, ax, _CLUMP * circular, EXTENT * circular, _CLUMPS_OF_SKY * noise
    )

    inner_box = _around(yc, xc, _GINI_BOX * elliptical + 4.0, box)
    gini_region = gini_segment(image, mask, inner_box, yc, xc, elliptical, q, pa)
    lotz = gini_statistics(image, mask, gini_region, variance, gain)
    gini, m20, snr = lotz[0], lotz[1], lotz[2]
    isophotes = isophote_changes(isophote_ellipses(smoothed, gini_region, y0, x0), circular)

    light, inside = _galaxy_box(image, segment, moments)
    members = mid_segment(light, inside)
    soft = blurred(members)
    summits = basins(members, soft)
    shares = intensity_deviation(members, soft, summits)

    r50_ellipse = radius_of_fraction(ellipses[0], EXTENT * elliptical, 0.5)
    profile = rings(ellipses, EXTENT * elliptical)
    fitted = fit_sersic(profile, r50_ellipse, variance, gain)
    amplitude, effective, index = fitted[0], fitted[1], fitted[2]
    rest = leftovers(
        image, mask, smoothed, box, (yc, xc, q, pa), (r50_ellipse, elliptical),
        mean_profile(ellipses, elliptical), sersic_table(amplitude, effective, index, elliptical),
        variance, gain,
    )  # fmt: skip
    first_columns = (
        circular, elliptical, r20, r50, r80, yc, xc, pa,
        q, elliptical / circular, r20 / circular, r50 / circular, r80 / circular,
        concentration, asymmetry, np.hypot(yc - cy, xc - cx) / circular, outer, shape,
        circle / circular, clumps, gini, m20,
        4.95 * gini - 0.693 * m20 - 3.96, 0.99 * gini + 0.139 * m20 - 0.327, snr,
        multimode(members), shares[0], shares[1], index, effective / elliptical,
        rest[0], rest[1], rest[2],
        bulge_strength(ellipses, r50_ellipse, elliptical), rest[7],
    )  # fmt: skip
    return np.concatenate(
        (
            np.array(first_columns), rest[3:7], isophotes,
            nuclei(soft, summits, noise, circular),
        )
    )  # fmt: skip


@kernel
def _stamp(moments: NDArray[np.float64], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box around the galaxy to analyse, ``(y0, y1, x0, x1)``."""
    y0, y1, x0, x1 = int(moments[7]), int(moments[8]), int(moments[9]), int(moments[10])
    half = max(int(0.5 * _STAMP * max(y1 - y0, x1 - x0)), _MIN_STAMP // 2)
    y, x = (y0 + y1) // 2, (x0 + x1) // 2
    return max(0, y - half), min(shape[0], y + half), max(0, x - half), min(shape[1], x + half)


@kernel
def _around(
    yc: float, xc: float, reach: float, box: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Return the part of a box within a distance of a point along both axes."""
    y0, y1, x0, x1 = box
    return (
        max(y0, int(yc - reach)), min(y1, int(yc + reach) + 1),
        max(x0, int(xc - reach)), min(x1, int(xc + reach) + 1),
    )  # fmt: skip


@kernel
def _galaxy_box(
    image: NDArray[np.float32], segment: NDArray[np.bool_], moments: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return light and membership of the segment's box, with a margin of one pixel."""
    y0, y1, x0, x1 = int(moments[7]), int(moments[8]), int(moments[9]), int(moments[10])
    light = np.zeros((y1 - y0 + 2, x1 - x0 + 2), np.float32)
    inside = np.zeros(light.shape, np.uint8)
    for y in range(y0, y1):
        for x in range(x0, x1):
            light[y - y0 + 1, x - x0 + 1] = image[y, x]
            inside[y - y0 + 1, x - x0 + 1] = segment[y, x]
    return light, inside
