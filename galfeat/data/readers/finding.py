"""Find image files: in folders, by patterns, and by name."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from galfeat.data.limits import Budget
from galfeat.data.readers.decode import is_image_name
from galfeat.errors import DataError, ImageError

LABELS_FILE = "labels.csv"

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class ImageFile(NamedTuple):
    """An image file and the class given by its folder, empty if none."""

    path: str
    class_name: str = ""


def images_in(folder: Path, budget: Budget | None = None) -> list[ImageFile]:
    """List the images in a folder and its sub-folders, sorted by name.

    If at least two sub-folders contain images, their names are the classes of their images;
    images outside them have no class. Hidden files and folders, and links to folders, are left
    out.

    Raises
    ------
    DataError
        If the folder contains no images, or a table of labels, or a folder in it cannot be
        listed.
    """
    if os.path.lexists(folder / LABELS_FILE):
        raise DataError(
            f"{folder} has a {LABELS_FILE}; open it by itself, or its images by a pattern, "
            "without labels"
        )
    budget = Budget() if budget is None else budget
    names: list[str] = []
    for name in _walk(str(folder)):
        if is_image_name(name):
            budget.take(2 * sys.getsizeof(name), f"the names of {len(names):,} images in {folder}")
            names.append(name)
    if not names:
        raise DataError(
            f"{folder} contains no images; expected JPEG, PNG, TIFF or FITS files, or {LABELS_FILE}"
        )
    names.sort(key=lambda name: name.replace(os.sep, "\0"))  # as lists of parts
    classes = [name.split(os.sep, 1)[0] if os.sep in name else "" for name in names]
    if len(set(classes) - {""}) < 2:
        classes = [""] * len(names)
    start = os.path.join(folder, "") if str(folder) != "." else ""
    return [ImageFile(start + name, label) for name, label in zip(names, classes, strict=True)]


def images_matching(pattern: str) -> list[ImageFile]:
    """List the image files that match a glob pattern, sorted by name.

    ``**`` matches any folders except hidden ones and links.
    """
    parts = Path(pattern).parts
    if "\0" in pattern:  # no file has such a name
        return []
    if "**" in parts:
        place = parts.index("**")
        folders = glob.glob(str(Path(*parts[:place]))) if place else ["."]
        paths = [
            Path(folder, name)
            for folder in filter(os.path.isdir, folders)
            for name in _walk(folder)
            if _matches(name.split(os.sep), parts[place:])
        ]
    else:
        paths = [Path(name) for name in glob.glob(pattern)]
    return [ImageFile(name) for name in sorted(map(str, paths)) if is_image_name(name)]


def check_regular(path: str | Path) -> None:
    """Raise ImageError if a path leads to anything but a regular file.

    Opening a pipe or a device may never end.
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except (OSError, ValueError):
        return  # opening the file raises the error
    if kind != stat.S_IFREG:
        raise ImageError(f"{path} is {kind_of_file(kind)}; expected an image file")


def kind_of_file(kind: int) -> str:
    """Return the description of a kind of file, a value of `stat.S_IFMT`."""
    return _KINDS.get(kind, "not a file")


def file_kind(path: str | Path) -> int | None:
    """Return the kind of file that a path leads to, as `stat.S_IFMT` does; None if missing.

    Raises
    ------
    DataError
        If the path cannot be looked up, for lack of permission for example.
    """
    try:
        return stat.S_IFMT(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise DataError(
            f"{path} cannot be opened ({error.strerror}); correct the name or the permissions"
        ) from error


def _walk(folder: str) -> Iterator[str]:
    """Yield the names of files below a folder, relative to it, without entering links."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, below)) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    name = os.path.join(below, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(name)
                    else:
                        yield name
        except OSError as error:
            raise DataError(
                f"the folder {os.path.join(folder, below)} cannot be listed ({error.strerror}); "
                "change its permissions or leave it out"
            ) from error


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a name match the parts of a pattern."""
    ends = {0}  # numbers of parts that the pattern so far can match
    for piece in pattern:
        if piece == "**":
            ends = set(range(min(ends), len(parts) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(parts) and fnmatch(parts[end], piece)}
        if not ends:
            return False
    return len(parts) in ends
