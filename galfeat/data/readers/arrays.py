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
from galfeat.data.limits import Budget, listed
from galfeat.data.readers.pixels import check_stack, rgb_or_error
from galfeat.errors import DataError, ImageError

IMAGE_NAMES = ("images", "image", "x", "X")


class InMemoryDataSet(DataSet):
    """Images in memory and their catalogue."""

    def __init__(self, images: NDArray[Any] | Sequence[NDArray[Any]], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._images = images

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Convert images to RGB; see `DataSet.read`."""
        return [rgb_or_error(self._images[row]) for row in row_numbers(rows, len(self))]


class ArrayDataSet(InMemoryDataSet):
    """Images in memory, of one size or of several sizes.

    Parameters
    ----------
    images : ndarray or sequence of ndarray
        Shape (n, H, W, 3), or (n, H, W) for grey; or a list of (H, W, 3) or (H, W)
        arrays. Types as in `galfeat.data.readers.pixels.to_rgb`; an image of another shape or
        type becomes an `ImageError` in its row when it is read. An `ImageError` in a list, as
        `DataSet.read` returns it, is kept in its row.
    labels : array_like, shape (n,), optional
        Integers (negative: no label) or text (empty: no label).
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
            name: np.asarray(values)
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
