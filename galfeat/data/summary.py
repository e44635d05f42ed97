"""Summarise the contents and defects of a data set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from galfeat.data.dataset import DataSet
from galfeat.data.digest import pixel_digest
from galfeat.errors import ImageError

MAX_EXAMPLES = 5
"""Maximum number of examples of a defect in the text; JSON lists all."""

MAX_IDS = 20
"""Maximum number of ids of a set in the text."""


@dataclass(frozen=True)
class Summary:
    """Counts and defects of a data set; rows are identified by their ids.

    Attributes
    ----------
    images : int
        Number of rows.
    label_column : str or None
    classes : dict of str to int
        Number of rows per class, in the order of the classes.
    unlabelled : int
        Number of rows without a label.
    sources : dict of str to int
        Number of rows per source; empty without such a column.
    groups : int or None
        Number of groups that a split keeps together; None if rows are not grouped.
    sizes : dict of str to int
        Number of images per size, ``width×height`` in pixels, the most frequent first.
    unreadable : dict of str to str
        Error messages of images that cannot be read.
    blank : list of str
        Images with equal pixels throughout.
    duplicates : list of list of str
        Sets of images with identical pixels.
    conflicting_duplicates : list of list of str
        Those of `duplicates` with different labels.
    conflicting_positions : list of list of str
        Sets of rows with identical positions and different labels.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet, Summary, summarise
    >>> images = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), np.uint8)
    >>> summary = summarise(ArrayDataSet(images, labels=["a", "b", "a"]))
    >>> isinstance(summary, Summary), summary.to_json()["classes"]
    (True, {'a': 2, 'b': 1})
    """

    images: int
    label_column: str | None
    classes: dict[str, int]
    unlabelled: int
    sources: dict[str, int]
    groups: int | None
    sizes: dict[str, int]
    unreadable: dict[str, str]
    blank: list[str]
    duplicates: list[list[str]]
    conflicting_duplicates: list[list[str]]
    conflicting_positions: list[list[str]]

    def to_json(self) -> dict[str, object]:
        """Return the attributes as a dictionary that JSON can represent."""
        return asdict(self)

    def to_text(self) -> str:
        """Return a human-readable report with examples of each defect."""
        lines = [f"{self.images} images"]
        lines += [f"  {size}: {count}" for size, count in list(self.sizes.items())[:MAX_EXAMPLES]]
        if len(self.sizes) > MAX_EXAMPLES:
            lines.append(f"  and {len(self.sizes) - MAX_EXAMPLES} other sizes")
        if self.label_column is None:
            lines.append("no labels")
        else:
            lines.append(f"labels from {self.label_column!r}; {self.unlabelled} rows without label")
            lines += [f"  {name}: {count}" for name, count in self.classes.items()]
        if self.sources:
            lines.append("sources")
            lines += [f"  {name or 'not given'}: {count}" for name, count in self.sources.items()]
        if self.groups is not None:
            lines.append(f"{self.groups} groups that stay together in a split")
        lines += _defect("unreadable", list(self.unreadable.values()))
        lines += _defect("blank (every pixel the same)", self.blank)
        lines += _defect("sets of exact duplicates", _joined(self.duplicates))
        lines += _defect("of these with different labels", _joined(self.conflicting_duplicates))
        lines += _defect(
            "sets with the same position and different labels", _joined(self.conflicting_positions)
        )
        return "\n".join(lines)


def summarise(
    data: DataSet,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Read every image once; count classes, sizes and defects.

    Parameters
    ----------
    data : DataSet
    jobs : int, default 1
        Number of decoding threads; the result does not depend on it.
    progress : callable, optional
        Called with the number of rows done and the total.

    Returns
    -------
    Summary

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet, summarise
    >>> print(summarise(ArrayDataSet(np.zeros((1, 16, 24, 3), np.uint8))).to_text())
    1 images
      24×16: 1
    no labels
    0 unreadable
    1 blank (every pixel the same)
      0
    0 sets of exact duplicates
    0 of these with different labels
    0 sets with the same position and different labels
    """
    sizes: Counter[str] = Counter()
    unreadable: dict[str, str] = {}
    blank: list[str] = []
    same_pixels: dict[Hashable, list[int]] = defaultdict(list)
    for rows, images in data.batches(jobs=jobs):
        for row, image in zip(rows, images, strict=True):
            if isinstance(image, ImageError):
                unreadable[str(data.ids[row])] = image.naming(data.ids[row])
                continue
            sizes[f"{image.shape[1]}×{image.shape[0]}"] += 1
            same_pixels[pixel_digest(image)].append(int(row))
            if (image == image[0, 0]).all():
                blank.append(str(data.ids[row]))
        if progress is not None:
            progress(int(rows[-1]) + 1, len(data))
    duplicates = [rows for rows in same_pixels.values() if len(rows) > 1]
    counts = np.bincount(data.labels[data.labels >= 0], minlength=len(data.class_names))
    return Summary(
        images=len(data),
        label_column=data.label_column,
        classes={name: int(n) for name, n in zip(data.class_names, counts, strict=True)},
        unlabelled=int((data.labels < 0).sum()),
        sources={} if data.sources is None else dict(Counter(data.sources.tolist()).most_common()),
        groups=None if data.groups is None else len(np.unique(data.groups)),
        sizes=dict(sizes.most_common()),
        unreadable=unreadable,
        blank=blank,
        duplicates=_ids(data, duplicates),
        conflicting_duplicates=_ids(data, _conflicts(data, duplicates)),
        conflicting_positions=_ids(data, _conflicts(data, _same_position(data))),
    )


def _same_position(data: DataSet) -> list[list[int]]:
    if data.ra is None or data.dec is None:
        return []
    rows_at: dict[Hashable, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isfinite(data.ra) & np.isfinite(data.dec)):
        rows_at[data.ra[row], data.dec[row]].append(int(row))
    return [rows for rows in rows_at.values() if len(rows) > 1]


def _conflicts(data: DataSet, sets: Iterable[list[int]]) -> list[list[int]]:
    return [rows for rows in sets if len(set(data.labels[rows].tolist()) - {-1}) > 1]


def _ids(data: DataSet, sets: Iterable[list[int]]) -> list[list[str]]:
    return [[str(data.ids[row]) for row in rows] for rows in sets]


def _joined(sets: list[list[str]]) -> list[str]:
    hidden = [f" and {len(ids) - MAX_IDS} more" if len(ids) > MAX_IDS else "" for ids in sets]
    return [", ".join(ids[:MAX_IDS]) + more for ids, more in zip(sets, hidden, strict=True)]


def _defect(name: str, examples: list[str]) -> list[str]:
    lines = [f"{len(examples)} {name}"] + [f"  {example}" for example in examples[:MAX_EXAMPLES]]
    hidden = len(examples) - MAX_EXAMPLES
    return lines + ([f"  and {hidden} more"] if hidden > 0 else [])
