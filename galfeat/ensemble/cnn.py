"""A plain convolutional network on pixels, with the interface of a table classifier."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from galfeat.ensemble import networks
from galfeat.ensemble.networks import Dense, Layer, Tensors, Weights
from galfeat.ensemble.pytorch import one_torch_thread
from galfeat.errors import PipelineError
from galfeat.pipeline.members import Member, require_packages

_SEEDS = np.iinfo(np.int32).max
_MOMENTUM = 0.9
# Rows processed at a time.
_BLOCK = 64
#: Settings of the trees that replace the softmax, as in the pipeline `lightgbm`.
_BOOSTING = {"n_estimators": 100, "learning_rate": 0.05, "num_leaves": 15, "min_child_samples": 10}


class ConvolutionalNetwork(ClassifierMixin, BaseEstimator):
    """Classify images given as rows of pixels, with a small network trained from scratch.

    Fitting and predicting require PyTorch (``pip install 'galfeat[cnn]'``) and use one thread.
    Weights are stored as numpy arrays, so a saved model loads without PyTorch. Results are
    bit-identical for the same seed.

    Parameters
    ----------
    side : int
        Side of the images in pixels, at least 8. Rows have ``3 * side**2`` columns with the
        three colours of each pixel adjacent, as in families such as ``pixels-64``.
    colour : bool
        Whether to use the three colours rather than their mean.
    architecture : {"plain", "astronn"}
        See `galfeat.ensemble.networks`.
    filters : int
        Filters of each convolution in the plain network.
    activation : {"relu", "sigmoid"}
    optimiser : {"adam", "sgd"}
        Adam (Kingma & Ba 2015, arXiv:1412.6980), or gradient descent with a momentum of 0.9.
    learning_rate : float
    epochs : int
        Passes over the training images.
    batch_size : int
        Approximate number of images per step.
    boosting : bool
        Whether to fit LightGBM to the inputs of the last layer instead of using its softmax.
        The network was trained on the same rows, so the probabilities are overconfident and
        need the calibration on other rows that an ensemble performs.
    random_state : int, RandomState or None
        Seed of the initial weights, the order of the images and the trees.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    weights_ : list of (ndarray, ndarray)
        Kernel and bias of each layer.
    mean_, scale_ : ndarray of float32
        Mean and standard deviation of each colour over all training pixels, used to standardise.
    trees_ : estimator or None
        The trees fitted with `boosting`.
    """

    _parameter_constraints = {  # noqa: RUF012
        "side": [Interval(Integral, 8, None, closed="left")],
        "colour": ["boolean"],
        "architecture": [StrOptions({"plain", "astronn"})],
        "filters": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"relu", "sigmoid"})],
        "optimiser": [StrOptions({"adam", "sgd"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "boosting": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        side: int = 64,
        *,
        colour: bool = True,
        architecture: str = "plain",
        filters: int = 32,
        activation: str = "relu",
        optimiser: str = "adam",
        learning_rate: float = 0.001,
        epochs: int = 20,
        batch_size: int = 32,
        boosting: bool = False,
        random_state: Any = 0,  # noqa: ANN401
    ) -> None:
        self.side = side
        self.colour = colour
        self.architecture = architecture
        self.filters = filters
        self.activation = activation
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.boosting = boosting
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> ConvolutionalNetwork:
        """Train the network.

        Parameters
        ----------
        X : array_like of float, shape (n, 3 * side**2)
            Pixels; NaN counts as 0.
        y : array_like, shape (n,)
            Labels of any kind.
        sample_weight : array_like of float, shape (n,), optional
            Weight of each row.

        Raises
        ------
        PipelineError
            If the rows are not images of this side, or training diverges.
        MissingDependencyError
            If PyTorch is not installed.
        """
        require_packages("cnn")
        self._validate_params()
        table = self._checked(X)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        weight = np.ones(len(table)) if sample_weight is None else np.asarray(sample_weight)
        seed = int(check_random_state(self.random_state).randint(_SEEDS))
        self.mean_, self.scale_ = self._moments(table)
        with one_torch_thread():
            self.weights_ = self._trained(table, codes, weight.astype(np.float32), seed)
        if not all(np.isfinite(kernel).all() for kernel, _ in self.weights_):
            raise PipelineError(
                f"the network diverged with {self.optimiser} and a learning_rate of "
                f"{self.learning_rate}; use a smaller one"
            )
        self.trees_ = self._boosted(table, codes, weight, seed) if self.boosting else None
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities, shape (n, k); `X` and errors are as for `fit`."""
        require_packages("cnn")
        table = self._checked(X)
        if self.trees_ is not None:
            probabilities: NDArray[np.float64] = self.trees_.predict_proba(self._run(table, -1))
            return probabilities
        scores: NDArray[np.float64] = softmax(self._run(table, None).astype(np.float64), axis=1)
        return scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n,)."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def _layers(self) -> list[Layer]:
        if self.architecture == "plain":
            hidden = networks.plain(self.filters, self.activation)
        else:
            hidden = networks.astronn(self.activation)
        return [*hidden, Dense(len(self.classes_))]

    def _checked(self, X: ArrayLike) -> NDArray[np.float32]:
        table = np.asarray(X, dtype=np.float32)
        if table.ndim != 2 or table.shape[1] != 3 * self.side**2:
            raise PipelineError(
                f"a cnn with side = {self.side} was given a table of shape {table.shape}; it takes "
                f"the {3 * self.side**2:,} columns of {self.side}×{self.side} pixels in three "
                "colours: set families to the pixel family with this side alone"
            )
        return table

    def _pixels(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return unscaled images, shape (n, side, side, channels)."""
        images = np.nan_to_num(rows, nan=0.0).reshape(-1, self.side, self.side, 3)
        return images if self.colour else images.mean(axis=3, keepdims=True)

    def _moments(self, table: NDArray[np.float32]) -> tuple[Any, Any]:
        sums, squares, count = 0.0, 0.0, len(table) * self.side**2
        for start in range(0, len(table), _BLOCK):
            pixels = self._pixels(table[start : start + _BLOCK]).astype(np.float64)
            sums = sums + pixels.sum(axis=(0, 1, 2))
            squares = squares + (pixels**2).sum(axis=(0, 1, 2))
        mean = np.asarray(sums) / count
        scale = np.sqrt(np.maximum(np.asarray(squares) / count - mean**2, 0.0))
        return mean.astype(np.float32), np.where(scale > 0, scale, 1.0).astype(np.float32)

    def _tensor(self, rows: NDArray[np.float32]) -> Any:  # noqa: ANN401
        """Return standardised images, shape (n, channels, side, side)."""
        import torch

        images = (self._pixels(rows) - self.mean_) / self.scale_
        # Keeping the colours adjacent in memory is several times faster than separate planes.
        return torch.from_numpy(images).permute(0, 3, 1, 2)

    def _trained(
        self,
        table: NDArray[np.float32],
        y: NDArray[np.intp],
        weight: NDArray[np.float32],
        seed: int,
    ) -> Weights:
        import torch
        from torch.nn import functional

        layers, rng = self._layers(), np.random.default_rng(seed)
        dropout = torch.Generator().manual_seed(seed)
        start = networks.initial_weights(layers, len(self.mean_), self.side, rng)
        weights = _tensors(start)
        flat = [part.requires_grad_() for pair in weights for part in pair]
        optimiser = (
            torch.optim.Adam(flat, self.learning_rate)
            if self.optimiser == "adam"
            else torch.optim.SGD(flat, self.learning_rate, momentum=_MOMENTUM)
        )
        classes, row_weights = torch.from_numpy(y), torch.from_numpy(weight)
        for _ in range(self.epochs):
            order = rng.permutation(len(y))
            for rows in np.array_split(order, -(-len(y) // self.batch_size)):
                scores = networks.run(layers, weights, self._tensor(table[rows]), dropout)
                losses = functional.cross_entropy(scores, classes[rows], reduction="none")
                loss = (losses * row_weights[rows]).mean()
                loss = loss + networks.weight_penalty(layers, weights)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                with torch.no_grad():
                    networks.clip_norms(layers, weights)
        return [(kernel.detach().numpy(), bias.detach().numpy()) for kernel, bias in weights]

    def _run(self, table: NDArray[np.float32], end: int | None) -> NDArray[np.float32]:
        """Return the output of all layers, or of ``layers[:end]``."""
        import torch

        layers, weights = self._layers()[:end], _tensors(self.weights_)
        with one_torch_thread(), torch.inference_mode():
            parts = [
                networks.run(layers, weights, self._tensor(table[first : first + _BLOCK])).numpy()
                for first in range(0, len(table), _BLOCK)
            ]
        return np.concatenate(parts)

    def _boosted(
        self, table: NDArray[np.float32], y: NDArray[np.intp], weight: NDArray[Any], seed: int
    ) -> Any:  # noqa: ANN401
        trees = Member("lightgbm", _BOOSTING).build(seed)
        return trees.fit(self._run(table, -1), y, sample_weight=weight)


def _tensors(weights: Weights) -> Tensors:
    """Copy weights to tensors, with filters in the images' faster memory layout."""
    import torch

    kernels = [torch.tensor(kernel) for kernel, _ in weights]
    laid_out = [
        kernel.contiguous(memory_format=torch.channels_last) if kernel.ndim == 4 else kernel
        for kernel in kernels
    ]
    return [
        (kernel, torch.tensor(bias)) for kernel, (_, bias) in zip(laid_out, weights, strict=True)
    ]
