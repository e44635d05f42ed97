"""Small convolutional networks: their layers, first weights and how an image runs through them.

Weights are plain numpy arrays, so that a fitted network is saved without PyTorch, and random
numbers come from generators that are passed in: networks trained side by side in threads do not
share the one of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

#: Units of the last layer before the classes in the plain network.
PLAIN_UNITS = 128


@dataclass(frozen=True)
class Convolution:
    """3×3 filters at every pixel, zeros beyond the border; `decay` times their squares is lost."""

    filters: int
    decay: float = 0.0


@dataclass(frozen=True)
class Dense:
    """Sums over all inputs; those of a unit have at most the length `longest`."""

    units: int
    decay: float = 0.0
    longest: float = math.inf


@dataclass(frozen=True)
class Pool:
    """The largest value of each square of so many pixels; what is left at the border is dropped."""

    size: int


@dataclass(frozen=True)
class Dropout:
    """Sets this share of the values to 0 in training, and enlarges the others."""

    share: float


@dataclass(frozen=True)
class Activation:
    """Bends values: ``"relu"`` or ``"sigmoid"``."""

    kind: str


Layer: TypeAlias = Convolution | Dense | Pool | Dropout | Activation
#: Kernel and bias of each layer that has them, in order.
Weights: TypeAlias = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
Tensors: TypeAlias = "list[tuple[torch.Tensor, torch.Tensor]]"


def plain(filters: int, activation: str) -> list[Layer]:
    """Return the plain network: three times a convolution and a pool, and a dense layer.

    The pool comes before the activation, which gives the same numbers from a quarter of the
    work, as both activations grow with their argument.
    """
    block: list[Layer] = [Convolution(filters), Pool(2), Activation(activation)]
    return [*block, *block, *block, Dense(PLAIN_UNITS), Activation(activation)]


def astronn(activation: str) -> list[Layer]:
    """Return astroNN's network for Galaxy10, after those for CIFAR-10.

    Leung & Bovy 2019, MNRAS 483, 3255; layers as in ``Cifar10CNN`` of its version 1.1.
    """
    act = Activation(activation)
    return [
        *(Convolution(8, decay=1e-4), act, Convolution(16, decay=1e-4), Pool(4), act),
        *(Dropout(0.1), Dense(256, decay=1e-4), act),
        *(Dropout(0.1), Dense(128, decay=1e-4, longest=2.0), act),
    ]


def first_weights(
    layers: Sequence[Layer], channels: int, side: int, rng: np.random.Generator
) -> Weights:
    """Draw the weights a training starts from.

    Parameters
    ----------
    layers : sequence of Layer
    channels, side : int
        Of the images.
    rng : Generator

    Returns
    -------
    Weights
        Biases are 0. Kernels are normal with variance 2 over the inputs where a ReLU follows
        (He et al. 2015, ICCV, 1026), else over inputs and outputs (Glorot & Bengio 2010, AISTATS
        9, 249).
    """
    kinds = {layer.kind for layer in layers if isinstance(layer, Activation)}
    weights: Weights = []
    depth, width = channels, side
    for layer in layers:
        if isinstance(layer, Pool):
            width //= layer.size
        elif isinstance(layer, Convolution | Dense):
            shape: tuple[int, ...]
            if isinstance(layer, Convolution):
                shape, area = (layer.filters, depth, 3, 3), 9
            else:
                shape, area, width = (layer.units, depth * width * width), 1, 1
            outputs, inputs = shape[:2]
            fan = area * (inputs if kinds == {"relu"} else inputs + outputs)
            kernel = rng.normal(0.0, math.sqrt(2.0 / fan), shape)
            weights.append((kernel.astype(np.float32), np.zeros(outputs, np.float32)))
            depth = outputs
    return weights


def run(
    layers: Sequence[Layer],
    weights: Tensors,
    images: torch.Tensor,
    dropout: torch.Generator | None = None,
) -> torch.Tensor:
    """Return what the last layer says of images.

    Parameters
    ----------
    layers : sequence of Layer
    weights : list of (kernel, bias)
        At least as many as the layers need.
    images : Tensor, shape (n, channels, side, side)
    dropout : Generator, optional
        Draws what is dropped, in training; without it nothing is.
    """
    from torch.nn import functional

    values, own = images, iter(weights)
    for layer in layers:
        match layer:
            case Convolution():
                values = functional.conv2d(values, *next(own), padding="same")
            case Dense():
                values = functional.linear(values.flatten(1), *next(own))
            case Pool():
                values = functional.max_pool2d(values, layer.size)
            case Activation():
                values = values.relu() if layer.kind == "relu" else values.sigmoid()
            case Dropout() if dropout is not None:
                kept = values.new_empty(values.shape).bernoulli_(1 - layer.share, generator=dropout)
                values = values * kept / (1 - layer.share)
    return values


def decay_of(layers: Sequence[Layer], weights: Tensors) -> torch.Tensor | float:
    """Return what the weights themselves add to the loss."""
    heavy = [layer for layer in layers if isinstance(layer, Convolution | Dense)]
    parts = [
        layer.decay * kernel.square().sum()
        for layer, (kernel, _) in zip(heavy, weights, strict=True)
        if layer.decay
    ]
    return sum(parts)


def shorten(layers: Sequence[Layer], weights: Tensors) -> None:
    """Bring the kernels of each unit back to the length they may have."""
    heavy = [layer for layer in layers if isinstance(layer, Convolution | Dense)]
    for layer, (kernel, _) in zip(heavy, weights, strict=True):
        if isinstance(layer, Dense) and math.isfinite(layer.longest):
            kernel.mul_((layer.longest / kernel.norm(dim=1, keepdim=True)).clamp(max=1.0))
