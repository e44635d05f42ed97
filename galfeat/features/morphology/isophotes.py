"""Ellipses of isophotes, and residuals from elliptical models and half-turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.morphology.petrosian import STEPS
from galfeat.kernels import kernel

#: Areas enclosed by the isophotes, as fractions of the Gini segment's area.
AREAS = (0.0625, 0.125, 0.25, 0.5, 0.75)
#: Bounds of the steps of the minor-axis profile, in elliptical Petrosian radii.
MINOR_STEPS = (0.0, 0.06, 0.12, 0.24, 0.48)
_LEVELS = 1024


@kernel
def isophote_ellipses(
    smoothed: NDArray[np.float32], runs: NDArray[np.int32], y0: int, x0: int
) -> NDArray[np.float64]:
    """Return the ellipses of a region's isophotes, shape (5, 4).

    The isophotes enclose the brightest 1/16, 1/8, 1/4, 1/2 and 3/4 of the region's pixels. The
    ellipse of each is the uniform ellipse with the same moments.

    Parameters
    ----------
    smoothed : ndarray of float32
        A part of the image, starting at pixel (y0, x0).
    runs : ndarray of int32, shape (n, 3)
        The region: row, first column and the column after the last, in coordinates of the image.

    Returns
    -------
    ndarray of float64
        The two components of the ellipticity, ``(1 - q) / (1 + q)`` times the cosine and the
        sine of twice the position angle, and the centre (y, x). Zeros without light.
    """
    top, number, longest = np.float32(0.0), 0, 0
    for k in range(runs.shape[0]):
        row = smoothed[runs[k, 0] - y0, runs[k, 1] - x0 : runs[k, 2] - x0]
        for x in range(row.size):
            top = max(top, row[x])
        number += row.size
        longest = max(longest, row.size)
    result = np.zeros((5, 4), np.float64)
    if top <= 0.0:
        return result
    # Levels are linear in the square root, for sufficient resolution of faint light.
    scale = np.float32((_LEVELS - 1) / np.sqrt(top))
    counts = np.zeros(_LEVELS, np.int32)
    line = np.empty(longest, np.int32)
    for k in range(runs.shape[0]):
        row = smoothed[runs[k, 0] - y0, runs[k, 1] - x0 : runs[k, 2] - x0]
        for x in range(row.size):
            line[x] = np.int32(np.sqrt(max(row[x], np.float32(0.0))) * scale)
        for x in range(row.size):
            counts[line[x]] += 1
    first = np.full(5, np.float32(np.inf), np.float32)
    held, k = 0, 0
    for level in range(_LEVELS - 1, -1, -1):
        held += counts[level]
        while k < 5 and held >= AREAS[k] * number:
            first[k] = (level / scale) ** 2 * (1.0 - 1e-6)
            k += 1
    sums = np.zeros((5, 6), np.float64)
    middle = smoothed.shape[1] // 2
    for run in range(runs.shape[0]):
        y, start = runs[run, 0] - y0, runs[run, 1] - x0
        row = smoothed[y, start : runs[run, 2] - x0]
        offset = np.int32(start - middle)
        for k in range(4, -1, -1):
            bound, total = first[k], sums[k]
            n, sx, sxx = np.float32(0.0), np.float32(0.0), np.float32(0.0)
            for x in range(row.size):
                place = np.float32(offset + np.int32(x))
                weight = np.float32(1.0) if row[x] >= bound else np.float32(0.0)
                n += weight
                sx += weight * place
                sxx += weight * place * place
            count, line_x = float(n), float(sx)
            if count == 0.0:
                break
            total[0] += count
            total[1] += count * y
            total[2] += line_x
            total[3] += count * y * y
            total[4] += float(sxx)
            total[5] += line_x * y
    for k in range(5):
        n = sums[k, 0]
        if n < 3.0:
            continue
        my, mx = sums[k, 1] / n, sums[k, 2] / n
        # Add the variance of a square pixel.
        yy = sums[k, 3] / n - my * my + 1.0 / 12.0
        xx = sums[k, 4] / n - mx * mx + 1.0 / 12.0
        xy = sums[k, 5] / n - mx * my
        half = np.hypot(0.5 * (xx - yy), xy)
        minor, major = max(0.5 * (xx + yy) - half, 1e-6), 0.5 * (xx + yy) + half
        q = np.sqrt(minor / major)
        angle = np.arctan2(2.0 * xy, xx - yy)
        result[k, 0] = (1.0 - q) / (1.0 + q) * np.cos(angle)
        result[k, 1] = (1.0 - q) / (1.0 + q) * np.sin(angle)
        result[k, 2], result[k, 3] = my, mx + middle
    return result


@kernel
def isophote_changes(ellipses: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return five ellipticities ``1 - q``, the twist, the change and the drift, shape (8,).

    The twist is the angle between the major axes of the two inner and the two outer isophotes,
    0 to pi/2, in radians; 0 if either pair is round to within 0.01. The change is the largest
    distance between two ellipticities in the plane of their components. The drift is the largest
    distance between two centres over `radius`.
    """
    result = np.zeros(8, np.float64)
    for k in range(5):
        e = np.hypot(ellipses[k, 0], ellipses[k, 1])
        result[k] = 1.0 - (1.0 - e) / (1.0 + e)
        for j in range(k):
            change = np.hypot(ellipses[k, 0] - ellipses[j, 0], ellipses[k, 1] - ellipses[j, 1])
            drift = np.hypot(ellipses[k, 2] - ellipses[j, 2], ellipses[k, 3] - ellipses[j, 3])
            result[6] = max(result[6], change)
            result[7] = max(result[7], drift / max(radius, 1.0))
    inner, outer = ellipses[0] + ellipses[1], ellipses[3] + ellipses[4]
    if min(np.hypot(inner[0], inner[1]), np.hypot(outer[0], outer[1])) > 0.02:
        angle = np.arctan2(
            inner[0] * outer[1] - inner[1] * outer[0], inner[0] * outer[0] + inner[1] * outer[1]
        )
        result[5] = 0.5 * abs(angle)
    return result


