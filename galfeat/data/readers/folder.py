"""Image files as a data set: a folder with labels.csv, class folders, loose files."""

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
    """One galaxy per file; files are decoded when they are read.

    Parameters
    ----------
    paths : sequence of Path, length n
    catalogue : Catalogue
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
    """Open the images a CSV file lists.

    The file names stand in the first column of ``filename``, ``file``, ``path``,
    ``image`` that exists, relative to the folder of the CSV file. A listed file that
    does not exist becomes an `ImageError` when it is read. The ids are these names.
    """
    columns = read_csv(path)
    name = next((name for name in FILE_COLUMNS if name in columns), None)
    if name is None:
        raise DataError(
            f"{path} has no column 'filename'; it has {', '.join(columns) or 'none'}: "
            "name the column of image files so"
        )
    ids = columns[name]
    if not ids.size:
        raise DataError(f"{path} lists no images; give it a row for each image")
    catalogue = build_catalogue(ids, columns, columns.__getitem__, label=label)
    return FileDataSet([path.parent / file for file in ids], catalogue)


class ImageFile(NamedTuple):
    """An image file and the class that its folder gives it, empty if none."""

    path: Path
    class_name: str = ""


def images_in(folder: Path) -> list[ImageFile]:
    """List the images in a folder and below it, in order of name.

    If two sub-folders or more hold images, the names of these sub-folders are their
    classes; images beside them have none.

    Raises
    ------
    DataError
        If there is no image, or it is the folder of a table.
    """
    if (folder / LABELS_FILE).is_file():
        raise DataError(
            f"{folder} has a {LABELS_FILE}; open it by itself, or its images by a pattern, "
            "without labels"
        )
    found = (path.relative_to(folder) for path in folder.rglob("*") if is_image_name(path))
    names = sorted(name for name in found if not any(part.startswith(".") for part in name.parts))
    if not names:
        raise DataError(
            f"{folder} holds no images; expected JPEG, PNG, TIFF or FITS files, or {LABELS_FILE}"
        )
    classes = [name.parts[0] if len(name.parts) > 1 else "" for name in names]
    if len(set(classes) - {""}) < 2:
        return [ImageFile(folder / name) for name in names]
    return [ImageFile(folder / name, one) for name, one in zip(names, classes, strict=True)]


def open_files(files: Sequence[ImageFile], *, label: str | None = None) -> FileDataSet:
    """Open image files; their ids are the paths as given.

    The label column is ``folder`` if the folder of one of them is its class.

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
        name: np.array([row[place].strip() for row in rows], dtype=np.str_)
        for place, name in enumerate(names)
    }


def _decode_or_error(path: Path) -> Image | ImageError:
    try:
        return decode_file(path)
    except ImageError as error:
        return error
