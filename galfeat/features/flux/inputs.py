"""Check the arrays that are given for a measurement, and choose the sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.errors import DataError, ImageError
from galfeat.features.flux.stamp import label_boxes

_MAX_LABEL = 2**31 - 1
#: Numbers of sources up to this are looked up in an array.
_DENSE = 2**20
#: A position farther from a source than this, in pixels, belongs to none.
_REACH = 3.0
#: A source farther from the centre, relative to the smaller side of the image, is not central.
_CENTRE = 0.05


def checked_image(image: ArrayLike) -> NDArray[np.floating]:
    """Return an image as float32 or float64 in native byte order.

    Raises
    ------
    ImageError
        If it is not an image of flux of one band.
    """
    values = np.asarray(image)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or 0 in values.shape:
        raise ImageError(
            f"the image has shape {values.shape}; expected one band, (H, W) or (1, H, W): measure "
            "the bands one by one"
        )
    if values.dtype == np.uint8:
        raise ImageError(
            "the image has 8 bits per pixel, as display images have; expected linear flux: pass "
            "the flux, or convert the image to float if its values are proportional to flux"
        )
    if values.dtype.kind not in "fiu":
        raise ImageError(f"the image has type {values.dtype}; expected numbers: pass linear flux")
    kind = np.float32 if values.dtype.kind == "f" and values.dtype.itemsize <= 4 else np.float64
    return np.ascontiguousarray(values, dtype=kind)


def checked_map(values: ArrayLike | None, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """Return an array of the shape of the image; zeros if there is none.

    Raises
    ------
    ImageError
        If the shape differs, or it does not contain numbers.
    """
    if values is None:
        return np.zeros(shape, bool)
    array = np.asarray(values)
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.shape != shape:
        raise ImageError(
            f"the {name} has shape {array.shape}; expected that of the image, {shape}: cut both "
            "out alike"
        )
    if array.dtype.kind not in "fiub":
        raise ImageError(f"the {name} has type {array.dtype}; expected numbers")
    return array


def checked_segmentation(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return a segmentation as int32.

    Raises
    ------
    ImageError
        If the shape differs, or the values are not whole numbers from 0 to 2,147,483,647.
    """
    array = checked_map(values, shape, "segmentation")
    if array.dtype.kind == "f" and not np.all(np.isfinite(array) & (array == np.rint(array))):
        raise ImageError(
            "the segmentation contains fractions, NaN or inf; expected whole numbers, 0 for the sky"
        )
    low, high = array.min(), array.max()
    if low < 0 or high > _MAX_LABEL:
        raise ImageError(
            f"the segmentation contains values from {low} to {high}; expected 0 to {_MAX_LABEL}"
        )
    return np.ascontiguousarray(array, dtype=np.int32)


def checked_psf(psf: ArrayLike | None) -> NDArray[np.float64] | None:
    """Return a PSF as float64 of unit sum.

    Raises
    ------
    ImageError
        If it is not a two-dimensional array of finite numbers with a positive sum.
    """
    if psf is None:
        return None
    values = np.asarray(psf)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "fiu":
        raise ImageError(
            f"the PSF has shape {values.shape} and type {values.dtype}; expected numbers, (h, w)"
        )
    values = values.astype(np.float64)
    total = values.sum()
    if not np.isfinite(total) or total <= 0.0:
        raise ImageError(f"the PSF has the sum {total}; expected finite values and a positive sum")
    return np.ascontiguousarray(values / total)


def checked_number(value: float | None, name: str, *, positive: bool = True) -> float | None:
    """Return a finite, positive number, or None.

    Raises
    ------
    DataError
        If it is not.
    """
    if value is None:
        return None
    kind = "a positive, finite number" if positive else "a finite number"
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is {value!r}; expected {kind}") from error
    if not math.isfinite(number) or (positive and number <= 0.0):
        raise DataError(f"{name} is {value}; expected {kind}")
    return number


def checked_noise(
    mask: ArrayLike | None, variance: ArrayLike | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64] | None]:
    """Return the mask, the pixels without a variance, and the variance, 1 where hidden.

    Raises
    ------
    ImageError
        If a shape is wrong, or they hide all pixels.
    """
    hidden = checked_map(mask, shape, "mask").astype(bool)
    unknown = np.zeros(shape, bool)
    if hidden.all():
        raise ImageError(
            "the mask hides all pixels; expected zeros where the image is to be measured"
        )
    if variance is None:
        return hidden, unknown, None
    spread = checked_map(variance, shape, "variance").astype(np.float64)
    unknown = ~(np.isfinite(spread) & (spread > 0.0))
    if unknown.all():
        raise ImageError("the variance has no positive values; expected that of each pixel")
    if (hidden | unknown).all():
        raise ImageError(
            "the mask hides all pixels with a positive variance; expected some to measure"
        )
    return hidden, unknown, np.where(hidden | unknown, 1.0, spread)


