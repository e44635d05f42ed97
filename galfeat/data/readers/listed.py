"""Find the image files that a table lists, however it spells their names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import overload

import numpy as np
from numpy.typing import NDArray

from galfeat.data.limits import Budget, shortened
from galfeat.data.readers.decode import PICTURE_SUFFIXES, is_image_name
from galfeat.data.readers.fits.display import FITS_SUFFIXES
from galfeat.errors import DataError, ImageError

_LOOKED_FOR = 10_000


def split_image_name(name: str) -> tuple[str, str]:
    """Return the stem of a file name, and the suffix of an image or an empty one.

    Examples
    --------
    >>> from galfeat.data.readers.listed import split_image_name
    >>> split_image_name("m51.fits.gz"), split_image_name("J0120.5")
    (('m51', '.fits.gz'), ('J0120.5', ''))
    """
    lower, suffixes = name.lower(), PICTURE_SUFFIXES + FITS_SUFFIXES
    suffix = max((s for s in suffixes if lower.endswith(s)), key=len, default="")
    stem = name[: len(name) - len(suffix)]
    return (stem, name[len(stem) :]) if stem else (name, "")


class ListedFiles(Sequence[str]):
    """The paths of the files that a table lists, found when they are needed.

    A name may have another case of the suffix than its file, or no suffix; it may have the
    separators of Windows, and belong to folders of another machine, if no other listed name is
    the same without them.

    Parameters
    ----------
    folders : sequence of Path
        Where to look, in order.
    names : ndarray of str, shape (n,)
    budget : Budget, optional
        The memory that names in folders may take.
    """

    def __init__(
        self, folders: Sequence[Path], names: NDArray[np.str_], budget: Budget | None = None
    ) -> None:
        self._folders, self._names = list(folders), names
        self._budget = Budget() if budget is None else budget
        self._listings: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._names)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        """Return the path of a file; raise ImageError if there is none."""
        if isinstance(row, slice):
            return ListedFiles(self._folders, self._names[row], self._budget)
        name = str(self._names[row])
        if not name:
            raise ImageError("the table lists no file in this row; fill the cell")
        found = self._find(name)
        if found is None:
            looked = ", ".join(map(str, self._folders))
            raise ImageError(
                f"{shortened(name)} is missing (looked in {looked}); correct the name, or give "
                "the folder of the images with --images-in"
            )
        return found

    def any_found(self) -> bool:
        """Return whether any of the first 10,000 files exists."""
        return any(name and self._find(name) for name in map(str, self._names[:_LOOKED_FOR]))

    def _find(self, name: str) -> str | None:
        whole = name.removesuffix(".0")  # of an id that a spreadsheet or pandas made a float
        candidates = list(dict.fromkeys([name, name.replace("\\", "/"), whole]))
        base = _last_part(name)
        if base and base not in self._shared:
            candidates.append(base)
        for candidate in candidates:
            for folder in self._folders:
                path = folder / candidate
                if os.path.lexists(path) and not path.is_dir():
                    return str(path)
                similar = self._listing(path.parent).get(_key(path.name))
                if similar is not None:
                    return str(path.with_name(similar))
        exact = next((f / name for f in self._folders if os.path.lexists(f / name)), None)
        return None if exact is None else str(exact)  # a folder, which is an error of its row

    @cached_property
    def _shared(self) -> frozenset[str]:
        """Last parts of several different names."""
        first: dict[str, str] = {}
        return frozenset(
            base
            for name in map(str, self._names)
            if first.setdefault(base := _last_part(name), name) != name
        )

    def _listing(self, folder: Path) -> dict[str, str]:
        """Return the images in a folder by their keys, and by their stems."""
        try:
            real = os.path.realpath(folder)  # one listing, however a table spells the folder
            if real not in self._listings:
                self._listings[real] = {}
                self._listings[real] = self._list(real)
            return self._listings[real]
        except (OSError, ValueError):
            return {}

    def _list(self, folder: str) -> dict[str, str]:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_image_name(entry.name)]
        try:
            self._budget.take(6 * sum(map(sys.getsizeof, names)), f"the names in {folder}")
        except DataError as error:
            raise ImageError(str(error)) from error
        listing = {_key(name): name for name in sorted(names)}
        for name in sorted(names, key=_preference):
            listing.setdefault(split_image_name(name)[0], name)
        return listing


def _last_part(name: str) -> str:
    return PureWindowsPath(name).name  # takes both separators


def _key(name: str) -> str:
    stem, suffix = split_image_name(name)
    return stem + suffix.lower()


def _preference(name: str) -> tuple[int, str]:
    """Return the position of the suffix in the list of suffixes, and the name."""
    suffixes = PICTURE_SUFFIXES + FITS_SUFFIXES
    return suffixes.index(split_image_name(name)[1].lower()), name
