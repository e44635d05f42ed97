"""Check the tiles of a compressed FITS image before a library unpacks them.

A tile of kilobytes can unpack to gigabytes, and its header, not its content, states how many
pixels it has.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.data.readers.pixels import check_pixels
from galfeat.errors import ImageError

#: Maximum number of tiles. Writers make one per row, or fewer.
MAX_TILES = 100_000
#: Tiles packed with gzip into at most this many bytes unpack to at most 65 MiB.
HARMLESS = 2**16

_COLUMNS = ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA")
_STEP = 2**20
_HCOMPRESS = struct.Struct(">2sii")
_HCOMPRESS_START = b"\xdd\x99"

_Read = Callable[[int, int], bytes]


def check_tiles(read_at: _Read, table: Any) -> None:  # noqa: ANN401
    """Raise ImageError if the tiles of an image are too many or do not fit their declared size.

    Parameters
    ----------
    read_at : callable
        Returns bytes of the file, from their position and number.
    table : astropy.io.fits.BinTableHDU
        The compressed image as a table.
    """
    cards = table.header
    sizes = [int(cards[f"ZNAXIS{k}"]) for k in range(1, int(cards["ZNAXIS"]) + 1)]
    tile = [
        int(cards.get(f"ZTILE{k}", sizes[0] if k == 1 else 1)) for k in range(1, len(sizes) + 1)
    ]
    if min((*sizes, *tile)) < 1:
        raise ImageError(f"the image has tiles of {tile} pixels; expected positive sizes")
    count = math.prod(-(-size // length) for size, length in zip(sizes, tile, strict=True))
    if count > MAX_TILES:
        raise ImageError(
            f"the image has {count:,} tiles; expected at most {MAX_TILES:,}: compress it in rows"
        )
    check_pixels(math.prod(tile))
    pixels = math.prod(min(size, length) for size, length in zip(sizes, tile, strict=True))
    start = table.fileinfo()["datLoc"]
    rows = _rows(read_at, table, start)
    heap = _Heap(read_at, start + int(cards.get("THEAP", rows.nbytes)), int(cards["PCOUNT"]))
    kind = str(cards.get("ZCMPTYPE", ""))
    for name in _COLUMNS:
        if name not in (rows.dtype.names or ()):
            continue
        places = rows[name].reshape(len(rows), -1).astype(np.int64)
        if places.shape[1] != 2:
            raise ImageError(f"column {name} of the compressed image is no list of tiles")
        if name != _COLUMNS[0] or kind.startswith("GZIP"):
            _check_gzip(heap, places, _item_size(table, name), 8 * pixels)
        elif kind == "HCOMPRESS_1":
            _check_hcompress(heap, places, pixels)


def _rows(read_at: _Read, table: Any, start: int) -> NDArray[Any]:  # noqa: ANN401
    """Return the rows of a table as stored, with the number and place of values in its heap."""
    dtype, cards = table.columns.dtype, table.header
    width, number = int(cards["NAXIS1"]), int(cards["NAXIS2"])
    content = read_at(start, width * number)
    if dtype.itemsize != width or len(content) != width * number:
        raise ImageError("the table of the compressed image is damaged; fetch the file again")
    return np.frombuffer(content, dtype.newbyteorder(">"))


def _item_size(table: Any, name: str) -> int:  # noqa: ANN401
    """Return the bytes of a value in the heap."""
    letters = str(table.columns[name].format).lstrip("01")[1:2]
    return {"B": 1, "I": 2, "J": 4}.get(letters, 8)


class _Heap:
    """The compressed content of all tiles, read when needed."""

    def __init__(self, read_at: _Read, start: int, size: int) -> None:
        self._read_at, self._start, self._size = read_at, start, size
        self._content: bytes | None = None

    def tile(self, place: int, size: int) -> bytes:
        if self._content is None:
            self._content = self._read_at(self._start, self._size)
        return self._content[place : place + size] if place >= 0 else b""


def _check_gzip(heap: _Heap, places: NDArray[np.int64], item: int, most: int) -> None:
    """Raise ImageError if a tile packed with gzip unpacks to more than `most` bytes."""
    for number, (length, place) in enumerate(places.tolist()):
        if length * item > HARMLESS and _unpacked(heap.tile(place, length * item), most) > most:
            raise ImageError(
                f"tile {number} of the image unpacks to more than its pixels take, {most:,} bytes; "
                "fetch the file again"
            )


def _unpacked(content: bytes, most: int) -> int:
    """Return the size of content packed with gzip, counted up to about `most`."""
    size = 0
    while content and size <= most:
        member = zlib.decompressobj(wbits=31)
        while not member.eof and size <= most:
            piece = member.decompress(content, _STEP)
            size += len(piece)
            content = member.unconsumed_tail
            if not piece and not content:
                return size
        content = member.unused_data if member.eof else b""
    return size


def _check_hcompress(heap: _Heap, places: NDArray[np.int64], pixels: int) -> None:
    """Raise ImageError if a tile states another size than the decoder has memory for."""
    for number, (length, place) in enumerate(places.tolist()):
        if not length:
            continue
        start = heap.tile(place, _HCOMPRESS.size)
        if len(start) < _HCOMPRESS.size:
            raise ImageError(f"tile {number} of the image is cut short; fetch the file again")
        magic, nx, ny = _HCOMPRESS.unpack(start)
        if magic == _HCOMPRESS_START and not (0 < nx * ny <= pixels and nx > 0):
            raise ImageError(
                f"tile {number} of the image states {nx} by {ny} pixels; expected at most "
                f"{pixels:,}"
            )
