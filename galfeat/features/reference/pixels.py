"""Pixels as features: the simplest baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame

CHANNELS = ("red", "green", "blue")


class PixelColumns(Sequence[Column]):
    """The columns of an image, created on demand: 256×256 pixels have 196,608.

    Parameters
    ----------
    family : str
        Prefix of their names.
    side : int
        Side of the image, in pixels.
    """

    def __init__(self, family: str, side: int) -> None:
        self._family, self._side = family, side

    def __len__(self) -> int:
        """Return the number of columns."""
        return self._side**2 * len(CHANNELS)

    @overload
    def __getitem__(self, index: int) -> Column: ...
    @overload
    def __getitem__(self, index: slice) -> list[Column]: ...
    def __getitem__(self, index: int | slice) -> Column | list[Column]:
        """Return a column; they are ordered by row, column and channel of the pixel."""
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        pixel, band = divmod(range(len(self))[index], len(CHANNELS))
        return self._column(*divmod(pixel, self._side), CHANNELS[band])

    def __iter__(self) -> Iterator[Column]:
        """Iterate over all columns."""
        side = range(self._side)
        return (self._column(y, x, channel) for y in side for x in side for channel in CHANNELS)

    def _column(self, y: int, x: int, channel: str) -> Column:
        name = f"{self._family}.y{y}x{x}.{channel}"
        return Column(name, "counts", f"{channel} at {y}, {x}", "galfeat", False)


@dataclass(frozen=True)
class Pixels:
    """The original image, resized to a square with Pillow's box filter.

    `pixels` has 32×32 pixels; `pixels-64`, `pixels-128` and `pixels-256` have the side in their
    names, and 12,288, 49,152 and 196,608 columns.

    Parameters
    ----------
    name : str
        Name of the family.
    side : int
        Side of the square, in pixels.

    Examples
    --------
    >>> from galfeat.features.reference import Pixels
    >>> columns = Pixels("pixels", 32).COLUMNS
    >>> len(columns), columns[0].name
    (3072, 'pixels.y0x0.red')
    """

    name: str
    side: int

    @property
    def COLUMNS(self) -> PixelColumns:  # noqa: N802  # as in the modules of other families
        """The columns of the values of `measure`."""
        return PixelColumns(self.name, self.side)

    def measure(self, frame: Frame) -> NDArray[np.float32]:
        """Return the pixels of an image, 0 to 255, row by row, three values per pixel."""
        from PIL import Image

        small = Image.fromarray(frame.rgb).resize((self.side, self.side), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).ravel()


PIXELS_32 = Pixels("pixels", 32)
PIXELS_64 = Pixels("pixels-64", 64)
PIXELS_128 = Pixels("pixels-128", 128)
PIXELS_256 = Pixels("pixels-256", 256)
