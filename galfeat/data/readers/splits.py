"""The usual divisions of labelled data into training, test and validation images."""

from __future__ import annotations

from collections.abc import Collection

from galfeat.data.limits import listed
from galfeat.errors import DataError

_SPELLINGS = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation"),
}
_SPLITS = {spelled: split for split, names in _SPELLINGS.items() for spelled in names}

SPLITS = (*_SPELLINGS, "all")
"""Values of the argument `split` of `galfeat.open_dataset`."""

SPLIT_COLUMNS = ("split", "subset", "partition", "set")
"""Columns of a table that may divide it, in order of preference."""


def split_of(name: str) -> str:
    """Return the split that the name of a folder or a cell stands for, empty if none.

    Examples
    --------
    >>> from galfeat.data.readers.splits import split_of
    >>> [split_of(name) for name in ("Train", "validation", "spiral")]
    ['train', 'val', '']
    """
    return _SPLITS.get(name.strip().lower(), "")


def check_split(split: str | None) -> str | None:
    """Return a split, None for all.

    Raises
    ------
    DataError
        If there is no such split.
    """
    if split is None or split == "all":
        return None
    if split not in SPLITS:
        raise DataError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
    return split


def check_present(split: str | None, present: Collection[str], source: object) -> None:
    """Raise DataError unless a split, or None for all, occurs among the splits of images."""
    if split is not None and split not in present:
        found = listed(sorted(set(present) - {""}), "none")
        raise DataError(
            f"{source} has no images of the split {split!r} (splits: {found}); omit --split, or "
            "divide the images by folders train and test, or by a column split"
        )
