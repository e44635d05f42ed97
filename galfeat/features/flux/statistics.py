"""All statistics of one source but the Sérsic fit, from its cut-out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux import outline, radii
from galfeat.features.flux.apertures import ellipse_sums, running_sums
from galfeat.features.flux.clumps import excess_near, smoothness, substructure
from galfeat.features.flux.flags import (
    CENTRE_LEFT_IMAGE,
    CENTRE_MASKED,
    CENTRE_UNCERTAIN,
    CENTROID_OUTSIDE,
    FULL_GINI_SEGMENT,
    MID_UNDEFINED,
    MOMENTS,
    NO_CLEAN_CENTRE,
    NO_GINI_SEGMENT,
    NO_LIGHT,
    NO_OUTLINE,
    NO_SKY_BOX,
    PETROSIAN_BEYOND_IMAGE,
    PETROSIAN_UNRESOLVED,
    SEGMENTS_DIFFER,
    SEVERAL_PARTS,
    SKY_NOT_SUBTRACTED,
)
from galfeat.features.flux.gini_m20 import (
    EMPTY,
    FULL,
    SEVERAL,
    gini_segment,
    gini_statistics,
)
from galfeat.features.flux.half_turn import OUTSIDE, flipped, least_asymmetry, turned_sums
from galfeat.features.flux.mid_segment import ADDED, UNDEFINED, mid_region
from galfeat.features.flux.modes import multimode
from galfeat.features.flux.radii import fraction_radius, petrosian
from galfeat.features.flux.sorting import ascending
from galfeat.features.flux.stamp import (
    all_seen,
    find_sky_box,
    moments_of,
    shape_about,
    sky_in_box,
)
from galfeat.features.flux.watershed import intensity_deviation
from galfeat.kernels import kernel

#: Radius of the apertures of concentration and asymmetry, in Petrosian radii.
_EXTENT = 1.5
#: Radius of the apertures of the flux, in Petrosian radii.
_FLUX = 2.0
#: Maximum distance of the centre of asymmetry from where it was sought, in Petrosian radii.
_DRIFT = 0.25
#: Minimum overlap of the Gini and the MID segment, over the larger area.
_OVERLAP = 0.25
#: Levels of the isophotes, in standard deviations of the sky.
ISOPHOTES = (3.0, 10.0, 30.0)

#: What `statistics` returns, in order.
NAMES = (
    "centroid_x", "centroid_y", "centroid_ellipticity", "centroid_angle",
    "centre_x", "centre_y", "ellipticity", "position_angle",
    "flux_circular", "flux_elliptical", "petrosian_circular", "petrosian_elliptical",
    "rmax_circular", "rmax_elliptical", "half_light_circular", "half_light_elliptical",
    "r20", "r50", "r80", "flux_r50", "concentration", "asymmetry", "smoothness",
    "gini", "m20", "bulge_statistic", "merger_statistic", "signal_to_noise",
    "multimode", "intensity", "deviation",
    "rms_asymmetry", "outer_asymmetry", "shape_asymmetry",
    "isophote_asymmetry_3", "isophote_asymmetry_10", "isophote_asymmetry_30", "substructure",
    "sky_mean", "sky_median", "sky_sigma",
)  # fmt: skip
_NUMBER = len(NAMES)


@kernel
def statistics(
    light: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    segment: NDArray[np.bool_],
    sky: NDArray[np.bool_],
    bright: NDArray[np.float32],
    variance: NDArray[np.float32],
    gain: float,
) -> tuple[NDArray[np.float64], int]:
    """Return the values of `NAMES`, and flags.

    Parameters
    ----------
    light, hidden, segment, sky, bright
        From `galfeat.features.flux.stamp.cut_out`.
    variance : ndarray of float32, shape (H, W) or (0, 0)
        Variance of each pixel; if empty it is that of the sky plus the light over `gain`.
    gain : float
        Electrons per unit of the light; infinite for no photon noise.
    """
    height, width = light.shape
    values = np.full(_NUMBER, np.nan)
    moments = moments_of(bright)
    box = find_sky_box(sky)
    around = sky_in_box(light, box[0], box[1], box[2])
    flags = 0 if box[2] > 0 else NO_SKY_BOX
    values[38], values[39], values[40] = around[0], around[1], around[2]
    has_sky = box[2] > 0
    sky_sigma, sky_difference = (around[2], around[3]) if has_sky else (0.0, 0.0)
    if moments[0] <= 0.0:
        return values, flags | NO_LIGHT
    my, mx = moments[1] / moments[0], moments[2] / moments[0]
    if not (0.0 <= my < height and 0.0 <= mx < width):
        my, mx = 0.5 * height, 0.5 * width
        flags |= CENTROID_OUTSIDE
    if light[int(my), int(mx)] == np.float32(0.0):
        flags |= CENTRE_MASKED
    q, pa, odd = shape_about(moments, my, mx)
    values[0], values[1], values[2], values[3] = mx, my, 1.0 - q, pa

    sums = running_sums(light, hidden)
    area = np.sum(segment)
    guess = 1.8 * np.sqrt(area / np.pi) + 2.0
    first, how, _ = petrosian(light, hidden, sums, (my, mx), (1.0, 0.0), guess)
    flags |= PETROSIAN_UNRESOLVED if how == radii.SMALLER else 0
    flags |= PETROSIAN_BEYOND_IMAGE if how == radii.LARGER else 0

    whole = not np.any(hidden)
    seen = np.ones((height, width), np.float32)
    if not whole:
        for y in range(height):
            for x in range(width):
                seen[y, x] = np.float32(not hidden[y, x])
    turned, seen_turned = flipped(light, 0.0), flipped(seen, 1.0)
    reach = _EXTENT * first
    near = all_seen(hidden, my, mx, (1.0 + _DRIFT) * reach + 2.0)
    yc, xc, left = least_asymmetry(
        light, turned, seen, seen_turned, near, my, mx, reach, sky_difference
    )
    if near and not whole and np.hypot(yc - my, xc - mx) > _DRIFT * first:
        yc, xc, left = least_asymmetry(
            light, turned, seen, seen_turned, whole, my, mx, reach, sky_difference
        )
    if np.hypot(yc - my, xc - mx) > _DRIFT * first:
        flags |= CENTRE_UNCERTAIN
        yc, xc, again = least_asymmetry(
            light, turned, seen, seen_turned, whole, moments[6], moments[7], reach, sky_difference
        )
        left |= again
        if np.hypot(yc - moments[6], xc - moments[7]) > _DRIFT * first:
            flags |= NO_CLEAN_CENTRE
            yc, xc = my, mx
    flags |= CENTRE_LEFT_IMAGE if left else 0
    if light[min(int(yc), height - 1), min(int(xc), width - 1)] == np.float32(0.0):
        flags |= CENTRE_MASKED
    q, pa, odd_again = shape_about(moments, yc, xc)
    flags |= MOMENTS if odd or odd_again else 0
    values[4], values[5], values[6], values[7] = xc, yc, 1.0 - q, pa
    centre, ellipse, circle = (yc, xc), (q, pa), (1.0, 0.0)

    circular, how, curve = petrosian(light, hidden, sums, centre, circle, _EXTENT * first)
    flags |= PETROSIAN_UNRESOLVED if how == radii.SMALLER else 0
    flags |= PETROSIAN_BEYOND_IMAGE if how == radii.LARGER else 0
    elliptical, how, ellipses = petrosian(
        light, hidden, sums, centre, ellipse, _EXTENT * circular / np.sqrt(q)
    )
    flags |= PETROSIAN_UNRESOLVED if how == radii.SMALLER else 0
    flags |= PETROSIAN_BEYOND_IMAGE if how == radii.LARGER else 0
    values[8] = abs(ellipse_sums(sums, yc, xc, _FLUX * circular, 1.0, 0.0)[0])
    values[9] = abs(ellipse_sums(sums, yc, xc, _FLUX * elliptical, q, pa)[0])
    values[10], values[11] = circular, elliptical
    limit = _EXTENT * circular
    r20 = fraction_radius(sums, curve, centre, circle, limit, 0.2)
    r50 = fraction_radius(sums, curve, centre, circle, limit, 0.5)
    r80 = fraction_radius(sums, curve, centre, circle, limit, 0.8)
    values[16], values[17], values[18] = r20, r50, r80
    values[19] = ellipse_sums(sums, yc, xc, r50, 1.0, 0.0)[0]
    if r20 > 0.0:
        values[20] = 5.0 * np.log10(r80 / r20)

    absolute = turned_sums(light, turned, seen, seen_turned, whole, centre, reach, circle, False)
    if absolute[1] > 0.0:
        values[21] = (absolute[0] - absolute[2] * sky_difference) / absolute[1]
    else:
        values[21] = OUTSIDE
    above = excess_near(light, yc, xc, circular)
    values[22] = smoothness(light, sums, above, yc, xc, circular, box)
    squares = turned_sums(light, turned, seen, seen_turned, whole, centre, reach, circle, True)
    rest = squares[1] - squares[2] * sky_sigma * sky_sigma
    if rest != 0.0:
        values[31] = (squares[0] - 2.0 * squares[2] * sky_sigma * sky_sigma) / rest

    gini_region, how = gini_segment(light, my, mx, elliptical, q, pa)
    flags |= SEVERAL_PARTS if how == SEVERAL else 0
    flags |= NO_GINI_SEGMENT if how == EMPTY else 0
    flags |= FULL_GINI_SEGMENT if how == FULL else 0
    lotz = gini_statistics(light, hidden, gini_region, variance, gain, sky_sigma)
    gini, m20 = lotz[0], lotz[1]
    values[23], values[24], values[27] = gini, m20, lotz[2]
    values[25] = 4.95 * gini - 0.693 * m20 - 3.96
    values[26] = 0.990 * gini + 0.139 * m20 - 0.327

    positive = np.maximum(bright, np.float32(0.0))
    number = int(area)
    held = np.empty(number + 1, np.float32)
    k = 0
    for y in range(height):
        for x in range(width):
            held[k] = positive[y, x]
            k += segment[y, x]
    ordered = held[ascending(held[:number])]
    mid, how = mid_region(positive, ordered, int(moments[6]), int(moments[7]))
    if how == UNDEFINED:
        mid = gini_region
        flags |= MID_UNDEFINED
    flags |= SEVERAL_PARTS if how == ADDED else 0
    both, area_gini, area_mid = 0, 0, 0
    members = np.zeros((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            both += mid[y, x] and gini_region[y, x]
            area_gini += gini_region[y, x]
            area_mid += mid[y, x]
            members[y, x] = positive[y, x] if mid[y, x] else np.float32(0.0)
    flags |= SEGMENTS_DIFFER if both < _OVERLAP * max(area_gini, area_mid) else 0
    values[28] = multimode(members, number)
    values[29], values[30] = intensity_deviation(members, mid)

    smooth = outline.smooth_outline(light)
    level, deviation, known = outline.sky_level(light, hidden, yc, xc, elliptical, box)
    if known:
        region, reached = outline.region_above(smooth, level + deviation)
        flags |= 0 if reached else NO_OUTLINE
    else:
        region = segment.astype(np.float32)
        flags |= NO_OUTLINE
    far_circle, far_ellipse = outline.farthest(region, yc, xc, q, pa)
    values[12], values[13] = far_circle, far_ellipse
    values[14] = fraction_radius(sums, curve, centre, circle, far_circle, 0.5)
    half_light = fraction_radius(sums, ellipses, centre, ellipse, far_ellipse, 0.5)
    values[15] = half_light
    if far_ellipse > half_light > 0.0:
        outer = turned_sums(
            light, turned, seen, seen_turned, whole, centre, far_ellipse, ellipse, False
        )
        inner = turned_sums(
            light, turned, seen, seen_turned, whole, centre, half_light, ellipse, False
        )
        if outer[1] > inner[1]:
            values[32] = (outer[0] - inner[0] - (outer[2] - inner[2]) * sky_difference) / (
                outer[1] - inner[1]
            )
    values[33] = _outline_asymmetry(region, seen, seen_turned, whole, centre, far_circle)
    if has_sky and sky_sigma > 0.0:
        _isophotes(values[34:37], smooth, seen, sky_sigma, centre, far_circle)
    if has_sky:
        values[37] = substructure(light, segment, above, yc, xc, circular, sky_sigma)
        flags |= SKY_NOT_SUBTRACTED if abs(around[0]) > around[2] else 0
    return values, flags


@kernel
def _isophotes(
    values: NDArray[np.float64],
    smooth: NDArray[np.float32],
    seen: NDArray[np.float32],
    sigma: float,
    centre: tuple[float, float],
    reach: float,
) -> None:
    """Write the asymmetries of the isophotes, which lie within the outline."""
    yc, xc = centre
    y0, x0 = max(int(yc - reach) - 2, 0), max(int(xc - reach) - 2, 0)
    y1 = min(int(yc + reach) + 4, smooth.shape[0])
    x1 = min(int(xc + reach) + 4, smooth.shape[1])
    if y1 <= y0 or x1 <= x0:
        return
    near, visible = smooth[y0:y1, x0:x1].copy(), seen[y0:y1, x0:x1].copy()
    whole = bool(np.min(visible) > np.float32(0.0))
    visible_turned = flipped(visible, 1.0)
    middle = yc - y0, xc - x0
    for k in range(3):
        region, reached = outline.region_above(near, ISOPHOTES[k] * sigma)
        if not reached:
            break
        extent = outline.farthest(region, middle[0], middle[1], 1.0, 0.0)[0]
        values[k] = _outline_asymmetry(region, visible, visible_turned, whole, middle, extent)


@kernel
def _outline_asymmetry(
    region: NDArray[np.float32],
    seen: NDArray[np.float32],
    seen_turned: NDArray[np.float32],
    whole: bool,
    centre: tuple[float, float],
    radius: float,
) -> float:
    """Return the asymmetry of a region without its light (Pawlik et al. 2016)."""
    if radius <= 0.0:
        return np.nan
    sums = turned_sums(
        region, flipped(region, 0.0), seen, seen_turned, whole, centre, radius,
        (1.0, 0.0), False,
    )  # fmt: skip
    return sums[0] / sums[1] if sums[1] > 0.0 else np.nan
