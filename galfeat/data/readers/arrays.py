"""Images in memory as a data set."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue, build_catalogue
from galfeat.data.catalogue.labels import find_column
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.limits import MAX_CLASSES, Budget, listed
from galfeat.data.readers.pixels import check_stack, full_scale_of, rgb_or_error
from galfeat.errors import DataError, ImageError

IMAGE_NAMES = ("images", "image", "x", "X")


class InMemoryDataSet(DataSet):
    """Images in memory and their catalogue."""

    def __init__(self, images: NDArray[Any] | Sequence[NDArray[Any]], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._images = images
        self._full_scale: float | None = None

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Convert images to RGB; see `DataSet.read`."""
        if self._full_scale is None:
            integers = isinstance(self._images, np.ndarray) and self._images.dtype.kind != "f"
            self._full_scale = 1.0 if integers else full_scale_of(self._images)
        return [
            rgb_or_error(self._images[row], full_scale=self._full_scale)
            for row in row_numbers(rows, len(self))
        ]


class ArrayDataSet(InMemoryDataSet):
    """Images in memory, of one size or of several sizes.

    Parameters
    ----------
    images : ndarray or sequence of ndarray
        Shape (n, H, W, 3), (n, 3, H, W), or (n, H, W) for grey; or a list of (H, W, 3), (3, H, W)
        or (H, W) arrays. Types as in `galfeat.data.readers.pixels.to_rgb`, floats in 0 to 1 or,
        as `galfeat.data.readers.pixels.full_scale_of` finds, 0 to 255; an image of another shape
        or type becomes an `ImageError` in its row when it is read. An `ImageError` in a list, as
        `DataSet.read` returns it, is kept in its row.
    labels : array_like, shape (n,), (n, 1) or (n, k), optional
        Integers (negative: no label) or text (empty: no label); or k columns of 0 and 1, at most
        one of which is 1 in each row (one-hot).
    class_names : sequence of str, optional
        Names of the classes 0, 1, ... when labels are integers.
    groups, ids : array_like of str, shape (n,), optional
        `ids` are row numbers by default.

    Raises
    ------
    DataError
        If an array of images has another shape or type, or the lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet
    >>> data = ArrayDataSet(np.zeros((3, 16, 16, 3), np.uint8), labels=["a", "b", "a"])
    >>> len(data), data.class_names, data.labels.tolist()
    (3, ('a', 'b'), [0, 1, 0])
    """

    def __init__(
        self,
        images: NDArray[Any] | Sequence[NDArray[Any]],
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        *,
        groups: ArrayLike | None = None,
        ids: ArrayLike | None = None,
    ) -> None:
        if isinstance(images, np.ndarray):
            check_stack("the array of images", images.shape, images.dtype)
        columns = {
            name: one_per_row(name, np.asarray(values), len(images), labels=name == "label")
            for name, values in {"label": labels, "group_id": groups}.items()
            if values is not None
        }
        names = np.arange(len(images)) if ids is None else np.asarray(ids)
        if names.shape != (len(images),):
            raise DataError(f"{names.size} ids for {len(images)} images; give one id per image")
        catalogue = build_catalogue(
            names.astype(np.str_),
            columns,
            columns.__getitem__,
            label=None if labels is None else "label",
            class_names=class_names,
        )
        super().__init__(images, catalogue)


def one_per_row(name: str, values: NDArray[Any], rows: int, *, labels: bool) -> NDArray[Any]:
    """Return a column of shape (n,) from one of shape (n,) or (n, 1), or labels of shape (n, k).

    In one-hot labels the position of the 1 is the value, and -1 without one. Other shapes are
    returned unchanged.

    Raises
    ------
    DataError
        If there are k columns and a row has other values than 0 and 1, or several ones.
    """
    if values.shape == (rows, 1):
        return values[:, 0]
    if values.ndim < 2 or not is_column(values.shape, rows, labels=labels):
        return values
    ones = values == 1 if values.dtype.kind in "biuf" else np.zeros(values.shape, bool)
    if not (ones | (values == 0)).all() or (ones.sum(axis=1) > 1).any():
        raise DataError(
            f"column {name!r} has shape {values.shape} but is not one-hot: some rows have values "
            "other than 0 and a single 1, such as fractions of votes; expected one class per image"
        )
    return np.where(ones.any(axis=1), ones.argmax(axis=1), -1)


def is_column(shape: tuple[int, ...] | None, rows: int, *, labels: bool) -> bool:
    """Return whether a column of this shape has one value per row; labels may be one-hot."""
    if shape is None or shape[:1] != (rows,):
        return False
    classes = range(1, MAX_CLASSES + 1) if labels else (1,)
    return len(shape) == 1 or (len(shape) == 2 and shape[1] in classes)


def find_images(name: str | None, available: Collection[str], path: Path) -> str:
    """Return the name of the array of images: `name`, or the first usual name that exists."""
    if name is not None:
        return find_column(name, available)
    usual = next((candidate for candidate in IMAGE_NAMES if candidate in available), None)
    if usual is None:
        raise DataError(
            f"{path} holds no 'images'; it holds {listed(available, 'nothing')}: "
            "specify the array of images with --images"
        )
    return usual


def number_rows(count: int, budget: Budget) -> NDArray[np.str_]:
    """Return the numbers of rows from 0 as text."""
    budget.take(count * np.dtype("U21").itemsize, f"the numbers of {count:,} images")
    return np.arange(count).astype(np.str_)
