"""Data sets of image files: a folder with labels.csv, class folders, single files."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import (
    Catalogue,
    build_catalogue,
    catalogue_columns,
    fixed_width,
)
from galfeat.data.catalogue.csv_table import FILE_COLUMNS, read_csv_columns
from galfeat.data.catalogue.labels import as_text
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.limits import Budget, listed
from galfeat.data.readers.decode import decode_file, decoding
from galfeat.data.readers.finding import LABELS_FILE as LABELS_FILE
from galfeat.data.readers.finding import ImageFile, check_regular
from galfeat.data.readers.pixels import TOO_LARGE
from galfeat.errors import DataError, ImageError

TRAINING_FILE = "training.csv"
FOLDER_LABEL = "folder"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class FileDataSet(DataSet):
    """Images in separate files, decoded when they are read.

    Only regular files are opened, and links to them.

    Parameters
    ----------
    paths : sequence of str or Path, length n
    catalogue : Catalogue

    Attributes
    ----------
    bands : str or None
        Bands of FITS images to show; see `galfeat.data.readers.read_fits`.

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

    def __init__(self, paths: Sequence[str | Path], catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._paths = paths
        self.bands: str | None = None

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Decode files; see `DataSet.read`."""
        with decoding():
            return list(self._images(row_numbers(rows, len(self)), jobs))

    def _read_within(
        self, rows: NDArray[np.intp], jobs: int, max_bytes: int
    ) -> list[Image | ImageError]:
        """Decode the first files; see `DataSet._read_within`."""
        images: list[Image | ImageError] = []
        size = 0
        with decoding():
            for image in self._images(rows, jobs):
                images.append(image)
                size += image.nbytes if isinstance(image, np.ndarray) else 0
                if size > max_bytes:
                    break
        return images

    def _images(self, rows: NDArray[np.intp], jobs: int) -> Iterator[Image | ImageError]:
        """Decode files in order, a few ahead of the one that is yielded."""
        paths = (self._paths[row] for row in rows)
        decode = partial(_decode_or_error, bands=self.bands)
        if jobs == 1 or len(rows) < 2:
            yield from map(decode, paths)
            return
        with ThreadPoolExecutor(jobs) as pool:
            waiting: deque[Future[Image | ImageError]] = deque()
            for path in paths:
                waiting.append(pool.submit(decode, path))
                if len(waiting) > 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


class _PathsBelow(Sequence[str]):
    """Paths relative to a folder, joined when needed."""

    def __init__(self, folder: Path, names: NDArray[np.str_]) -> None:
        self._folder, self._names = folder, names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return _PathsBelow(self._folder, self._names[row])
        return str(Path(self._folder, str(self._names[row])))


def open_table(
    path: Path, *, label: str | None = None, max_bytes: int | None = None
) -> FileDataSet:
    """Open the images listed in a CSV file.

    The file names, relative to the folder of the CSV file, are read from the first existing
    column of ``filename``, ``file``, ``path`` and ``image``; they are also the ids. Reading
    a missing file yields an `ImageError`. Only columns that are needed are read, into at most
    `max_bytes` of memory, by default ``GALFEAT_MAX_BYTES``, or 4 GiB.
    """
    budget = Budget(max_bytes)

    def needed(names: Collection[str]) -> list[str]:
        return [_file_column(names, path), *catalogue_columns(names, label)]

    table = read_csv_columns(path, needed, budget)
    name = _file_column(table.names, path)
    ids = fixed_width(as_text(table.columns[name], name), name, budget)
    if not ids.size:
        raise DataError(f"{path} lists no images; add one row per image")
    catalogue = build_catalogue(
        ids, table.names, table.columns.__getitem__, label=label, budget=budget
    )
    return FileDataSet(_PathsBelow(path.parent, ids), catalogue)


def _file_column(names: Collection[str], path: Path) -> str:
    name = next((name for name in FILE_COLUMNS if name in names), None)
    if name is not None:
        return name
    other = next((word for sign, word in _OTHER_SEPARATORS.items() if sign in "".join(names)), None)
    if len(names) == 1 and other is not None:
        raise DataError(
            f"the columns of {path} are separated by {other}; expected commas: save it as CSV with "
            "commas"
        )
    raise DataError(
        f"{path} has no column 'filename' (columns: {listed(names)}); rename the column of image "
        "files"
    )


def open_files(
    files: Sequence[ImageFile], *, label: str | None = None, budget: Budget | None = None
) -> FileDataSet:
    """Open image files; their ids are the paths as given.

    The label column is ``folder`` if any file has a class given by its folder.

    Raises
    ------
    DataError
        If the label column does not exist, or the names exceed the budget.
    """
    budget = Budget() if budget is None else budget
    columns: dict[str, NDArray[Any]] = {}
    if any(file.class_name for file in files):
        columns[FOLDER_LABEL] = np.array([file.class_name for file in files], dtype=object)
    paths = [file.path for file in files]
    catalogue = build_catalogue(
        fixed_width(paths, "filename", budget),
        columns,
        columns.__getitem__,
        label=label,
        guesses=(FOLDER_LABEL,),
        budget=budget,
    )
    return FileDataSet(paths, catalogue)


def _decode_or_error(path: str | Path, *, bands: str | None) -> Image | ImageError:
    try:
        check_regular(path)
        return decode_file(path, bands=bands)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError(f"{path}: {TOO_LARGE}")
