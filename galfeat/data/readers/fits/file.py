"""Open FITS files, which may declare or unpack to any size."""

from __future__ import annotations

import bz2
import gzip
import io
import math
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from numpy.typing import NDArray
from PIL import Image as Pillow

from galfeat.data.limits import VARIABLE, Budget, readable_size
from galfeat.data.readers.fits.tiles import check_tiles
from galfeat.errors import GalfeatError, ImageError
from galfeat.storage.versions import require_package

MAX_HEADERS = 16 * 2**20
"""Maximum number of bytes of all headers."""

MAX_REPEATS = 8
"""Maximum number of times that as much as the limit is unpacked again, to go back."""

HELD = 16 * 2**20
"""Maximum number of bytes of a packed file that is unpacked once and held in memory."""

_BLOCK = 2880
_FIRST_CARD = b"SIMPLE"
#: First bytes of files that are taken for FITS.
_FORMATS = (
    (b"\xff\xd8\xff", "a JPEG image"), (b"\x89PNG", "a PNG image"), (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"), (b"II*\0", "a TIFF image"), (b"MM\0*", "a TIFF image"),
    (b"RIFF", "a WebP image"), (b"\x89HDF", "an HDF5 file"), (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"), (b"<", "a web page or XML"),
)  # fmt: skip
_BYTES_PER_PIXEL = 24


class Limit(NamedTuple):
    """Maximum number of bytes to read at once, and of a packed file, and how to get below it."""

    size: int
    advice: str


def display_limit() -> Limit:
    """Return the limit for display images: that of Pillow on pixels, in three bands of 64 bits."""
    pixels = Pillow.MAX_IMAGE_PIXELS
    size = 2**62 if pixels is None else _BYTES_PER_PIXEL * pixels + MAX_HEADERS
    return Limit(size, "cut out the galaxy")


def flux_limit() -> Limit:
    """Return the limit for images whose flux is measured: ``GALFEAT_MAX_BYTES``, or 4 GiB.

    Raises
    ------
    DataError
        If the variable is not a positive whole number.
    """
    return Limit(
        Budget().limit,
        f"cut out the galaxy, or set a higher limit with --max-bytes or {VARIABLE}",
    )


class FitsFile:
    """The HDUs of an open FITS file, whose pixels are read within a limit.

    Attributes
    ----------
    units : list of astropy HDUs
    primary : astropy.io.fits.Header
    """

    def __init__(self, stream: _Bounded, units: list[Any]) -> None:
        self._stream = stream
        self.units = units
        self.primary = units[0].header
        self._complete = False
        self._checked: set[int] = set()

    def pixels(self, unit: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return all pixels of an HDU.

        Raises
        ------
        ImageError
            If they take more memory than the limit, or tiles unpack to more than their pixels.
        """
        self.check_size([unit])
        self._check_end()
        self._check_tiles(unit)
        data: NDArray[Any] = unit.data
        return data

    def check_size(self, units: Iterable[Any]) -> None:
        """Raise ImageError if the pixels of HDUs take more memory than the limit together."""
        size = sum(_image_size(unit.header) for unit in units)
        self._stream.check_size(size, "declares an image of")

    def plane(self, unit: Any, place: tuple[int, ...] = ()) -> NDArray[Any]:  # noqa: ANN401
        """Return one plane of an HDU, shape (H, W); `place` is its position on leading axes."""
        self._check_end()
        self._check_tiles(unit)
        # One value on each of the leading axes; astropy does not read the other planes.
        data: NDArray[Any] = unit.section[(*place, slice(None), slice(None))]
        return data

    def _check_end(self) -> None:
        """Raise ImageError if the data of the last HDU are incomplete."""
        if self._complete:
            return
        with self._as_stored() as units:
            place = units[len(self.units) - 1].fileinfo()
        end = place["datLoc"] + place["datSpan"]
        if not self._stream.reaches(end - _BLOCK + 1):  # some writers leave out the padding
            raise ImageError(
                "the file is damaged or cut short (its last HDU is incomplete); expected a whole "
                "FITS file: fetch it again"
            )
        self._complete = True

    def _check_tiles(self, unit: Any) -> None:  # noqa: ANN401
        from astropy.io import fits

        number = next(n for n, other in enumerate(self.units) if other is unit)
        if isinstance(unit, fits.CompImageHDU) and number not in self._checked:
            with self._as_stored() as units:
                check_tiles(self._stream.read_at, units[number])
            self._checked.add(number)

    @contextmanager
    def _as_stored(self) -> Iterator[Any]:
        """Yield the HDUs with compressed images as the tables that they are stored in."""
        from astropy.io import fits

        if not any(isinstance(unit, fits.CompImageHDU) for unit in self.units):
            yield self.units
            return
        self._stream.seek(0)
        with fits.open(self._stream, memmap=False, disable_image_compression=True) as units:
            yield units


def _image_size(cards: Any) -> int:  # noqa: ANN401
    """Return the bytes of an image in memory, from its header."""
    sizes = [int(cards.get(f"NAXIS{k + 1}", 0)) for k in range(int(cards["NAXIS"]))]
    return math.prod(sizes) * _bytes_per_value(cards)


def _bytes_per_value(cards: Any) -> int:  # noqa: ANN401
    """Return the bytes of a pixel in memory; astropy scales integers to floats."""
    size = abs(int(cards.get("BITPIX", 8))) // 8
    scaled = any(card in cards for card in ("BSCALE", "BZERO", "BLANK"))
    return size + 8 if scaled else size


@contextmanager
def open_fits(path: str | Path, limit: Limit) -> Iterator[FitsFile]:
    """Open a FITS file, plain or packed with gzip or bzip2, as its content states.

    Parameters
    ----------
    path : str or Path
    limit : Limit
        `display_limit` or `flux_limit`.

    Yields
    ------
    FitsFile

    Raises
    ------
    ImageError
        If the file is missing, damaged, cut short, or beyond the limits. Errors of astropy in the
        block count as damage.
    MissingDependencyError
        If astropy is not installed.
    """
    require_package("astropy.io", "fits", "reading FITS")
    from astropy.io import fits

    try:
        _check_regular(path)
        with Path(path).open("rb") as file:
            start = file.read(len(_FIRST_CARD))
            file.seek(0)
            content, packed = _unpacked(file, start)
            stream = _Bounded(content, limit, packed=packed)
            with fits.open(stream, memmap=False) as listed:
                units = _loaded(listed, packed=packed)
                stream.headers_end()
                yield FitsFile(stream, units)
    except (GalfeatError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise ImageError("the file does not exist; give an existing FITS file") from error
    except Exception as error:  # astropy raises nearly anything for a damaged file
        raise ImageError(
            f"the file is damaged or cut short ({str(error)[:120]}); expected a whole FITS file: "
            "fetch it again"
        ) from error


def _check_regular(path: str | Path) -> None:
    """Raise ImageError for a folder, a pipe or a device."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ImageError(f"it is {kind}; expected a FITS file")


def _check_format(start: bytes) -> None:
    """Raise ImageError if a file with these first bytes, unpacked, is not FITS."""
    if start.startswith(_FIRST_CARD) or _FIRST_CARD.startswith(start):
        return
    kind = next((name for magic, name in _FORMATS if start.startswith(magic)), None)
    if kind is not None:
        raise ImageError(f"the file is {kind}; expected a FITS file with an image")
    raise ImageError(
        "the file is damaged or cut short, or in another format (it does not begin with SIMPLE); "
        "expected a whole FITS file: fetch it again"
    )


def _unpacked(file: BinaryIO, start: bytes) -> tuple[BinaryIO, bool]:
    """Return the content of a file as its first bytes state, and whether it is still packed."""
    if start.startswith(b"\x1f\x8b"):
        content = cast(BinaryIO, gzip.GzipFile(fileobj=file))
    elif start.startswith(b"BZ"):
        content = cast(BinaryIO, bz2.BZ2File(file))
    else:
        _check_format(start)
        return file, False
    whole = content.read(HELD + 1)
    _check_format(whole[: len(_FIRST_CARD)])
    return (content, True) if len(whole) > HELD else (io.BytesIO(whole), False)


def _loaded(listed: Any, *, packed: bool) -> list[Any]:  # noqa: ANN401
    """Return all HDUs; bytes behind the last one are ignored, as astropy does."""
    units: list[Any] = []
    try:
        units.extend(iter(listed))
    except OSError:
        if packed or not units:
            raise
    if not units:
        raise ImageError("no HDU contains an image; expected one of (H, W) or (bands, H, W)")
    return units


class _Bounded:
    """A FITS file for astropy that refuses to read more than a limit.

    Astropy reads headers in blocks of 2,880 bytes, and the data of an image at once. A file that
    is not one of Python's own is neither memory-mapped nor unpacked by astropy itself.
    """

    mode, closed = "rb", False

    def __init__(self, content: BinaryIO, limit: Limit, *, packed: bool) -> None:
        self._content, self._packed, self._limit = content, packed, limit
        self._position = self._headers = self._unpacked_again = 0
        self._in_headers = True
        self._end = limit.size if packed else content.seek(0, 2)

    def check_size(self, size: int, what: str) -> None:
        """Raise ImageError if something of the file has more bytes than the limit."""
        if not 0 <= size <= self._limit.size:
            raise ImageError(
                f"the file {what} more than {readable_size(self._limit.size)}; {self._limit.advice}"
            )

    def read(self, size: int) -> bytes:
        """Read bytes; raise ImageError beyond the limit."""
        if size <= _BLOCK and self._in_headers:
            self._headers += size
        if self._headers > MAX_HEADERS:
            raise ImageError(
                f"the headers take more than {readable_size(MAX_HEADERS)}; expected an image near "
                "the beginning of the file"
            )
        data = self.read_at(self._position, int(size))
        self._position += len(data)
        return data

    def headers_end(self) -> None:
        """Count no more reads as headers."""
        self._in_headers = False

    def read_at(self, position: int, size: int) -> bytes:
        """Read bytes elsewhere, without moving; raise ImageError beyond the limit."""
        end = position + size if self._packed else size
        self.check_size(max(size, end), "declares or unpacks to")
        if self._packed and position < self._content.tell():
            self._unpacked_again += position
            if self._unpacked_again > MAX_REPEATS * self._limit.size:
                raise ImageError("the file takes too long to unpack; unpack it, and cut it out")
        if position >= self._end:
            return b""
        self._content.seek(position)
        return self._content.read(max(0, min(size, self._end - position)))

    def reaches(self, size: int) -> bool:
        """Return whether the file, unpacked, has at least this many bytes."""
        if not self._packed:
            return size <= self._end
        self.check_size(max(size, 0), "declares or unpacks to")
        return self._content.seek(size) == size

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the position from the start, or to the end of all that may be read."""
        self._position = int(offset) + (self._end if whence == 2 else 0)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Leave the file open; it is closed by its owner."""
