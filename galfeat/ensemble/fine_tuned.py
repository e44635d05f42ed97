"""The small network, fine-tuned within each fold, with the interface of a table classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from galfeat.ensemble.pytorch import one_torch_thread
from galfeat.errors import PipelineError
from galfeat.features.planes import SHAPE, PlanesTable, mirrored
from galfeat.features.shipped_networks import START, shipped_network
from galfeat.pipeline.members import require_packages

_SEEDS = np.iinfo(np.int32).max
_COLUMNS = int(np.prod(SHAPE)) + 1


class FineTunedNetwork(ClassifierMixin, BaseEstimator):
    """Classify galaxies given as rows of the family `planes`.

    Fitting starts from a network pre-trained on simulated galaxies only and trains all of its
    layers on the given rows, so no other real galaxy influences it. An ensemble combines its
    out-of-fold class scores, never its activations. Fitting requires PyTorch
    (``pip install 'galfeat[cnn]'``); predicting does not. One thread is used, and results are
    bit-identical for the same seed.

    Parameters
    ----------
    epochs : int
        Passes over the training galaxies.
    learning_rate : float
        Maximum of the schedule.
    batch_size : int
        Galaxies per step.
    random_state : int, RandomState or None
        Seed of the order, the augmentation and the masked regions.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    network_ : Network
        Maps planes to class scores.
    """

    _parameter_constraints = {  # noqa: RUF012
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        epochs: int = 15,
        learning_rate: float = 5e-4,
        batch_size: int = 64,
        random_state: Any = 0,  # noqa: ANN401
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> FineTunedNetwork:
        """Fine-tune the network.

        Parameters
        ----------
        X : array_like of float, shape (n, 20481)
            Columns of the family `planes`; NaN, where no galaxy was found, counts as 0.
        y : array_like, shape (n,)
        sample_weight : array_like of float, shape (n,), optional

        Raises
        ------
        MissingDependencyError
            If PyTorch or onnx is not installed.
        PipelineError
            If the columns are not those of the family `planes`.
        """
        require_packages("network")
        from galfeat.embedding.fine_tuning import fine_tune

        self._validate_params()
        planes = _planes(X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        with one_torch_thread():
            self.network_ = fine_tune(
                shipped_network(START),
                planes,
                planes.is_round(),
                codes,
                weights=weights,
                epochs=self.epochs,
                learning_rate=self.learning_rate,
                batch_size=self.batch_size,
                seed=int(check_random_state(self.random_state).randint(_SEEDS)),
            )
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k), from scores averaged over flips."""
        planes = _planes(X)
        scores = [
            self.network_.run(mirrored(planes[row])).mean(axis=0) for row in range(len(planes))
        ]
        result: NDArray[np.float64] = softmax(np.array(scores, np.float64), axis=1)
        return result

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n,)."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels


def _planes(X: ArrayLike) -> PlanesTable:
    table = np.asarray(X, np.float32)
    if table.ndim != 2 or table.shape[1] != _COLUMNS:
        raise PipelineError(
            f"a network was given {table.shape[-1]:,} columns; it takes the {_COLUMNS:,} of the "
            "family 'planes': give the member families = [\"planes\"]"
        )
    return PlanesTable(table)
