"""The images a model was fitted to, and those that were held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat.data.digest import among
from galfeat.data.duplicates.fingerprint import LENGTH, copies_among, fingerprints
from galfeat.data.fetch.training import read_training
from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.errors import DataError, ModelError
from galfeat.model_io.manifest import (
    LIMITS,
    ROWS,
    damaged,
    read_manifest,
    verified_contents,
    verify,
)
from galfeat.model_io.shipped import model_folder
from galfeat.storage.reading import unpack_arrays

Digests = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ModelRows:
    """Training images and held-out images of a model.

    Attributes
    ----------
    training : ndarray of uint8, shape (n, 16)
        Digests of the decoded pixels of the training images.
    held_out : ndarray of uint8, shape (m, 16)
        Digests of the images held out for scoring.
    objects : frozenset of str
        Survey names of the galaxies in the training images; empty if the model folder does not
        list them.
    fingerprints : ndarray of uint8, shape (n, 184), or None
        `galfeat.data.duplicates.fingerprints` of the training images; None for models fitted
        before version 0.2.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.model_io import ModelRows
    >>> digests = np.arange(48, dtype=np.uint8).reshape(3, 16)
    >>> rows = ModelRows(training=digests[:2], held_out=digests[2:])
    >>> rows.learned(digests, groups=None)
    array([ True,  True, False])
    """

    training: Digests
    held_out: Digests
    objects: frozenset[str] = frozenset()
    fingerprints: NDArray[np.uint8] | None = None

    def learned(self, digests: Digests, groups: NDArray[np.str_] | None) -> NDArray[np.bool_]:
        """Return which images are training images or show the same galaxy as one.

        Parameters
        ----------
        digests : ndarray of uint8, shape (k, 16)
        groups : ndarray of str, shape (k,), or None
            The data set's groups; object names identify a galaxy in any rendering.
        """
        same_pixels = among(digests, self.training)
        if groups is None or not self.objects:
            return same_pixels
        result: NDArray[np.bool_] = same_pixels | np.isin(groups, sorted(self.objects))
        return result

    def copied(self, sketches: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return which images are copies of training images: re-encoded, turned or mirrored.

        Parameters
        ----------
        sketches : ndarray of uint8, shape (k, 1216)
            `galfeat.data.duplicates.sketch` of each image.
        """
        if self.fingerprints is None:
            return np.zeros(len(sketches), np.bool_)
        return copies_among(fingerprints(sketches), self.fingerprints)


def read_rows(folder: str | Path) -> ModelRows:
    """Read and verify the records of a model's training and held-out images.

    Raises
    ------
    ModelError
        If the folder is missing or damaged.

    Examples
    --------
    >>> from galfeat.model_io import read_rows
    >>> read_rows("galaxy10").training.shape
    (723, 16)
    """
    folder = model_folder(folder)
    files = read_manifest(folder)["files"]
    listed: list[str] = []
    if TRAINING_FILE in files:
        verify(folder, TRAINING_FILE, files[TRAINING_FILE])
        try:
            listed = [galaxy.name for galaxy in read_training(folder / TRAINING_FILE)]
        except DataError as error:
            raise ModelError(f"model {folder} is damaged: {error}") from error
    try:
        rows = unpack_arrays(verified_contents(folder, ROWS, files[ROWS]), LIMITS[ROWS])
    except ValueError as error:
        raise damaged(folder, ROWS, str(error)) from error
    for name in ("training", "held_out"):
        found = rows.get(name)
        if found is None or found.dtype != np.uint8 or found.ndim != 2 or found.shape[1] != 16:
            raise damaged(folder, ROWS, f"it has no digests of 16 bytes of the {name} images")
    found = rows.get("fingerprints")
    expected = (len(rows["training"]), LENGTH)
    if found is not None and (found.dtype != np.uint8 or found.shape != expected):
        raise damaged(
            folder, ROWS, f"its fingerprints are not {LENGTH} bytes for each training image"
        )
    return ModelRows(rows["training"], rows["held_out"], frozenset(listed), found)
