"""Open galaxy images of any format."""

from __future__ import annotations

import glob
import os
import stat
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from galfeat.data.dataset import DataSet
from galfeat.data.limits import Budget, LimitError, shortened
from galfeat.data.readers.decode import is_image_name
from galfeat.data.readers.finding import (
    LABELS_FILE,
    ImageFile,
    file_kind,
    images_in,
    images_matching,
    kind_of_file,
    skipped_files,
)
from galfeat.data.readers.folder import FileDataSet, open_files
from galfeat.data.readers.npz import open_npz
from galfeat.data.readers.splits import check_present, check_split
from galfeat.data.readers.table import is_table, open_table
from galfeat.errors import DataError, GalfeatWarning

HDF5_SUFFIXES = frozenset({".h5", ".hdf5", ".hdf"})

EXPECTED = (
    "expected a folder, a table such as labels.csv, .h5, .npz, or image files (.jpg, .png, .tif, "
    ".webp, .gif, .bmp, .fits)"
)


class _Options(NamedTuple):
    """The arguments of `open_dataset`."""

    label: str | None
    images: str | None
    file_column: str | None
    images_in: str | Path | None
    split: str | None
    max_bytes: int | None


def open_dataset(
    source: str | Path | Sequence[str | Path],
    *,
    label: str | None = None,
    images: str | None = None,
    file_column: str | None = None,
    images_in: str | Path | None = None,
    split: str | None = None,
    max_bytes: int | None = None,
    bands: str | None = None,
) -> DataSet:
    """Open galaxy images without reading their pixels yet.

    Parameters
    ----------
    source : str, Path, or sequence of them
        An HDF5 file (``.h5``, ``.hdf5``), a ``.npz`` file, a table that lists image files (CSV,
        Parquet, FITS, VOTable or ECSV) or a folder with ``labels.csv``, or images: an image
        file, a glob pattern, a folder of images, a folder of class folders, or several of these.
    label : str, optional
        Column, or HDF5 data set, of the labels. See `galfeat.data.catalogue.labels.read_labels`
        for the default.
    images : str, optional
        HDF5 data set or ``.npz`` array of the images; ``images`` by default.
    file_column : str, optional
        Column of a table with the names of the image files. By default the first of
        `galfeat.data.catalogue.files.FILE_COLUMNS`, such as ``filename`` or ``GalaxyID``.
    images_in : str or Path, optional
        The folder of the images that a table lists. By default that of the table, and the folder
        ``images`` in it.
    split : {"train", "test", "val", "all"}, optional
        Take only these of images that are divided by folders, such as ``train`` and ``test``, or
        by a column ``split`` of a table. All by default.
    max_bytes : int, optional
        Maximum memory for the columns and names of a data set, for the arrays of a ``.npz``
        file, and for the images of an HDF5 file that are read at once. By default the
        environment variable ``GALFEAT_MAX_BYTES``, or 4 GiB. A file that declares more is
        refused before memory is taken.
    bands : str, optional
        One or three bands of FITS images to show, such as ``"gri"``; see
        `galfeat.data.readers.read_fits`. Other images ignore it.

    Returns
    -------
    DataSet

    Warns
    -----
    GalfeatWarning
        If the ``labels.csv`` of a folder of images cannot be used; the images are opened
        without labels, unless `label` is given.

    Raises
    ------
    DataError
        If the source does not exist, its format is unknown, the file is damaged or exceeds the
        memory, a named column does not exist, or no image belongs to the split.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat import open_dataset
    >>> images = np.zeros((3, 64, 64, 3), np.uint8)
    >>> np.savez("galaxies.npz", images=images, ans=["spiral", "smooth", ""])
    >>> galaxies = open_dataset("galaxies.npz")
    >>> len(galaxies), galaxies.class_names
    (3, ('smooth', 'spiral'))
    >>> galaxies.labels
    array([ 1,  0, -1])
    >>> galaxies.read([0])[0].shape
    (64, 64, 3)
    """
    sources = _paths(source)
    options = _Options(label, images, file_column, images_in, check_split(split), max_bytes)
    try:
        data = _open(sources, options)
    except MemoryError as error:
        raise DataError(
            f"not enough memory to open {sources[0]}; open fewer images, or on another machine"
        ) from error
    if isinstance(data, FileDataSet):
        data.bands = bands
    return data