def boxes_of(labels: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the sources and their half-open boxes ``y0, y1, x0, x1``."""
    top = int(labels.max(initial=0))
    if top <= _DENSE:
        boxes = label_boxes(labels, top)
        present = np.flatnonzero(boxes[:, 1] > 0)
        return present + 1, boxes[present]
    numbers, inverse = np.unique(labels, return_inverse=True)
    dense = inverse.reshape(labels.shape).astype(np.int32)
    first = 1 if numbers[0] == 0 else 0
    boxes = label_boxes(dense + np.int32(1 - first), len(numbers) - first)
    return numbers[first:].astype(np.int64), boxes


def central(
    labels: NDArray[np.int32], numbers: NDArray[np.int64], boxes: NDArray[np.int64]
) -> list[int]:
    """Return the row of the source at the centre of the image, or of the one nearest to it."""
    if len(numbers) == 0:
        return [-1]
    y, x = (labels.shape[0] - 1) / 2.0, (labels.shape[1] - 1) / 2.0
    there = labels[labels.shape[0] // 2, labels.shape[1] // 2]
    if there > 0:
        return [int(np.searchsorted(numbers, there))]
    gap_y = np.maximum(np.maximum(boxes[:, 0] - y, y - (boxes[:, 1] - 1)), 0.0)
    gap_x = np.maximum(np.maximum(boxes[:, 2] - x, x - (boxes[:, 3] - 1)), 0.0)
    return [int(np.argmin(np.hypot(gap_y, gap_x)))]


def is_central(labels: NDArray[np.int32], number: int) -> bool:
    """Return whether a source has pixels within 3 px of the centre, or 5 % of the smaller side."""
    height, width = labels.shape
    y, x = (height - 1) / 2.0, (width - 1) / 2.0
    reach = max(_REACH, _CENTRE * min(height, width))
    y0, x0 = max(math.ceil(y - reach), 0), max(math.ceil(x - reach), 0)
    near = labels[y0 : int(y + reach) + 1, x0 : int(x + reach) + 1]
    ys, xs = np.nonzero(near == number)
    return bool(np.any(np.hypot(ys + y0 - y, xs + x0 - x) <= reach))


def outside(positions: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which positions, columns and rows, are outside an image."""
    x, y = np.asarray(positions, dtype=np.float64).reshape(-1, 2).T
    inside = (x >= -0.5) & (x < shape[1] - 0.5) & (y >= -0.5) & (y < shape[0] - 0.5)
    return np.asarray(~inside & np.isfinite(x) & np.isfinite(y))


def chosen(numbers: NDArray[np.int64], wanted: str | Sequence[int] | None) -> list[int]:
    """Return the rows of sources by number; all if none are named.

    Raises
    ------
    DataError
        If a number is not in the segmentation.
    """
    if wanted is None:
        return list(range(len(numbers)))
    if isinstance(wanted, str):
        raise DataError(f"sources is {wanted!r}; expected 'central', 'all' or numbers")
    rows = []
    for number in wanted:
        row = int(np.searchsorted(numbers, number))
        if row >= len(numbers) or numbers[row] != number:
            listed = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
            raise DataError(
                f"source {number} is not in the segmentation; it contains {listed or 'none'}"
            )
        rows.append(row)
    return rows


def nearest(
    labels: NDArray[np.int32], numbers: NDArray[np.int64], positions: ArrayLike
) -> list[int]:
    """Return the row of the source at each position, -1 where there is none within 3 px.

    Raises
    ------
    ImageError
        If the positions are not pairs of column and row.
    """
    points = np.asarray(positions, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ImageError(
            f"the positions have shape {points.shape}; expected (n, 2), columns and rows"
        )
    rows = []
    height, width = labels.shape
    for x, y in points:
        if not (np.isfinite(x) and np.isfinite(y)):
            rows.append(-1)
            continue
        y0, y1 = max(int(y - _REACH), 0), min(int(y + _REACH) + 2, height)
        x0, x1 = max(int(x - _REACH), 0), min(int(x + _REACH) + 2, width)
        near = labels[y0:y1, x0:x1] if y1 > y0 and x1 > x0 else labels[:0, :0]
        ys, xs = np.nonzero(near)
        distances = np.hypot(ys + y0 - y, xs + x0 - x)
        if len(ys) == 0 or distances.min() > _REACH:
            rows.append(-1)
            continue
        k = int(np.argmin(distances))
        rows.append(int(np.searchsorted(numbers, near[ys[k], xs[k]])))
    return rows
