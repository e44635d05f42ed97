"""Images in memory as a data set."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue, build_catalogue
from galfeat.data.catalogue.labels import find_column
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.readers.pixels import check_stack, rgb_or_error
from galfeat.errors import DataError, ImageError

IMAGE_NAMES = ("images", "image", "x", "X")


class _InMemory(DataSet):
    """Images in memory and their catalogue."""

    def __init__(self, images: NDArray[Any] | Sequence[NDArray[Any]], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._images = images

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Convert images to RGB; see `DataSet.read`."""
        return [rgb_or_error(self._images[row]) for row in row_numbers(rows, len(self))]


class ArrayDataSet(_InMemory):
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


def open_npz(path: Path, *, label: str | None = None, images: str | None = None) -> DataSet:
    """Read a ``.npz`` file into memory.

    Arrays have the names of the data sets in an HDF5 file, see `galfeat.data.readers.hdf5`;
    ``class_names`` may be an array of text.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from galfeat.data.readers import open_npz
    >>> np.savez("galaxies.npz", images=np.zeros((3, 16, 16, 3), np.uint8), ans=[0, 1, 0])
    >>> len(open_npz(Path("galaxies.npz")))
    3
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is not a complete .npz file of plain arrays ({error})") from error
    name = find_images(images, arrays, path)
    pixels = arrays[name]
    check_stack(f"{name!r} in {path}", pixels.shape, pixels.dtype)
    class_names = [str(value) for value in arrays.pop("class_names", ())] or None
    catalogue = build_catalogue(
        np.arange(len(pixels)).astype(np.str_),
        arrays,
        arrays.__getitem__,
        label=label,
        class_names=class_names,
    )
    return _InMemory(pixels, catalogue)


def find_images(name: str | None, available: Sequence[str] | dict[str, Any], path: Path) -> str:
    """Return the name of the array of images: `name`, or the first usual name that exists."""
    if name is not None:
        return find_column(name, list(available))
    usual = next((candidate for candidate in IMAGE_NAMES if candidate in available), None)
    if usual is None:
        raise DataError(
            f"{path} holds no 'images'; it holds {', '.join(available) or 'nothing'}: "
            "specify the array of images with --images"
        )
    return usual
