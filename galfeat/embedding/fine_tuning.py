"""Fine-tune a network on the labels of a few galaxies."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from galfeat.embedding.augmentation import augment
from galfeat.embedding.onnx_file import to_onnx, to_trunk
from galfeat.embedding.state import NOISE_PLANES, WEIGHT_DECAY, half_precision
from galfeat.embedding.tasks import SMOOTHING
from galfeat.embedding.trunk import Trunk, lay_out
from galfeat.features.network import WIDTH, Network
from galfeat.features.planes import SHAPE, PlanesTable

#: Share of the activations dropped at each step.
DROPOUT = 0.3
#: Inverse regularisation strength of the initial head.
_INITIAL_HEAD_C = 0.01
# Galaxies run through the network at a time.
_BLOCK = 64


def fine_tune(
    network: Network,
    planes: NDArray[np.float32] | PlanesTable,
    is_round: NDArray[np.bool_],
    labels: NDArray[np.intp],
    *,
    weights: NDArray[np.float64] | None = None,
    epochs: int = 15,
    learning_rate: float = 5e-4,
    batch_size: int = 64,
    seed: int = 0,
) -> Network:
    """Return a network for class scores, fine-tuned from a network for activations.

    The head starts as a logistic regression on the activations; then all weights are trained.
    The normalisation of the original network is kept.

    Parameters
    ----------
    network : Network
        From `galfeat.embedding.onnx_file.to_onnx`.
    planes : ndarray of float32, shape (n, 5, 64, 64), or PlanesTable
        Planes of the galaxies; read a few at a time.
    is_round : ndarray of bool, shape (n,)
        Galaxies too round to have a position angle.
    labels : ndarray of int, shape (n,)
        Classes, 0 to k - 1, each present at least once.
    weights : ndarray of float, shape (n,), optional
        Weights of the galaxies in the loss.
    epochs, learning_rate, batch_size : int, float, int
        Passes over the galaxies, maximum learning rate, and galaxies per step.
    seed : int
        Seed of the order, the augmentation and the dropout.

    Returns
    -------
    Network
        Maps planes to scores before the softmax, shape (n, k).
    """
    activations = np.concatenate(
        [network.run(planes[start : start + _BLOCK]) for start in range(0, len(labels), _BLOCK)]
    )
    trunk, head = to_trunk(network), _initial_head(activations, labels, weights)
    lay_out(trunk, torch.channels_last)
    parameters = [*trunk.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY)
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(NOISE_PLANES, *SHAPE[1:], generator=random)
    targets = torch.from_numpy(labels.astype(np.int64))
    importance = torch.ones(len(labels)) if weights is None else torch.from_numpy(weights).float()
    size = min(batch_size, len(labels))
    steps = epochs * (len(labels) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, learning_rate, total_steps=steps, pct_start=0.2
    )
    for _ in range(epochs):
        order = torch.randperm(len(labels), generator=random)
        for rows in order[: len(order) // size * size].split(size):
            batch = torch.from_numpy(planes[rows.numpy()])
            batch = augment(batch, torch.from_numpy(is_round[rows.numpy()]), random, noise)
            scores = _scores(trunk, head, batch, random)
            loss = functional.cross_entropy(
                scores, targets[rows], reduction="none", label_smoothing=SMOOTHING
            )
            optimiser.zero_grad()
            (loss * importance[rows]).mean().backward()
            optimiser.step()
            schedule.step()
    lay_out(trunk, torch.contiguous_format)
    return to_onnx(trunk, head)


def _scores(trunk: Trunk, head: nn.Linear, planes: Tensor, random: torch.Generator) -> Tensor:
    with half_precision():
        activations = trunk(planes.contiguous(memory_format=torch.channels_last))
    activations = activations.float()
    # PyTorch's own dropout uses a process-wide generator, but trainings run in parallel threads.
    kept = torch.rand(activations.shape, generator=random) >= DROPOUT
    scores: Tensor = head(activations * kept / (1.0 - DROPOUT))
    return scores


def _initial_head(
    activations: NDArray[np.float32],
    labels: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
) -> nn.Linear:
    """Return a logistic regression on the activations as a linear layer."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=_INITIAL_HEAD_C, max_iter=500))
    fitted.fit(activations, labels, logisticregression__sample_weight=weights)
    scaler, regression = fitted.named_steps.values()
    slopes = regression.coef_ / scaler.scale_
    offsets = regression.intercept_ - slopes @ scaler.mean_
    if len(slopes) == 1:  # two classes share one slope
        slopes, offsets = np.concatenate([-slopes, slopes]) / 2, np.repeat(offsets, 2) / 2
        offsets[0] *= -1.0
    head = nn.Linear(WIDTH, len(slopes))
    head.weight.data = torch.from_numpy(slopes).float()
    head.bias.data = torch.from_numpy(offsets).float()
    return head