@kernel
def mean_profile(curve: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Return the mean brightness of rings two pixels wide, in steps of half a pixel in radius."""
    number = int(2.0 * limit) + 3
    profile = np.zeros(number, np.float64)
    last = curve.shape[1] - 1
    mean = 0.0
    for k in range(number):
        centre = k * STEPS // 2
        low, high = min(max(centre - STEPS, 0), last), min(centre + STEPS, last)
        area = curve[1, high] - curve[1, low]
        if area > 1e-3:
            mean = (curve[0, high] - curve[0, low]) / area
        profile[k] = mean
    return profile


@kernel
def leftovers(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    smoothed: NDArray[np.float32],
    box: tuple[int, int, int, int],
    ellipse: tuple[float, float, float, float],
    radii: tuple[float, float],
    profile: NDArray[np.float64],
    model: NDArray[np.float64],
    variance: float,
    gain: float,
) -> NDArray[np.float64]:
    """Return residuals of models in the Petrosian ellipse and the minor-axis profile, shape (8,).

    Parameters
    ----------
    image, mask : ndarray, shape (H, W)
    smoothed : ndarray of float32
        Means of 3×3 pixels in `box`.
    ellipse : tuple of float
        Centre (y, x), axis ratio and position angle.
    radii : tuple of float
        Semi-major axes of the half-light and the Petrosian ellipse.
    profile, model : ndarray of float64
        Mean and Sérsic brightness in steps of half a pixel in radius.
    variance, gain : float
        Variance of the sky; electrons per unit of the image.

    Returns
    -------
    ndarray of float64
        The residual fraction of the Sérsic model (Hoyos et al. 2011); the light above the mean
        profile and above the half-turned image outside the half-light ellipse, over all light,
        summed where the smoothed image exceeds them by the sky's noise; four steps of the
        minor-axis profile over the mean brightness; and the excess of the height of the light
        in the middle over that of the disc on both sides. Zeros without light.
    """
    yc, xc, q, pa = ellipse
    half, limit = radii
    y0, y1, x0, x1 = box
    c, s = np.cos(pa), np.sin(pa)
    noise = np.sqrt(variance)
    fy, fx = int(np.rint(2.0 * yc)) - 2 * y0, int(np.rint(2.0 * xc)) - 2 * x0
    reach_y = limit * np.sqrt(s * s + q * q * c * c)
    light, number, rest, expected, tides, turned = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    steps, counts = np.zeros(4), np.zeros(4)
    middle, middle_light, disc, disc_light = 0.0, 0.0, 0.0, 0.0
    flat = 1.0 / (q * q)
    a, b, d = c * c + s * s * flat, c * s * (1.0 - flat), s * s + c * c * flat
    for y in range(max(y0, int(yc - reach_y)), min(y1, int(yc + reach_y) + 2)):
        dy = y - yc
        root = b * b * dy * dy - a * (d * dy * dy - limit * limit)
        if root < 0.0:
            continue
        centre, chord = xc - b * dy / a, np.sqrt(root) / a
        other = fy - (y - y0)
        inside = 0 <= other < y1 - y0
        for x in range(max(x0, int(np.ceil(centre - chord))), min(x1, int(centre + chord) + 1)):
            if mask[y, x]:
                continue
            dx = x - xc
            u, v = dx * c + dy * s, dy * c - dx * s
            radius = np.sqrt(u * u + flat * v * v)
            if radius > limit:
                continue
            place = 2.0 * radius
            k = int(place)
            part = place - k
            value = float(image[y, x])
            fitted = model[k] + part * (model[k + 1] - model[k])
            light += value
            number += 1.0
            rest += abs(value - fitted)
            expected += np.sqrt(variance + abs(fitted) / gain)
            if radius > half:
                soft = float(smoothed[y - y0, x - x0])
                above = soft - (profile[k] + part * (profile[k + 1] - profile[k]))
                if above > noise:
                    tides += above
                mirror = fx - (x - x0)
                if inside and 0 <= mirror < x1 - x0:
                    above = soft - float(smoothed[other, mirror])
                    if above > noise:
                        turned += above
            height, along = abs(v), abs(u)
            if along < 0.15 * limit:
                middle += value * height
                middle_light += value
                for j in range(4):
                    if MINOR_STEPS[j] * limit <= height < MINOR_STEPS[j + 1] * limit:
                        steps[j] += value
                        counts[j] += 1.0
            elif 0.25 * limit < along < 0.6 * limit:
                disc += value * height
                disc_light += value
    result = np.zeros(8, np.float64)
    if light <= 0.0:
        return result
    # The mean absolute deviation of a normal distribution is 0.8 standard deviations.
    result[0] = (rest - 0.8 * expected) / light
    result[1] = tides / light
    result[2] = turned / light
    for j in range(4):
        result[3 + j] = steps[j] / max(counts[j], 1.0) / (light / number)
    if middle_light > 0.0 and disc_light > 0.0 and disc > 0.0:
        result[7] = min(max((middle / middle_light) / (disc / disc_light) - 1.0, -1.0), 9.0)
    return result
