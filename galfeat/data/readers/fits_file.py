"""Read the first image of a FITS file, which may declare or unpack to any size."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any, BinaryIO, cast

from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat.data.limits import readable_size
from galfeat.data.readers.pixels import check_pixels
from galfeat.errors import ImageError
from galfeat.storage.versions import require_package

MAX_HEADERS = 16 * 2**20
"""Maximum number of bytes of all headers up to the first image."""

_BLOCK = 2880
_GZIP = b"\x1f\x8b"
_BYTES_PER_PIXEL = 24
"""Three bands of 64 bits."""


def read_planes(path: str | Path) -> tuple[NDArray[Any], Any]:
    """Return the first image of a FITS file, shape (1, H, W) or (3, H, W), and its header.

    Raises
    ------
    ImageError
        If there is no image, its shape is wrong, it has more pixels than Pillow's limit, or
        the file is damaged or unpacks to more than such an image.
    MissingDependencyError
        If astropy is not installed.
    """
    require_package("astropy.io", "fits", "reading FITS")
    from astropy.io import fits

    with Path(path).open("rb") as stream:
        packed = stream.read(len(_GZIP)) == _GZIP
        stream.seek(0)
        content = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream
        with fits.open(_Bounded(content, packed=packed), memmap=False) as units:
            unit = next((unit for unit in units if unit.is_image and unit.shape != ()), None)
            if unit is None:
                raise ImageError("no HDU contains an image; expected one of (H, W) or (3, H, W)")
            _check_shape(unit.shape)
            check_pixels(math.prod(getattr(unit, "tile_shape", ())))
            return _planes(unit.data), unit.header


class _Bounded:
    """A FITS file for astropy that refuses to read more than an image at the pixel limit takes.

    Astropy reads headers in blocks of 2,880 bytes, and the data of an image at once. A file that
    is not one of Python's own is neither memory-mapped nor unpacked by astropy itself.
    """

    mode, closed = "rb", False

    def __init__(self, content: BinaryIO, *, packed: bool) -> None:
        self._content, self._packed = content, packed
        self._position = self._headers = 0
        pixels = Pillow.MAX_IMAGE_PIXELS
        self._limit = 2**62 if pixels is None else _BYTES_PER_PIXEL * pixels + MAX_HEADERS
        self._end = self._limit if packed else content.seek(0, 2)

    def read(self, size: int) -> bytes:
        """Read bytes; raise ImageError beyond the limit."""
        end = self._position + size
        if size > self._limit or (self._packed and end > self._limit):
            raise ImageError(
                f"the file declares or unpacks to more than {readable_size(self._limit)}; "
                "cut out the galaxy"
            )
        if size <= _BLOCK:
            self._headers += size
        if self._headers > MAX_HEADERS:
            raise ImageError(
                f"the headers take more than {readable_size(MAX_HEADERS)}; expected an image near "
                "the beginning of the file"
            )
        self._content.seek(self._position)
        data = self._content.read(max(0, min(size, self._end - self._position)))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the position from the start, or to the end of all that may be read."""
        self._position = offset + (self._end if whence == 2 else 0)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Leave the file open; it is closed by its owner."""


def _check_shape(shape: tuple[Any, ...]) -> None:
    """Raise ImageError unless arrays of this shape are images of one or three bands."""
    sizes = [size for size in shape if isinstance(size, int)]
    planes = sizes[:-2] and sizes[-3]
    if (
        len(sizes) < max(2, len(shape))
        or min(sizes) < 1
        or math.prod(sizes[:-3]) != 1
        or planes not in ([], 1, 3)
    ):
        raise ImageError(f"the image has shape {shape}; expected (H, W) or (3, H, W)")
    check_pixels(sizes[-1] * sizes[-2])


def _planes(data: NDArray[Any]) -> NDArray[Any]:
    return data.reshape((1, *data.shape)[-3:])
