"""Data sets of image files, decoded when they are read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from galfeat.data.catalogue.catalogue import Catalogue, build_catalogue, fixed_width
from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.data.limits import Budget
from galfeat.data.readers.decode import decode_file, decoding
from galfeat.data.readers.finding import LABELS_FILE as LABELS_FILE
from galfeat.data.readers.finding import ImageFile, check_regular
from galfeat.data.readers.listed import ListedFiles
from galfeat.data.readers.pixels import TOO_LARGE
from galfeat.errors import ImageError

TRAINING_FILE = "training.csv"
FOLDER_LABEL = "folder"


class FileDataSet(DataSet):
    """Images in separate files, decoded when they are read.

    Only regular files are opened, and links to them.

    Parameters
    ----------
    paths : sequence of str or Path, length n
        May raise `ImageError` for a row.
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
        paths = map(self._path_or_error, rows)
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

    def any_found(self) -> bool:
        """Return whether any of the first 10,000 files exists."""
        if isinstance(self._paths, ListedFiles):
            return self._paths.any_found()
        return any(map(os.path.lexists, self._paths))

    def _path_or_error(self, row: int) -> str | Path | ImageError:
        try:
            return self._paths[row]
        except ImageError as error:
            return error


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
    splits = np.array([file.split for file in files], dtype=np.str_)
    catalogue = build_catalogue(
        fixed_width(paths, "filename", budget),
        columns,
        columns.__getitem__,
        label=label,
        guesses=(FOLDER_LABEL,),
        budget=budget,
        splits=splits if (splits != "").any() else None,
    )
    return FileDataSet(paths, catalogue)


def _decode_or_error(path: str | Path | ImageError, *, bands: str | None) -> Image | ImageError:
    if isinstance(path, ImageError):
        return path
    try:
        check_regular(path)
        return decode_file(path, bands=bands)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError(f"{path}: {TOO_LARGE}")
