"""Read images from compressed chunks of an HDF5 data set with several threads.

The published Galaxy10 file stores its images in chunks of 555 images by 16 by 16 pixels: every
image touches 768 chunks, and a row of chunks unpacks to 109 MB. HDF5 unpacks chunks one after
another and as a whole. Here chunks are unpacked by several threads, only as far as the last image
asked for, and a row of chunks that is read repeatedly is unpacked once and kept.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock

import h5py
import numpy as np
from numpy.typing import NDArray

#: Maximum memory of a row of chunks, in bytes; larger ones are left to HDF5.
MAX_ROW = 256 * 2**20
_DEFLATE = 1


def unpacks_faster(images: h5py.Dataset) -> bool:
    """Return whether `ChunkedImages` reads a data set faster than HDF5 does.

    True for gzip-compressed chunks without other filters.

    Parameters
    ----------
    images : h5py.Dataset, shape (n, H, W, 3) or (n, H, W)
    """
    if not images.chunks:
        return False
    filters = images.id.get_create_plist()
    only_deflate = filters.get_nfilters() == 1 and filters.get_filter(0)[0] == _DEFLATE
    grid = [-(-length // side) for length, side in zip(images.shape, images.chunks, strict=True)]
    if not only_deflate or images.id.get_num_chunks() < np.prod(grid):
        return False  # chunks that were never written have no bytes to unpack
    row = images.chunks[0] * int(np.prod(images.shape[1:])) * images.dtype.itemsize
    return bool(images.dtype.isnative and row <= MAX_ROW)


class ChunkedImages:
    """Images of a data set for which `unpacks_faster` is true.

    Parameters
    ----------
    images : h5py.Dataset, shape (n, H, W, 3) or (n, H, W)
        Of an open file.
    """

    def __init__(self, images: h5py.Dataset) -> None:
        self._images, self._chunks = images, images.chunks
        self._lock, self._library = Lock(), Lock()
        self._last = -1
        self._kept: NDArray[np.generic] | None = None
        #: The first image that cannot be read, and why, for each damaged row of chunks.
        self._damaged: dict[int, tuple[int, str]] = {}

    def read(self, rows: NDArray[np.intp], jobs: int = 1) -> NDArray[np.generic]:
        """Return images.

        Parameters
        ----------
        rows : ndarray of int, shape (k,)
            Sorted row numbers without repetition.
        jobs : int
            Number of threads that unpack chunks; the result does not depend on it.

        Returns
        -------
        ndarray, shape (k, H, W, 3) or (k, H, W)

        Raises
        ------
        OSError
            If a chunk is damaged.
        """
        result = np.empty((len(rows), *self._images.shape[1:]), self._images.dtype)
        depth = self._chunks[0]
        row_of_chunks = rows // depth
        with self._lock, ThreadPoolExecutor(jobs) as pool:
            if depth == 1:
                # Reading the list to its end raises the first error.
                list(pool.map(self._unpack_image, rows.tolist(), result))
                return result
            for number in np.unique(row_of_chunks):
                chosen = row_of_chunks == number
                within = rows[chosen] - number * depth
                result[chosen] = self._read_row(int(number), within, pool)
        return result

    def _read_row(
        self, number: int, within: NDArray[np.intp], pool: ThreadPoolExecutor
    ) -> NDArray[np.generic]:
        """Return images of a row of chunks.

        All of it is unpacked at its second consecutive use, or at its first if the row before it
        was used repeatedly and images continue in order.
        """
        first_damaged, problem = self._damaged.get(number, (len(self._images), ""))
        if within[-1] >= first_damaged:
            raise OSError(problem)
        in_order = self._kept is not None and number == self._last + 1 and within[0] == 0
        again = number == self._last
        if not again:
            self._kept = None
        if self._kept is None and (again or in_order) and number not in self._damaged:
            depth = min(self._chunks[0], len(self._images) - number * self._chunks[0])
            with contextlib.suppress(OSError):  # it may lie beyond the images asked for
                self._kept = self._unpacked(number, np.arange(depth), pool)
        self._last = number
        return self._unpacked(number, within, pool) if self._kept is None else self._kept[within]

    def _unpacked(
        self, number: int, within: NDArray[np.intp], pool: ThreadPoolExecutor
    ) -> NDArray[np.generic]:
        block = np.empty((len(within), *self._images.shape[1:]), self._images.dtype)
        starts = range(0, block.shape[1], self._chunks[1])
        try:
            list(pool.map(partial(self._unpack_strip, number, within, block), starts))
        except OSError as error:
            self._damaged[number] = int(within[-1]), str(error)
            raise
        return block

    def _unpack_image(self, row: int, image: NDArray[np.generic]) -> None:
        """Unpack an image that shares its chunks with no other one."""
        for start in range(0, len(image), self._chunks[1]):
            self._unpack_strip(row, np.arange(1), image[np.newaxis], start)

    def _unpack_strip(
        self, number: int, within: NDArray[np.intp], block: NDArray[np.generic], start: int
    ) -> None:
        """Unpack the chunks with the same rows of pixels into a block of images.

        They are put together in memory that fits the processor's cache, since patches are
        scattered in single bytes.
        """
        height, *sides = self._chunks[1:]
        strip = np.empty_like(block[:, start : start + height])
        for corner in itertools.product(*map(range, itertools.repeat(0), strip.shape[2:], sides)):
            edges = zip(corner, sides, strict=True)
            place = (slice(a, a + side) for a, side in edges)
            target = strip[(slice(None), slice(None), *place)]
            self._unpack(number, within, (start, *corner), target)
        block[:, start : start + height] = strip

    def _unpack(
        self,
        number: int,
        within: NDArray[np.intp],
        corner: tuple[int, ...],
        target: NDArray[np.generic],
    ) -> None:
        """Copy the patches of one chunk, without those beyond the edge of the image."""
        depth, *sides = self._chunks
        needed = (int(within[-1]) + 1) * math.prod(sides) * target.itemsize
        with self._library:  # old HDF5 libraries fail if several threads ask at once
            skipped_filters, packed = self._images.id.read_direct_chunk((number * depth, *corner))
        try:
            content = packed if skipped_filters else zlib.decompressobj().decompress(packed, needed)
        except zlib.error as error:
            raise OSError(f"a chunk cannot be unpacked: {error}") from error
        if len(content) < needed:
            raise OSError("a chunk is shorter than its shape")
        patches = np.frombuffer(content, target.dtype, needed // target.itemsize)
        patches = patches.reshape(-1, *sides)
        if len(within) < len(patches):
            patches = patches[within]
        target[...] = patches[(slice(None), *map(slice, target.shape[1:]))]
