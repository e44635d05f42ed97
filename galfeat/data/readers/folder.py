"""Data sets of image files: a folder with labels.csv, class folders, single files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue, build_catalogue
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.readers.decode import decode_file, decoding, is_image_name
from galfeat.errors import DataError, ImageError

LABELS_FILE = "labels.csv"
TRAINING_FILE = "training.csv"
FOLDER_LABEL = "folder"
FILE_COLUMNS = ("filename", "file", "path", "image")


class FileDataSet(DataSet):
    """Images in separate files, decoded when they are read.

    Parameters
    ----------
    paths : sequence of Path, length n
    catalogue : Catalogue

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from galfeat.data.catalogue import Catalogue
    >>> from galfeat.data.readers import FileDataSet
    >>> data = FileDataSet([Path("missing.png")], Catalogue(np.array(["m51"]), np.array([-1])))
    >>> type(data.read([0])[0])
    <class 'galfeat.errors.ImageError'>
    """

    def __init__(self, paths: Sequence[Path], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._paths = list(paths)

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Decode files; see `DataSet.read`."""
        paths = [self._paths[row] for row in row_numbers(rows, len(self))]
        with decoding():
            if jobs == 1 or len(paths) < 2:
                return [_decode_or_error(path) for path in paths]
            with ThreadPoolExecutor(jobs) as pool:
                return list(pool.map(_decode_or_error, paths))


def open_table(path: Path, *, label: str | None = None) -> FileDataSet:
    """Open the images listed in a CSV file.

    The file names, relative to the folder of the CSV file, are read from the first existing
    column of ``filename``, ``file``, ``path`` and ``image``; they are also the ids. Reading
    a missing file yields an `ImageError`.
    """
    columns = read_csv(path)
    name = next((name for name in FILE_COLUMNS if name in columns), None)
    if name is None:
        raise DataError(
            f"{path} has no column 'filename'; it has {', '.join(columns) or 'none'}: "
            "rename the column of image files"
        )
    ids = columns[name]
    if not ids.size:
        raise DataError(f"{path} lists no images; add one row per image")
    catalogue = build_catalogue(ids, columns, columns.__getitem__, label=label)
    return FileDataSet([path.parent / file for file in ids], catalogue)


class ImageFile(NamedTuple):
    """An image file and the class given by its folder, empty if none."""

    path: Path
    class_name: str = ""


def images_in(folder: Path) -> list[ImageFile]:
    """List the images in a folder and its sub-folders, sorted by name.

    If at least two sub-folders contain images, their names are the classes of their images;
    images outside them have no class.

    Raises
    ------
    DataError
        If the folder contains no images, or a table of labels.
    """
    if (folder / LABELS_FILE).is_file():
        raise DataError(
            f"{folder} has a {LABELS_FILE}; open it by itself, or its images by a pattern, "
            "without labels"
        )
    paths = (path.relative_to(folder) for path in folder.rglob("*") if is_image_name(path))
    names = sorted(name for name in paths if not any(part.startswith(".") for part in name.parts))
    if not names:
        raise DataError(
            f"{folder} contains no images; expected JPEG, PNG, TIFF or FITS files, or {LABELS_FILE}"
        )
    classes = [name.parts[0] if len(name.parts) > 1 else "" for name in names]
    if len(set(classes) - {""}) < 2:
        return [ImageFile(folder / name) for name in names]
    return [ImageFile(folder / name, label) for name, label in zip(names, classes, strict=True)]


def open_files(files: Sequence[ImageFile], *, label: str | None = None) -> FileDataSet:
    """Open image files; their ids are the paths as given.

    The label column is ``folder`` if any file has a class given by its folder.

    Raises
    ------
    DataError
        If the label column does not exist.
    """
    columns: dict[str, NDArray[Any]] = {}
    if any(file.class_name for file in files):
        columns[FOLDER_LABEL] = np.array([file.class_name for file in files])
    ids = np.array([str(file.path) for file in files])
    catalogue = build_catalogue(
        ids, columns, columns.__getitem__, label=label, guesses=(FOLDER_LABEL,)
    )
    return FileDataSet([file.path for file in files], catalogue)


def read_csv(path: Path) -> dict[str, NDArray[np.str_]]:
    """Read a CSV file with a header as columns of stripped text."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = [row for row in csv.reader(stream) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file in UTF-8 ({error})") from error
    names = [name.strip() for name in header]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise DataError(
                f"{path}, row {number}, has {len(row)} cells; its header has {len(names)}"
            )
    return {
        name: np.array([row[position].strip() for row in rows], dtype=np.str_)
        for position, name in enumerate(names)
    }


def _decode_or_error(path: Path) -> Image | ImageError:
    try:
        return decode_file(path)
    except ImageError as error:
        return error
