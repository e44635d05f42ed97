"""Images in the forms Python users have: paths, PIL images, arrays, data sets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Pillow

from galfeat.data.catalogue.catalogue import Catalogue
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.readers.arrays import ArrayDataSet
from galfeat.data.readers.decode import decode_picture
from galfeat.data.readers.opening import open_dataset
from galfeat.data.readers.pixels import TOO_LARGE, check_form
from galfeat.errors import DataError, ImageError

OneImage: TypeAlias = str | Path | Pillow.Image | NDArray[Any]
Images: TypeAlias = DataSet | OneImage | Sequence[OneImage] | ArrayLike

EXPECTED = (
    "expected a path, a PIL image, an array (H, W, 3), (H, W) or (n, H, W, 3), "
    "a list of one of these kinds, or a data set"
)
# An array of three axes is one image up to this length of the last; grey images are wider.
_MOST_CHANNELS = 4


def as_dataset(X: Images) -> DataSet:
    """Return images in any form as a data set.

    Parameters
    ----------
    X : path, PIL image, array, list of these, or DataSet
        One image or several:

        - str or Path: anything that `open_dataset` opens, such as an image, a pattern, a
          folder, ``labels.csv``, HDF5 or ``.npz``.
        - PIL image: of any mode, with the same pixels as if read from a file; see
          `galfeat.data.readers.decode.decode_file`.
        - array: one image, shape (H, W, 3) or (H, W), or a stack, shape (n, H, W, 3),
          (n, 3, H, W) or (n, H, W). With three axes it is one image if the last has a length of
          at most 4 (channels), and a stack of grey images otherwise; (3, H, W) may be either and
          is an error. Types as in `galfeat.data.readers.pixels.to_rgb`; floats in 0 to 1, or in
          0 to 255 if the brightest is at least 128.
        - list, tuple, array or table column of paths, of PIL images, or of arrays of any
          sizes, (H, W, 3), (3, H, W) or (H, W). All items have the same kind. One that cannot be
          read becomes an `ImageError` in its row; `DataSet.read` returns such lists.
        - DataSet: returned unchanged.

    Returns
    -------
    DataSet
        With one row for a single image. Opened data sets have ids, labels and groups; the ids
        of other images are their row numbers.

    Raises
    ------
    ImageError
        If a single array is not an image.
    DataError
        If a path does not exist, X is empty, its items differ in kind, an array has the shape
        (3, H, W), or it is anything else.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import as_dataset
    >>> len(as_dataset(np.zeros((64, 64, 3), np.uint8)))
    1
    >>> len(as_dataset([np.zeros((64, 64), np.uint8), np.zeros((80, 90, 3), np.uint8)]))
    2
    """
    if isinstance(X, DataSet):
        return X
    if isinstance(X, str | os.PathLike):
        return open_dataset(X)
    if isinstance(X, Pillow.Image):
        return PictureDataSet([X])
    if hasattr(X, "columns"):
        raise DataError(
            f"a table ({type(X).__name__}) was given as images; {EXPECTED}: pass its column of "
            "image paths"
        )
    if isinstance(X, list | tuple):
        return _from_items(X)
    if hasattr(X, "__array__") and not isinstance(X, np.generic):
        return _from_array(np.asarray(X))
    raise DataError(f"{_described(X)} was given as images; {EXPECTED}{_advice(X)}")


class PictureDataSet(DataSet):
    """PIL images in memory.

    Parameters
    ----------
    pictures : sequence of PIL.Image.Image
        Decoded when they are read; one that is damaged becomes an `ImageError`.
    """

    def __init__(self, pictures: Sequence[Pillow.Image]) -> None:
        n = len(pictures)
        super().__init__(Catalogue(np.arange(n).astype(np.str_), np.full(n, -1)))
        self._pictures = list(pictures)

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Convert pictures to RGB; see `DataSet.read`."""
        # Single-threaded, because PIL loads files lazily and a picture may be listed twice.
        return [_pixels_or_error(self._pictures[row]) for row in row_numbers(rows, len(self))]


def _from_array(array: NDArray[Any]) -> DataSet:
    if array.dtype.kind in "OUT" and array.ndim < 2:  # paths, or other objects
        return _from_items(array.tolist()) if array.ndim else as_dataset(array.item())
    if array.ndim < 2:
        raise DataError(
            f"an array of shape {array.shape} and type {array.dtype} was given as images; "
            f"{EXPECTED}"
        )
    if array.ndim == 3 and array.shape[0] == 3 and min(array.shape[1:]) > _MOST_CHANNELS:
        raise DataError(
            f"an array of shape {array.shape} may be one image with channels first or three grey "
            "images; pass array[np.newaxis] for one image, or list(array) for three"
        )
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] <= _MOST_CHANNELS):
        check_form(array.shape, array.dtype)
        return ArrayDataSet(array[np.newaxis])
    return ArrayDataSet(array)


def _from_items(items: Sequence[Any]) -> DataSet:
    if not items:
        raise DataError(f"a {type(items).__name__} without images was given; {EXPECTED}")
    kinds = [_kind(item) for item in items]
    if None in kinds:
        row = kinds.index(None)
        raise DataError(f"item {row} is {_described(items[row])}; {EXPECTED}{_advice(items[row])}")
    other = next((row for row, kind in enumerate(kinds) if kind != kinds[0]), None)
    if other is not None:
        raise DataError(
            f"item 0 is {_described(items[0])} and item {other} is {_described(items[other])}; "
            "expected items of one kind: pass only paths, only PIL images or only arrays"
        )
    if kinds[0] == "path":
        return open_dataset(items)
    return PictureDataSet(items) if kinds[0] == "picture" else ArrayDataSet(items)


def _kind(item: object) -> str | None:
    if isinstance(item, str | os.PathLike):
        return "path"
    if isinstance(item, Pillow.Image):
        return "picture"
    is_array = hasattr(item, "__array__") and not isinstance(item, np.generic)
    # A data set's `read` returns the errors of single images in their place.
    return "array" if is_array or isinstance(item, ImageError) else None


def _described(thing: object) -> str:
    if thing is None:
        return "None"
    if isinstance(thing, bool | int | float | np.number):
        return f"the number {thing}"
    return f"an object of type {type(thing).__name__}"


def _advice(thing: object) -> str:
    if isinstance(thing, bytes | bytearray | memoryview):
        return ": open the bytes of a file with PIL.Image.open(io.BytesIO(...))"
    if isinstance(thing, list | tuple):
        return ": convert nested lists with numpy.asarray"
    if isinstance(thing, dict):
        return ": pass its values as a list"
    if hasattr(thing, "__iter__"):
        return ": make a list of it"
    return ""


def _pixels_or_error(picture: Pillow.Image) -> Image | ImageError:
    try:
        return decode_picture(picture)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError(TOO_LARGE)
