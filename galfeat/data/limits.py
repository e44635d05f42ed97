"""Limits on what files may ask for, checked before memory is taken."""

from __future__ import annotations

import os
from collections.abc import Collection
from itertools import islice

from galfeat.errors import DataError

MAX_BYTES = 4 * 2**30
"""Default limit on the memory that the arrays of one file take."""

VARIABLE = "GALFEAT_MAX_BYTES"
"""Environment variable with another limit."""

MAX_CHARACTERS = 4096
"""Maximum length of one text value; the longest path on most systems."""

MAX_CLASSES = 10_000
"""Maximum number of class names in a file."""

_NAMES_SHOWN = 20
_CHARACTERS_SHOWN = 80
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


class LimitError(DataError):
    """A file would take more memory than allowed."""


class Budget:
    """Memory that the arrays of one file may take, all together.

    Parameters
    ----------
    max_bytes : int, optional
        The limit. By default the environment variable ``GALFEAT_MAX_BYTES``, or 4 GiB.

    Raises
    ------
    DataError
        If the limit is not a positive whole number.

    Examples
    --------
    >>> from galfeat.data.limits import Budget
    >>> budget = Budget(max_bytes=1000)
    >>> budget.take(600, "column 'ra'")
    >>> budget.left
    400
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        given = os.environ.get(VARIABLE, MAX_BYTES) if max_bytes is None else max_bytes
        try:
            self.limit = int(given)
        except (TypeError, ValueError):
            self.limit = 0
        if self.limit < 1:
            name = VARIABLE if max_bytes is None else "max_bytes"
            raise DataError(f"{name} is {given!r}; expected a number of bytes, at least 1")
        self.left = self.limit

    def take(self, size: int, what: str) -> None:
        """Reserve memory; see `check`."""
        self.check(size, what)
        self.left -= size

    def check(self, size: int, what: str) -> None:
        """Raise DataError, which begins with `what`, if a size exceeds the rest of the memory."""
        if size > self.left:
            taken = self.limit - self.left
            besides = f" besides {readable_size(taken)} for the rest of the file" if taken else ""
            raise LimitError(
                f"{what} would take {readable_size(size)} of memory{besides}; expected at most "
                f"{readable_size(self.limit)}: check that the file is intact, or set a higher "
                f"limit with --max-bytes, {VARIABLE} or max_bytes"
            )


def readable_size(size: int) -> str:
    """Return a number of bytes as text, such as ``4.0 GiB``."""
    scaled, unit = float(min(size, 2**70)), 0
    while scaled >= 1024 and unit < len(_UNITS) - 1:
        scaled, unit = scaled / 1024, unit + 1
    return f"{scaled:.1f} {_UNITS[unit]}" if unit else f"{size} bytes"


def shortened(text: str) -> str:
    """Return text for a message: in quotes, without its middle if it is long."""
    if len(text) > _CHARACTERS_SHOWN:
        text = f"{text[: _CHARACTERS_SHOWN // 2]}...{text[-_CHARACTERS_SHOWN // 4 :]}"
    return repr(text)


def listed(names: Collection[str], empty: str = "none") -> str:
    """Return names for a message: the first twenty, each shortened, or `empty`."""
    shown = [
        name if len(name) <= _CHARACTERS_SHOWN else shortened(name)
        for name in islice(names, _NAMES_SHOWN)
    ]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more if shown else empty
