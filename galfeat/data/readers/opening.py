"""Open galaxy images of any format."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from galfeat.data.dataset import DataSet
from galfeat.data.readers.arrays import open_npz
from galfeat.data.readers.decode import is_image_name
from galfeat.data.readers.folder import LABELS_FILE, ImageFile, images_in, open_files, open_table
from galfeat.errors import DataError

HDF5_SUFFIXES = frozenset({".h5", ".hdf5", ".hdf"})

EXPECTED = "expected a folder, labels.csv, .h5, .npz, or image files (.jpg, .png, .tif, .fits)"


def open_dataset(
    source: str | Path | Sequence[str | Path],
    *,
    label: str | None = None,
    images: str | None = None,
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

    Returns
    -------
    DataSet

    Raises
    ------
    DataError
        If the source does not exist, its format is unknown, the file is damaged, or a named
        column does not exist.

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
    path = Path(sources[0]) if len(sources) == 1 else None
    if path is not None and (path / LABELS_FILE).is_file():
        return open_table(path / LABELS_FILE, label=label)
    if path is None or not path.is_file() or is_image_name(path):  # a pattern is not a file
        return open_files(_find_images(sources), label=label)
    if path.suffix.lower() == ".csv":
        return open_table(path, label=label)
    if path.suffix.lower() == ".npz":
        return open_npz(path, label=label, images=images)
    if path.suffix.lower() in HDF5_SUFFIXES:
        from galfeat.data.readers.hdf5 import HDF5DataSet

        return HDF5DataSet(path, label=label, images=images)
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
        try:
            Path(path).exists()
        except OSError as error:
            raise DataError(f"{path} cannot be opened ({error.strerror}); {EXPECTED}") from error
    return paths


def _find_images(sources: Sequence[str | Path]) -> list[ImageFile]:
    """Expand patterns and folders, each sorted by name, in the order given."""
    files: list[ImageFile] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            images = images_in(path)
        elif path.is_file() and not is_image_name(path):
            raise DataError(
                f"{path} is not an image file; open data sets one at a time. {EXPECTED}"
            )
        else:
            images = [ImageFile(path)] if path.is_file() else _expand(str(source))
        if not images and len(sources) > 1 and is_image_name(path):
            images = [ImageFile(path)]  # reading it returns the error in its row
        if not images:
            raise DataError(f"found neither a data set nor images at {path}; {EXPECTED}")
        files.extend(images)
    if not files:
        raise DataError(f"no path was given; {EXPECTED}")
    return files


def _expand(pattern: str) -> list[ImageFile]:
    names = sorted(glob.glob(pattern, recursive=True))
    return [ImageFile(Path(name)) for name in names if is_image_name(name)]
