"""The one way to open galaxy images."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

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
    """Open galaxy images, without reading them yet.

    Parameters
    ----------
    source : str, Path, or sequence of them
        An HDF5 file (``.h5``, ``.hdf5``), a ``.npz`` file, a folder with ``labels.csv``
        or that file, or images: an image file, a glob pattern, a folder of images, a
        folder of class folders, or several of these.
    label : str, optional
        The column, or HDF5 data set, of the labels. See `galfeat.data.catalogue.labels.read_labels`
        for the default.
    images : str, optional
        The HDF5 data set or ``.npz`` array of the images; ``images`` by default.

    Returns
    -------
    DataSet

    Raises
    ------
    DataError
        If nothing is there, the format is unknown, the file is damaged, or a named
        column does not exist.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    path = Path(sources[0]) if len(sources) == 1 else None
    if path is not None and (path / LABELS_FILE).is_file():
        return open_table(path / LABELS_FILE, label=label)
    if path is None or not path.is_file() or is_image_name(path):  # a pattern is no file
        return open_files(_find_images(sources), label=label)
    if path.suffix.lower() == ".csv":
        return open_table(path, label=label)
    if path.suffix.lower() == ".npz":
        return open_npz(path, label=label, images=images)
    if path.suffix.lower() in HDF5_SUFFIXES:
        from galfeat.data.readers.hdf5 import HDF5DataSet

        return HDF5DataSet(path, label=label, images=images)
    raise DataError(f"{path} is of no known format; {EXPECTED}")


def _find_images(sources: Sequence[str | Path]) -> list[ImageFile]:
    """Expand patterns and folders; in the order given, within each in order of name."""
    files: list[ImageFile] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            found = images_in(path)
        elif path.is_file() and not is_image_name(path):
            raise DataError(f"{path} is no image file; open data sets one at a time. {EXPECTED}")
        else:
            found = [ImageFile(path)] if path.is_file() else _expand(str(source))
        if not found and len(sources) > 1 and is_image_name(path):
            found = [ImageFile(path)]  # reading it gives the error in its place; the others go on
        if not found:
            raise DataError(f"found neither a data set nor images at {path}; {EXPECTED}")
        files.extend(found)
    if not files:
        raise DataError(f"nothing was given to open; {EXPECTED}")
    return files


def _expand(pattern: str) -> list[ImageFile]:
    names = sorted(glob.glob(pattern, recursive=True))
    return [ImageFile(Path(name)) for name in names if is_image_name(name)]
