"""The pixels themselves: the plainest features of all, to which others are compared."""

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
    """The columns of an image, made when they are asked for: 256×256 pixels have 196,608.

    Parameters
    ----------
    family : str
        What their names begin with.
    side : int
        Of the image, in pixels.
    """

    def __init__(self, family: str, side: int) -> None:
        self._family, self._side = family, side

    def __len__(self) -> int:
        """Return how many there are."""
        return self._side**2 * len(CHANNELS)

    @overload
    def __getitem__(self, place: int) -> Column: ...
    @overload
    def __getitem__(self, place: slice) -> list[Column]: ...
    def __getitem__(self, place: int | slice) -> Column | list[Column]:
        """Return a column by row, column and channel of its pixel, in this order."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        pixel, band = divmod(range(len(self))[place], len(CHANNELS))
        return self._column(*divmod(pixel, self._side), CHANNELS[band])

    def __iter__(self) -> Iterator[Column]:
        """Go through all."""
        side = range(self._side)
        return (self._column(y, x, channel) for y in side for x in side for channel in CHANNELS)

    def _column(self, y: int, x: int, channel: str) -> Column:
        name = f"{self._family}.y{y}x{x}.{channel}"
        return Column(name, "counts", f"{channel} at {y}, {x}", "galfeat", False)


@dataclass(frozen=True)
class Pixels:
    """The image as it came, brought to a square by Pillow's box filter.

    The square of `pixels` has 32×32 pixels. Those of `pixels-64`, `pixels-128` and `pixels-256`
    have as many as their names say, with 12,288, 49,152 and 196,608 columns of the same kind.
    """

    name: str
    side: int

    @property
    def COLUMNS(self) -> PixelColumns:  # noqa: N802  # as in the modules of other families
        """What is measured, in order."""
        return PixelColumns(self.name, self.side)

    def measure(self, frame: Frame) -> NDArray[np.float32]:
        """Return the pixels of an image, 0 to 255, row by row, three values for each."""
        from PIL import Image

        small = Image.fromarray(frame.rgb).resize((self.side, self.side), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).ravel()


PIXELS_32 = Pixels("pixels", 32)
PIXELS_64 = Pixels("pixels-64", 64)
PIXELS_128 = Pixels("pixels-128", 128)
PIXELS_256 = Pixels("pixels-256", 256)
