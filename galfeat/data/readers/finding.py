"""Find image files: in folders, by patterns, and by name."""

from __future__ import annotations

import glob
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from galfeat.data.limits import Budget
from galfeat.data.readers.decode import is_image_name
from galfeat.data.readers.splits import split_of
from galfeat.errors import DataError, ImageError

LABELS_FILE = "labels.csv"

_LONGEST_SUFFIX = 12
_KINDS_SHOWN = 5
_TABLES = {".csv", ".tsv", ".parquet", ".ecsv", ".vot"}
# Ends of the names of FITS files that accompany images, as surveys and pipelines write them.
_COMPANION = re.compile(
    r"[-_.](seg|segm|segmap|segmentation|mask|err|error|unc|rms|sigma|noise|var|variance|ivar|"
    r"invvar|wht|weight|weights|psf|dq|exp|model|resid|residual)(\.(fits?|fts)(\.(gz|bz2|fz))?)$",
    re.IGNORECASE,
)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class ImageFile(NamedTuple):
    """An image file, and the class and the split given by its folders, empty if none."""

    path: str
    class_name: str = ""
    split: str = ""


def images_in(
    folder: Path,
    budget: Budget | None = None,
    *,
    ignore_table: bool = False,
    skipped: Counter[str] | None = None,
) -> list[ImageFile]:
    """List the images in a folder and its sub-folders, sorted by name.

    If at least two sub-folders contain images, their names are the classes of their images;
    images outside them have no class. Sub-folders with names such as ``train``, ``test`` and
    ``val`` are splits, and the folders in them are classes; see `galfeat.data.readers.splits`.
    Hidden files and folders, links to folders, and FITS files named like masks, errors, weights,
    models or PSFs (``7_segmap.fits``) are left out.

    Parameters
    ----------
    folder : Path
    budget : Budget, optional
        The memory that the names may take.
    ignore_table : bool
        List the images beside a table of labels too.
    skipped : Counter, optional
        Counts other files by suffix.

    Raises
    ------
    DataError
        If the folder contains no images, or a table of labels, or a folder in it cannot be
        listed.
    """
    if not ignore_table and os.path.lexists(folder / LABELS_FILE):
        raise DataError(
            f"{folder} has a {LABELS_FILE}; open it by itself, or its images by a pattern, "
            "without labels"
        )
    budget = Budget() if budget is None else budget
    names: list[str] = []
    for name in _walk(str(folder)):
        companion = _COMPANION.search(name)
        if is_image_name(name) and companion is None:
            budget.take(2 * sys.getsizeof(name), f"the names of {len(names):,} images in {folder}")
            names.append(name)
        elif skipped is not None and name != LABELS_FILE:
            suffix = companion[0] if companion else os.path.splitext(name)[1].lower()
            skipped[suffix if companion or len(suffix) <= _LONGEST_SUFFIX else ""] += 1
    if not names:
        raise DataError(
            f"{folder} contains no images{_besides(skipped)}; expected JPEG, PNG, TIFF, "
            f"WebP, GIF, BMP or FITS files, or {LABELS_FILE}"
        )
    names.sort(key=lambda name: name.replace(os.sep, "\0"))  # as lists of parts
    start = os.path.join(folder, "") if str(folder) != "." else ""
    return [
        ImageFile(start + name, class_name, split)
        for name, (class_name, split) in zip(names, _classes_and_splits(names), strict=True)
    ]


def _classes_and_splits(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the class and the split of each image, from the folders in its relative name."""
    folders = [name.split(os.sep)[:-1] for name in names]
    splits = [split_of(parts[0]) if parts else "" for parts in folders]
    present = set(splits) - {""}
    others = {parts[0] for parts, split in zip(folders, splits, strict=True) if parts and not split}
    if not present or (others and len(present) < 2):
        splits = [""] * len(names)
    below = [parts[1:] if split else parts for parts, split in zip(folders, splits, strict=True)]
    divided = any(splits)
    classes = [
        parts[0] if parts and bool(split) == divided else ""
        for parts, split in zip(below, splits, strict=True)
    ]
    if len(set(classes) - {""}) < 2:
        classes = [""] * len(names)
    return list(zip(classes, splits, strict=True))


def skipped_files(skipped: Counter[str]) -> str:
    """Return the counts of other files in words.

    Examples
    --------
    >>> from collections import Counter
    >>> from galfeat.data.readers.finding import skipped_files
    >>> skipped_files(Counter({".txt": 3, ".mov": 1}))
    'skipped 3 .txt and 1 .mov files'
    """
    advice = "; open a table by its own name" if _TABLES & skipped.keys() else ""
    return f"skipped {_counted(skipped)}{advice}"


def _besides(skipped: Counter[str] | None) -> str:
    return f" but {_counted(skipped)}" if skipped else ""


def _counted(skipped: Counter[str]) -> str:
    total, kinds = skipped.total(), sorted(skipped.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{count:,} {suffix}".strip() for suffix, count in kinds[:_KINDS_SHOWN] if suffix]
    rest = total - sum(count for suffix, count in kinds[:_KINDS_SHOWN] if suffix)
    if rest:
        shown.append(f"{rest:,} other" if shown else f"{rest:,}")
    text = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    return f"{text} {'file' if total == 1 else 'files'}"


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
