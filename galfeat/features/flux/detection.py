"""Segment an image of linear flux: sky, detection above its noise, and deblending."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from galfeat.features.flux.outline import clipped_level
from galfeat.frame.deblend import MIN_AREA, PEAK, PEAK_X, PEAK_Y, deblend
from galfeat.frame.source import smooth

#: Detection threshold in standard deviations of the smoothed image.
DETECTION = 3.0
#: Minimum peak of an object, in the same unit.
_PEAK = 5.0
#: Detected pixels are grown by this many before the sky is measured again.
_GROWTH = 3
#: Zeros are pixels without data if more than this fraction of an image are.
_BLANK = 0.05
_EIGHT = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Detection:
    """The segments of an image.

    Attributes
    ----------
    labels : ndarray of int32, shape (H, W)
        0 for no object, otherwise its number from 1.
    peaks : ndarray of float64, shape (n, 2)
        Column and row of each object's brightest smoothed pixel.
    sky, noise : float
        Mode and standard deviation of the sky, in the unit of the image.
    usable : ndarray of bool, shape (H, W)
        Pixels with data.
    """

    labels: NDArray[np.int32]
    peaks: NDArray[np.float64]
    sky: float
    noise: float
    usable: NDArray[np.bool_]


def detect(
    image: NDArray[np.floating],
    *,
    mask: NDArray[np.bool_] | None = None,
    threshold: float = DETECTION,
) -> Detection:
    """Detect and deblend the objects in an image.

    The sky is the clipped mode (Bertin & Arnouts 1996) of pixels without objects. The image is
    smoothed with a Gaussian of 1.4 px; pixels above the threshold are divided among their peaks
    as in the canonical frame (see `galfeat.frame.deblend`). Objects of fewer than six pixels, or
    with a peak below five standard deviations, are dropped.

    Parameters
    ----------
    image : ndarray of float, shape (H, W)
        Linear flux. Pixels that are not finite are ignored, and zeros if more than a twentieth of
        the pixels are, as where a survey has no data.
    mask : ndarray of bool, shape (H, W), optional
        Pixels to ignore.
    threshold : float, default 3
        In standard deviations of the smoothed image.

    Returns
    -------
    Detection
        Without objects if the image is flat or has no finite pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.flux.detection import detect
    >>> y, x = np.mgrid[:64, :64]
    >>> noise = np.random.default_rng(0).normal(0.0, 1.0, (64, 64))
    >>> found = detect(50.0 * np.exp(-np.hypot(x - 30, y - 34) / 4.0) + noise)
    >>> found.peaks.round().tolist()
    [[30.0, 34.0]]
    """
    usable = np.isfinite(image)
    blank = image == 0.0
    if np.mean(blank) > _BLANK:
        usable &= ~blank
    if mask is not None:
        usable &= ~mask
    nothing = np.zeros(image.shape, np.int32)
    free = usable
    labels, peaks, sky, noise = nothing, np.empty((0, 2)), 0.0, 0.0
    for _ in range(2):
        if np.count_nonzero(free) < 9:
            break
        sky, noise = _level(image[free])
        if noise <= 0.0:
            break
        scaled = np.where(usable, (image - sky) / noise, 0.0).astype(np.float32)
        soft = smooth(scaled)
        deviation = _level(soft[free])[1]
        labels, peaks = _deblended(soft, usable, threshold * deviation, deviation)
        free = usable & ~ndimage.binary_dilation(labels > 0, _EIGHT, iterations=_GROWTH)
    return Detection(labels, peaks, sky, noise, usable)


def _level(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return mode and deviation of values of any scale."""
    middle = float(np.median(values))
    unit = float(np.max(np.abs(values - middle))) or 1.0
    mode, deviation = clipped_level(((values - middle) / unit).astype(np.float32))
    return middle + unit * mode, unit * deviation


def _deblended(
    soft: NDArray[np.float32], usable: NDArray[np.bool_], threshold: float, noise: float
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return labels and peaks; each connected region is deblended on its own."""
    regions, _ = ndimage.label((soft > threshold) & usable, _EIGHT)
    labels = np.zeros(soft.shape, np.int32)
    peaks: list[NDArray[np.float64]] = []
    number = 0
    for k, box in enumerate(ndimage.find_objects(regions), start=1):
        own = regions[box] == k
        if np.count_nonzero(own) < MIN_AREA:
            continue
        members = np.where(own, soft[box], np.float32(-np.inf))
        parts, objects = deblend(members, threshold, noise)
        kept = objects[:, PEAK] >= _PEAK * noise
        names = np.zeros(len(objects) + 1, np.int32)
        names[1:][kept] = np.arange(number + 1, number + 1 + np.count_nonzero(kept))
        view = labels[box]
        view[parts > 0] = names[parts[parts > 0]]
        corner = np.array([box[1].start, box[0].start])
        peaks.append(objects[kept][:, [PEAK_X, PEAK_Y]] + corner)
        number += int(np.count_nonzero(kept))
    return labels, np.concatenate(peaks) if peaks else np.empty((0, 2))
