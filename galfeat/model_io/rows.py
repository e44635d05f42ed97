"""Which images a model was fitted to, and which were held back from it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from galfeat.data.digest import among
from galfeat.data.fetch.training import read_training
from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.model_io.manifest import ROWS, read_manifest, verified_contents
from galfeat.model_io.shipped import model_folder

Digests = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ModelRows:
    """The images a model has to do with.

    Attributes
    ----------
    training : ndarray of uint8, shape (n, 16)
        Digests of the decoded pixels of the images the model was fitted on.
    held_out : ndarray of uint8, shape (m, 16)
        Of images held back from it, to score it on.
    objects : frozenset of str
        The galaxies on the images it was fitted on by their names in their survey; empty for a
        model whose folder does not list them.
    """

    training: Digests
    held_out: Digests
    objects: frozenset[str] = frozenset()

    def learned(self, digests: Digests, groups: NDArray[np.str_] | None) -> NDArray[np.bool_]:
        """Tell which images are training images, or show a galaxy of one.

        Parameters
        ----------
        digests : ndarray of uint8, shape (k, 16)
        groups : ndarray of str, shape (k,), or None
            The data set's groups; the name of an object tells it in any rendering.
        """
        same = among(digests, self.training)
        if groups is None or not self.objects:
            return same
        result: NDArray[np.bool_] = same | np.isin(groups, sorted(self.objects))
        return result


def read_rows(folder: str | Path) -> ModelRows:
    """Read and verify which images a model was fitted on and which were held out.

    Raises
    ------
    ModelError
        If the folder is missing or damaged.
    """
    folder = model_folder(folder)
    files = read_manifest(folder)["files"]
    listed: list[str] = []
    if TRAINING_FILE in files:
        verified_contents(folder, TRAINING_FILE, files[TRAINING_FILE])
        listed = [one.name for one in read_training(folder / TRAINING_FILE)]
    with np.load(
        io.BytesIO(verified_contents(folder, ROWS, files[ROWS])), allow_pickle=False
    ) as rows:
        return ModelRows(rows["training"], rows["held_out"], frozenset(listed))
