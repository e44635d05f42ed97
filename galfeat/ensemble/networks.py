"""Small convolutional networks: layers, initial weights and forward pass.

Weights are numpy arrays, so a fitted network is saved without PyTorch. Random numbers come from
generators passed in, because networks trained in parallel threads would share PyTorch's own.
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
    """3×3 convolution with zero padding and an L2 penalty of weight `decay`."""

    filters: int
    decay: float = 0.0


@dataclass(frozen=True)
class Dense:
    """Fully connected layer; the kernel of each unit has a norm of at most `max_norm`."""

    units: int
    decay: float = 0.0
    max_norm: float = math.inf


@dataclass(frozen=True)
class Pool:
    """Max pooling over squares of `size` pixels; an incomplete border is dropped."""

    size: int


@dataclass(frozen=True)
class Dropout:
    """Dropout of a share of the values in training; the others are scaled up."""

    share: float


@dataclass(frozen=True)
class Activation:
    """Activation function: ``"relu"`` or ``"sigmoid"``."""

    kind: str


Layer: TypeAlias = Convolution | Dense | Pool | Dropout | Activation
#: Kernel and bias of each convolution and dense layer, in order.
Weights: TypeAlias = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
Tensors: TypeAlias = "list[tuple[torch.Tensor, torch.Tensor]]"


def plain(filters: int, activation: str) -> list[Layer]:
    """Return the plain network: three blocks of convolution and pooling, and a dense layer.

    Pooling precedes the activation. Both activations are monotonic, so the result is the same
    for a quarter of the work.
    """
    block: list[Layer] = [Convolution(filters), Pool(2), Activation(activation)]
    return [*block, *block, *block, Dense(PLAIN_UNITS), Activation(activation)]


def astronn(activation: str) -> list[Layer]:
    """Return astroNN's network for Galaxy10, modelled on networks for CIFAR-10.

    Leung & Bovy 2019, MNRAS 483, 3255; layers as in ``Cifar10CNN`` of its version 1.1.
    """
    act = Activation(activation)
    return [
        *(Convolution(8, decay=1e-4), act, Convolution(16, decay=1e-4), Pool(4), act),
        *(Dropout(0.1), Dense(256, decay=1e-4), act),
        *(Dropout(0.1), Dense(128, decay=1e-4, max_norm=2.0), act),
    ]


def initial_weights(
    layers: Sequence[Layer], channels: int, side: int, rng: np.random.Generator
) -> Weights:
    """Draw initial weights.

    Parameters
    ----------
    layers : sequence of Layer
    channels, side : int
        Channels and side (in pixels) of the images.
    rng : Generator

    Returns
    -------
    Weights
        Biases are 0. Kernels are normal with variance 2 / inputs for ReLU networks (He et al.
        2015, ICCV, 1026), otherwise 2 / (inputs + outputs) (Glorot & Bengio 2010, AISTATS 9,
        249).
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
    """Return the output of the last layer.

    Parameters
    ----------
    layers : sequence of Layer
    weights : list of (kernel, bias)
        At least as many pairs as there are convolution and dense layers.
    images : Tensor, shape (n, channels, side, side)
    dropout : Generator, optional
        Random generator for dropout in training; by default nothing is dropped.
    """
    from torch.nn import functional

    values, parameters = images, iter(weights)
    for layer in layers:
        match layer:
            case Convolution():
                values = functional.conv2d(values, *next(parameters), padding="same")
            case Dense():
                values = functional.linear(values.flatten(1), *next(parameters))
            case Pool():
                values = functional.max_pool2d(values, layer.size)
            case Activation():
                values = values.relu() if layer.kind == "relu" else values.sigmoid()
            case Dropout() if dropout is not None:
                kept = values.new_empty(values.shape).bernoulli_(1 - layer.share, generator=dropout)
                values = values * kept / (1 - layer.share)
    return values


def weight_penalty(layers: Sequence[Layer], weights: Tensors) -> torch.Tensor | float:
    """Return the weights' contribution to the loss."""
    heavy = [layer for layer in layers if isinstance(layer, Convolution | Dense)]
    parts = [
        layer.decay * kernel.square().sum()
        for layer, (kernel, _) in zip(heavy, weights, strict=True)
        if layer.decay
    ]
    return sum(parts)


def clip_norms(layers: Sequence[Layer], weights: Tensors) -> None:
    """Scale down, in place, the kernels of units that exceed their maximum norm."""
    heavy = [layer for layer in layers if isinstance(layer, Convolution | Dense)]
    for layer, (kernel, _) in zip(heavy, weights, strict=True):
        if isinstance(layer, Dense) and math.isfinite(layer.max_norm):
            kernel.mul_((layer.max_norm / kernel.norm(dim=1, keepdim=True)).clamp(max=1.0))
