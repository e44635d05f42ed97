"""Write images to HDF5 files in compressed chunks, block by block."""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError, ImageError
from galfeat.storage.atomic import atomic_file
from galfeat.storage.cells import valid_text
from galfeat.storage.deferred import DeferredErrorFile

if TYPE_CHECKING:
    import h5py

    from galfeat.data.dataset import DataSet, Progress

#: Number of images read and written at a time.
BLOCK = 64
#: Maximum width and height of images that are scaled.
MAX_SIZE = 4096
#: Compression levels of a packed file and of the published layout.
FAST, PUBLISHED = 1, 4
#: The chunks of the published Galaxy10 DECaLS file, which h5py chose for its shape.
PUBLISHED_CHUNKS = (555, 16, 16, 1)


def pack(
    data: DataSet,
    path: str | Path,
    *,
    size: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[int, ImageError]:
    """Write a data set to an HDF5 file from which single images are read fast.

    Each image is a gzip-compressed chunk. Pixels, labels, class names, groups, sources and
    positions are kept, and the ids as ``original_id``. Memory does not depend on the number of
    images.

    Parameters
    ----------
    data : DataSet
        n images of equal size, or of any sizes if `size` is given.
    path : str or Path
        The file, written atomically.
    size : int, optional
        Width and height of the written images, in pixels, at least 1. Others are cut to a square
        around the centre and scaled by bicubic interpolation, so their pixel scale changes.
    jobs : int
        Number of threads that decode and compress.
    progress : callable, optional
        Called with the number of images done and n.

    Returns
    -------
    dict
        Errors of the unreadable rows, which are left out, by row number.

    Raises
    ------
    DataError
        If no image can be read, the images differ in size and `size` is not given, or it is out
        of range.
    OutputError
        If `path` cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet, open_dataset, pack
    >>> data = ArrayDataSet(np.zeros((3, 16, 16, 3), np.uint8), labels=["a", "b", "a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     errors = pack(data, f"{folder}/packed.h5")
    ...     open_dataset(f"{folder}/packed.h5").labels.tolist(), errors
    ([0, 1, 0], {})
    """
    if size is not None and not 1 <= size <= MAX_SIZE:
        raise DataError(f"a size of {size} pixels; expected 1 to {MAX_SIZE:,}")
    errors: dict[int, ImageError] = {}
    with hdf5_file(path) as (file, check):
        images: ChunkedWriter | None = None
        kept: list[int] = []
        for rows, results in data.batches(BLOCK, jobs=jobs):
            readable = []
            for row, result in zip(rows.tolist(), results, strict=True):
                if isinstance(result, ImageError):
                    errors[row] = result
                else:
                    readable.append(result if size is None else _resized(result, size))
                    kept.append(row)
            if readable:
                if images is None:
                    shape = readable[0].shape
                    images = ChunkedWriter(file, (len(data), *shape), (1, *shape), FAST, jobs)
                _check_sizes(
                    readable, images.shape[1:], Path(path), data.ids[kept[-len(readable) :]]
                )
                images.write(len(kept) - len(readable), np.stack(readable))
                check()
            if progress is not None:
                progress(int(rows[-1]) + 1, len(data))
        if images is None:
            raise DataError("the data set has no readable image to pack; see `galfeat data info`")
        images.shorten(len(kept))
        write_metadata(file, data.select(kept))
    return errors


def _check_sizes(
    images: list[NDArray[np.uint8]], expected: tuple[int, ...], path: Path, ids: NDArray[np.str_]
) -> None:
    for image, name in zip(images, ids, strict=True):
        if image.shape != expected:
            height, width = image.shape[:2]
            raise DataError(
                f"the images differ in size ({expected[1]}×{expected[0]} and {width}×{height} "
                f"pixels, the first of these {name}), but {path.name} needs one size; scale them "
                f"with --size {min(expected[:2])}, or keep image files of several sizes, which "
                "are read fast as they are"
            )


def _resized(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Cut an image to a square around its centre and scale it, unless it has the size."""
    from PIL import Image, ImageOps

    if image.shape[:2] == (size, size):
        return image
    return np.asarray(ImageOps.fit(Image.fromarray(image), (size, size), Image.Resampling.BICUBIC))


def metadata_columns(data: DataSet) -> dict[str, NDArray[np.generic]]:
    """Return the known columns of a data set other than its labels."""
    columns: dict[str, NDArray[np.generic] | None] = {
        "original_id": data.ids,
        "group_id": data.groups,
        "source": data.sources,
        "ra": data.ra,
        "dec": data.dec,
    }
    return {name: values for name, values in columns.items() if values is not None}


def write_metadata(file: h5py.File, data: DataSet) -> None:
    """Write the columns of a data set, and its labels with the names of their classes."""
    for name, values in metadata_columns(data).items():
        text = values.dtype.kind in "UO"
        file[name] = [valid_text(str(value)) for value in values] if text else values
    if data.label_column is not None:
        for name in dict.fromkeys(("ans", data.label_column)):
            file[name] = data.labels
            file[name].attrs["class_names"] = [valid_text(name) for name in data.class_names]


class ContiguousWriter:
    """The uncompressed data set ``images`` of a file.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    shape : tuple of int, length 4
        Of the data set, (n, H, W, 3).
    """

    def __init__(self, file: h5py.File, shape: tuple[int, ...]) -> None:
        self._images = file.create_dataset("images", shape, dtype=np.uint8)

    def write(self, start: int, block: NDArray[np.uint8]) -> None:
        """Write consecutive images, shape (k, H, W, 3), from a row on."""
        self._images[start : start + len(block)] = block


class ChunkedWriter:
    """The data set ``images`` of a file, compressed with gzip by several threads.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    shape, chunks : tuple of int, length 4
        Of the data set, (n, H, W, 3), and of a chunk, which is cut to the data set.
    level : int
        gzip compression level, 0 to 9.
    jobs : int
        Number of threads; the file does not depend on it.
    """

    def __init__(
        self,
        file: h5py.File,
        shape: tuple[int, ...],
        chunks: tuple[int, ...],
        level: int,
        jobs: int = 1,
    ) -> None:
        chunks = tuple(map(min, chunks, shape))
        self._images = file.create_dataset(
            "images", shape, dtype=np.uint8, chunks=chunks, maxshape=shape,
            compression="gzip", compression_opts=level,
        )  # fmt: skip
        self.shape, self._level, self._jobs = shape, level, jobs

    def write(self, start: int, block: NDArray[np.uint8]) -> None:
        """Write consecutive images.

        Parameters
        ----------
        start : int
            Row of the first image, a multiple of the chunks' number of images.
        block : ndarray of uint8, shape (k, H, W, 3)
            Whole rows of chunks, unless they end the data set.
        """
        chunks = self._images.chunks
        corners = list(itertools.product(*map(range, [0] * 4, block.shape, chunks)))
        with ThreadPoolExecutor(self._jobs) as pool:
            packed = pool.map(partial(_compressed, block, chunks, self._level), corners)
            for (row, *rest), content in zip(corners, packed, strict=True):
                self._images.id.write_direct_chunk((start + row, *rest), content)

    def shorten(self, n: int) -> None:
        """Keep the first n images only."""
        if n < len(self._images):
            self._images.resize(n, axis=0)


def _compressed(
    block: NDArray[np.uint8], chunks: tuple[int, ...], level: int, corner: tuple[int, ...]
) -> bytes:
    """Return a chunk as HDF5 stores it: beyond the edge of the data set it is zero."""
    part = block[tuple(slice(a, a + side) for a, side in zip(corner, chunks, strict=True))]
    if part.shape != chunks:
        part = np.pad(part, [(0, side - k) for side, k in zip(chunks, part.shape, strict=True)])
    return zlib.compress(part.tobytes(), level)


@contextlib.contextmanager
def hdf5_file(path: str | Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Yield a new HDF5 file, renamed to `path` when the block succeeds, and a check.

    The check raises the first write error so far, such as a full disk: the file stores it,
    because HDF5 cannot close a file after a write error.

    Raises
    ------
    OutputError
        If it cannot be written, for example because the disk is full.
    """
    import h5py

    with (
        atomic_file(path) as temporary,
        DeferredErrorFile(temporary, "r+") as stream,
        h5py.File(stream, "w") as file,
    ):
        yield file, stream.raise_failure
        file.close()
        stream.raise_failure()
