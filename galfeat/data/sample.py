"""Draw stratified random samples and write data sets to disk."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.dataset import DataSet, Image
from galfeat.data.packing import hdf5_file, metadata_columns, write_metadata
from galfeat.errors import DataError, GalfeatWarning, ImageError
from galfeat.storage.atomic import atomic_file, atomic_folder
from galfeat.storage.cells import ORIGINAL_BYTES


def stratified_sample(
    labels: ArrayLike,
    per_class: int,
    seed: int = 0,
    class_names: Sequence[str] | None = None,
) -> NDArray[np.intp]:
    """Draw the same number of rows from each class at random.

    Parameters
    ----------
    labels : array_like of int, shape (n,)
        Classes; rows with -1 have no label and are never drawn.
    per_class : int
        Number of rows per class, at least 1.
    seed : int, default 0
        The rows drawn from one class do not depend on the other classes.
    class_names : sequence of str, optional
        For the warning, including classes without rows.

    Returns
    -------
    ndarray of int
        Row numbers, ascending.

    Warns
    -----
    GalfeatWarning
        If a class has fewer rows; all of them are taken.

    Raises
    ------
    DataError
        If no row has a label, or `per_class` is less than 1.

    Examples
    --------
    >>> from galfeat.data import stratified_sample
    >>> rows = stratified_sample([0, 1, 0, 1, 0, -1], per_class=2)
    >>> len(rows), 5 in rows
    (4, False)
    """
    labels = np.asarray(labels)
    if per_class < 1:
        raise DataError(f"cannot draw {per_class} rows per class; ask for at least 1")
    if not (labels >= 0).any():
        raise DataError("no row has a label to sample by; specify the label column with --label")
    present = np.unique(labels[labels >= 0])
    chosen: list[NDArray[np.intp]] = []
    small: list[str] = []
    for number in present if class_names is None else range(len(class_names)):
        rows = np.flatnonzero(labels == number)
        if len(rows) < per_class:
            name = number if class_names is None else class_names[number]
            small.append(f"{name} ({len(rows)})")
        chosen.append(np.random.default_rng([seed, number]).permutation(rows)[:per_class])
    if small:
        warnings.warn(
            f"all rows are taken of classes with fewer than {per_class}: {', '.join(small)}",
            GalfeatWarning,
            stacklevel=2,
        )
    return np.sort(np.concatenate(chosen))


def write_dataset(data: DataSet, path: str | Path, *, jobs: int = 1) -> dict[int, ImageError]:
    """Write a data set, pixel for pixel, in a format that `open_dataset` reads.

    Parameters
    ----------
    data : DataSet
        Read completely into memory.
    path : str or Path
        A ``.h5`` or ``.npz`` file for images of equal size, in the layout of Galaxy10:
        ``images``, ``ans`` with the ``class_names``, ``ra``, ``dec``. A name without
        suffix for a folder of PNG files with ``labels.csv``. All formats also contain, if
        known, the labels under their original column name, ``original_id``, ``group_id``
        and ``source``.
    jobs : int, default 1
        Number of decoding threads.

    Returns
    -------
    dict
        Errors of the unreadable rows, which were left out, by row number.

    Raises
    ------
    DataError
        If the suffix is unknown, no image can be read, or the sizes differ but the format
        requires equal ones.
    OutputError
        If `path` cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet, open_dataset, write_dataset
    >>> data = ArrayDataSet(np.zeros((3, 16, 16, 3), np.uint8), labels=["a", "b", "a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     errors = write_dataset(data, f"{folder}/sample.npz")
    ...     open_dataset(f"{folder}/sample.npz").labels.tolist(), errors
    ([0, 1, 0], {})
    """
    target = Path(path)
    write = {".h5": _write_hdf5, ".npz": _write_npz, "": _write_folder}.get(target.suffix.lower())
    if write is None:
        raise DataError(
            f"{target} has an unknown suffix; choose a .h5 or .npz file, or a folder without suffix"
        )
    results = data.read(np.arange(len(data)), jobs)
    errors = {row: result for row, result in enumerate(results) if isinstance(result, ImageError)}
    images = [result for result in results if not isinstance(result, ImageError)]
    if not images:
        raise DataError("the data set has no readable image to write; see `galfeat data info`")
    write(target, images, data.select([row for row in range(len(data)) if row not in errors]))
    return errors


def _stack(images: list[Image], target: Path) -> NDArray[np.uint8]:
    sizes = sorted({image.shape for image in images})
    if len(sizes) > 1:
        raise DataError(
            f"images have {len(sizes)} sizes, from {sizes[0][:2]} to {sizes[-1][:2]}, but "
            f"{target.name} requires equal sizes; choose a folder without a suffix instead"
        )
    return np.stack(images)


def _write_hdf5(target: Path, images: list[Image], data: DataSet) -> None:
    with hdf5_file(target) as (file, check):
        file["images"] = _stack(images, target)
        check()
        write_metadata(file, data)


def _write_npz(target: Path, images: list[Image], data: DataSet) -> None:
    arrays: dict[str, NDArray[np.generic]] = {
        "images": _stack(images, target),
        **metadata_columns(data),
    }
    if data.label_column is not None:
        arrays |= dict.fromkeys(("ans", data.label_column), data.labels)
        arrays["class_names"] = np.array(data.class_names)
    with atomic_file(target) as temporary, temporary.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _write_folder(target: Path, images: list[Image], data: DataSet) -> None:
    from PIL import Image as Pillow

    columns = {name: list(values) for name, values in metadata_columns(data).items()}
    if data.label_column is not None:
        names = [data.class_names[label] if label >= 0 else "" for label in data.labels]
        columns = {
            data.label_column: names,
            "class_id": [label if label >= 0 else "" for label in data.labels],
            "class_name": names,
        } | columns
    with atomic_folder(target) as folder:
        (folder / "images").mkdir()
        files = [f"images/{row:06d}.png" for row in range(len(images))]
        for file, image in zip(files, images, strict=True):
            Pillow.fromarray(image).save(folder / file)
        with (folder / "labels.csv").open(
            "w", newline="", encoding="utf-8", errors=ORIGINAL_BYTES
        ) as stream:
            table = csv.writer(stream)
            table.writerow(["filename", *columns])
            table.writerows(zip(files, *columns.values(), strict=True))
