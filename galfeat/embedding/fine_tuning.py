"""Train a network a little further, on the labels of a few galaxies."""

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
from galfeat.embedding.state import GRAINS, WEIGHT_DECAY, halved
from galfeat.embedding.tasks import SMOOTHING
from galfeat.embedding.trunk import Trunk, lay_out
from galfeat.features.network import WIDTH, Network

#: Share of the activations that are hidden from the head at each step.
DROPOUT = 0.3
#: Inverse strength of the penalty on the head the training starts with.
_FIRST_HEAD = 0.01


def fine_tune(
    network: Network,
    shown: NDArray[np.float32],
    round_ones: NDArray[np.bool_],
    labels: NDArray[np.intp],
    *,
    weights: NDArray[np.float64] | None = None,
    epochs: int = 15,
    learning_rate: float = 5e-4,
    batch_size: int = 64,
    seed: int = 0,
) -> Network:
    """Return a network that gives class scores, trained from one that gives activations.

    The head starts as a logistic regression on the activations; then all weights move. The
    normalisation of the network it starts from stays as it is.

    Parameters
    ----------
    network : Network
        From `galfeat.embedding.onnx_file.to_onnx`.
    shown : ndarray of float32, shape (n, 5, 64, 64)
        Planes of the galaxies.
    round_ones : ndarray of bool, shape (n,)
        Which are too round to have a position angle.
    labels : ndarray of int, shape (n,)
        Classes, 0 to k - 1, each of them there.
    weights : ndarray of float, shape (n,), optional
        Of the galaxies, in the loss.
    epochs, learning_rate, batch_size : int, float, int
        How often each galaxy is seen; the rate at its highest; galaxies to a step.
    seed : int
        Of the order, the augmentation and what is hidden.

    Returns
    -------
    Network
        From planes to scores, shape (n, k), before the softmax.
    """
    trunk, head = to_trunk(network), _first_head(network.run(shown), labels, weights, seed)
    lay_out(trunk, torch.channels_last)
    parameters = [*trunk.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=WEIGHT_DECAY)
    random = torch.Generator().manual_seed(seed)
    grain = torch.randn(GRAINS, *shown.shape[2:], generator=random)
    wanted = torch.from_numpy(labels.astype(np.int64))
    importance = torch.ones(len(labels)) if weights is None else torch.from_numpy(weights).float()
    size = min(batch_size, len(labels))
    steps = epochs * (len(labels) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, learning_rate, total_steps=steps, pct_start=0.2
    )
    for _ in range(epochs):
        order = torch.randperm(len(labels), generator=random)
        for rows in order[: len(order) // size * size].split(size):
            planes = torch.from_numpy(shown[rows.numpy()])
            is_round = torch.from_numpy(round_ones[rows.numpy()])
            planes = augment(planes, is_round, random, grain)
            scores = _scores(trunk, head, planes, random)
            loss = functional.cross_entropy(
                scores, wanted[rows], reduction="none", label_smoothing=SMOOTHING
            )
            optimiser.zero_grad()
            (loss * importance[rows]).mean().backward()
            optimiser.step()
            schedule.step()
    lay_out(trunk, torch.contiguous_format)
    return to_onnx(trunk, head)


def _scores(trunk: Trunk, head: nn.Linear, planes: Tensor, random: torch.Generator) -> Tensor:
    with halved():
        activations = trunk(planes.contiguous(memory_format=torch.channels_last))
    activations = activations.float()
    # torch's own dropout draws from one stream for the whole process; trainings run side by side.
    kept = torch.rand(activations.shape, generator=random) >= DROPOUT
    scores: Tensor = head(activations * kept / (1.0 - DROPOUT))
    return scores


def _first_head(
    activations: NDArray[np.float32],
    labels: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
    seed: int,
) -> nn.Linear:
    """Return a logistic regression on the activations as a linear layer."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=_FIRST_HEAD, max_iter=500))
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
