"""Open galaxy images of any format."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from galfeat.data.dataset import DataSet
from galfeat.data.limits import Budget
from galfeat.data.readers.decode import is_image_name
from galfeat.data.readers.finding import (
    LABELS_FILE,
    ImageFile,
    file_kind,
    images_in,
    images_matching,
    kind_of_file,
)
from galfeat.data.readers.folder import FileDataSet, open_files, open_table
from galfeat.data.readers.npz import open_npz
from galfeat.errors import DataError

HDF5_SUFFIXES = frozenset({".h5", ".hdf5", ".hdf"})

EXPECTED = "expected a folder, labels.csv, .h5, .npz, or image files (.jpg, .png, .tif, .fits)"


def open_dataset(
    source: str | Path | Sequence[str | Path],
    *,
    label: str | None = None,
    images: str | None = None,
    max_bytes: int | None = None,
    bands: str | None = None,
) -> DataSet:
    """Open galaxy images without reading their pixels yet.

    Parameters
    ----------
    source : str, Path, or sequence of them
        An HDF5 file (``.h5``, ``.hdf5``), a ``.npz`` file, a folder with ``labels.csv``
        or that file, or images: an image file, a glob pattern, a folder of images, a
        folder of class folders, or several of these.
    label : str, optional
        Column, or HDF5 data set, of the labels. See `galfeat.data.catalogue.labels.read_labels`
        for the default.
    images : str, optional
        HDF5 data set or ``.npz`` array of the images; ``images`` by default.
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

    Raises
    ------
    DataError
        If the source does not exist, its format is unknown, the file is damaged or exceeds the
        memory, or a named column does not exist.

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
    try:
        data = _open(sources, label, images, max_bytes)
    except MemoryError as error:
        raise DataError(
            f"not enough memory to open {sources[0]}; open fewer images, or on another machine"
        ) from error
    if isinstance(data, FileDataSet):
        data.bands = bands
    return data


def _open(
    sources: Sequence[str | Path], label: str | None, images: str | None, max_bytes: int | None
) -> DataSet:
    path = Path(sources[0]) if len(sources) == 1 else None
    kind = None if path is None else file_kind(path)
    if path is not None and kind == stat.S_IFDIR and os.path.lexists(path / LABELS_FILE):
        return open_table(_regular(path / LABELS_FILE), label=label, max_bytes=max_bytes)
    if path is None or kind in (None, stat.S_IFDIR) or is_image_name(path):
        budget = Budget(max_bytes)
        files = _find_images(sources, budget)  # a pattern is not a file
        return open_files(files, label=label, budget=budget)
    _regular(path)
    if path.suffix.lower() == ".csv":
        return open_table(path, label=label, max_bytes=max_bytes)
    if path.suffix.lower() == ".npz":
        return open_npz(path, label=label, images=images, max_bytes=max_bytes)
    if path.suffix.lower() in HDF5_SUFFIXES:
        from galfeat.data.readers.hdf5 import HDF5DataSet

        return HDF5DataSet(path, label=label, images=images, max_bytes=max_bytes)
    raise DataError(f"{path} has an unknown format; {EXPECTED}")


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


def _find_images(sources: Sequence[str | Path], budget: Budget) -> list[ImageFile]:
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
            images = images_in(path, budget)
        elif kind is not None and not is_image_name(path):
            raise DataError(
                f"{path} is not an image file; open data sets one at a time. {EXPECTED}"
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