def _open(sources: Sequence[str | Path], options: _Options) -> DataSet:
    path = Path(sources[0]) if len(sources) == 1 else None
    kind = None if path is None else file_kind(path)
    if path is not None and kind == stat.S_IFDIR and os.path.lexists(path / LABELS_FILE):
        return _open_folder_with_table(path, options)
    if path is not None and kind == stat.S_IFREG and is_table(path):
        return _open_table(path, options)
    if options.file_column or options.images_in:
        missing = path is not None and kind is None and not glob.has_magic(str(path))
        problem = "does not exist" if missing else "is not a table"
        raise DataError(
            f"{sources[0] if sources else 'nothing'} {problem}; a column of files and the folder "
            "of the images are given only with a table that lists images"
        )
    if path is None or kind in (None, stat.S_IFDIR) or is_image_name(path):
        return _open_images(sources, options)  # a pattern is not a file
    _regular(path)
    if options.split is not None:
        check_present(options.split, (), path)
    if path.suffix.lower() == ".npz":
        return open_npz(
            path, label=options.label, images=options.images, max_bytes=options.max_bytes
        )
    if path.suffix.lower() in HDF5_SUFFIXES:
        from galfeat.data.readers.hdf5 import HDF5DataSet

        return HDF5DataSet(
            path, label=options.label, images=options.images, max_bytes=options.max_bytes
        )
    raise DataError(f"{path} has an unknown format; {EXPECTED}")


def _open_table(path: Path, options: _Options) -> FileDataSet:
    return open_table(
        path,
        label=options.label,
        file_column=options.file_column,
        images_in=options.images_in,
        split=options.split,
        max_bytes=options.max_bytes,
    )


def _open_folder_with_table(folder: Path, options: _Options) -> FileDataSet:
    """Open the images listed in the table of a folder, or else all in it, without labels."""
    table = _regular(folder / LABELS_FILE)
    if options.label or options.file_column or options.images_in or options.split:
        return _open_table(table, options)
    opened: FileDataSet | None = None
    try:
        opened = _open_table(table, options)
        if opened.any_found():
            return opened
        problem = DataError(
            f"none of the {len(opened)} images that {table} lists exists, such as "
            f"{shortened(str(opened.ids[0]))}; correct the names, or give the folder of the images "
            "with --images-in"
        )
    except LimitError:
        raise
    except DataError as error:
        problem = error
    try:
        images = _open_images([folder], options, ignore_table=True)
    except DataError:
        if opened is not None:
            return opened
        raise problem from None
    warnings.warn(
        f"continuing with all images in {folder}, without labels: {problem}",
        GalfeatWarning,
        stacklevel=4,
    )
    return images


def _open_images(
    sources: Sequence[str | Path], options: _Options, *, ignore_table: bool = False
) -> FileDataSet:
    """Open folders, patterns and files; without labels if a table in the folder is ignored."""
    budget = Budget(options.max_bytes)
    skipped: Counter[str] = Counter()
    files = _find_images(sources, budget, skipped, ignore_table=ignore_table)
    if options.split is not None:
        check_present(options.split, {file.split for file in files}, sources[0])
        files = [file for file in files if file.split == options.split]
    if ignore_table:
        files = [ImageFile(file.path) for file in files]
    opened = open_files(files, label=options.label, budget=budget)
    if skipped:
        opened.notes = (skipped_files(skipped),)
    return opened


def _paths(source: Any) -> list[str | Path]:  # noqa: ANN401
    """Return the sources as a list of paths."""
    single = isinstance(source, str | os.PathLike) or not isinstance(source, Iterable)
    paths = [source] if single else list(source)
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise DataError(f"{path!r} is not a path; {EXPECTED}")
        if not str(path):
            raise DataError(f"a path is empty; {EXPECTED}")
    return paths


def _regular(path: Path) -> Path:
    """Return a path; raise DataError unless it is a regular file."""
    kind = file_kind(path)
    if kind is None:
        raise DataError(f"{path} is a link that leads nowhere; {EXPECTED}")
    if kind != stat.S_IFREG:
        raise DataError(f"{path} is {kind_of_file(kind)}; {EXPECTED}")
    return path


def _find_images(
    sources: Sequence[str | Path], budget: Budget, skipped: Counter[str], *, ignore_table: bool
) -> list[ImageFile]:
    """Expand patterns and folders, each sorted by name, in the order given."""
    files: list[ImageFile] = []
    for source in sources:
        path = Path(source)
        try:
            kind = file_kind(path)
        except DataError:
            if len(sources) == 1 or not is_image_name(path):
                raise
            kind = stat.S_IFREG  # reading it returns the error in its row
        if kind == stat.S_IFDIR:
            images = images_in(path, budget, ignore_table=ignore_table, skipped=skipped)
        elif kind is not None and not is_image_name(path):
            raise DataError(
                f"{path} is not an image file; {EXPECTED}; open data sets one at a time"
            )
        else:
            images = [ImageFile(str(path))] if kind is not None else images_matching(str(source))
        if not images and len(sources) > 1 and is_image_name(path):
            images = [ImageFile(str(path))]  # reading it returns the error in its row
        if not images:
            raise DataError(f"found neither a data set nor images at {path}; {EXPECTED}")
        files.extend(images)
    if not files:
        raise DataError(f"no path was given; {EXPECTED}")
    return files
