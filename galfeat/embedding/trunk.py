"""The small network: strided convolutions, global average pooling and a head per task."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from galfeat.features.network import WIDTH
from galfeat.features.planes import SHAPE

#: Filters of the seven convolutions, their kernel sizes and strides.
LAYERS = (
    *((16, 5, 2), (32, 3, 2), (64, 3, 1), (96, 3, 2), (96, 3, 1)),
    *((128, 3, 2), (WIDTH, 3, 1)),
)
DROPOUT = 0.2


class Trunk(nn.Module):
    """Map planes, shape (n, 5, 64, 64), to activations, shape (n, 128)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = SHAPE[0]
        for filters, size, stride in LAYERS:
            layers += [
                nn.Conv2d(before, filters, size, stride, size // 2, bias=False),
                nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True),
            ]
            before = filters
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, planes: Tensor) -> Tensor:
        """Return the activations."""
        activations: Tensor = self.layers(planes)
        return activations


class Multitask(nn.Module):
    """A trunk with a linear head for each kind of label and for each parameter.

    Parameters
    ----------
    n_classes : mapping of str to int
        Number of classes of each kind of label.
    n_numbers : int
        Number of parameters.
    """

    def __init__(self, n_classes: Mapping[str, int], n_numbers: int) -> None:
        super().__init__()
        self.kinds = list(n_classes)
        self.trunk = Trunk()
        self.dropout = nn.Dropout(DROPOUT)
        self.classes = nn.ModuleList([nn.Linear(WIDTH, n) for n in n_classes.values()])
        self.numbers = nn.Linear(WIDTH, max(n_numbers, 1))

    def forward(self, planes: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the class scores of each kind of label, and the parameters."""
        activations = self.dropout(self.trunk(planes))
        scores = {
            kind: head(activations) for kind, head in zip(self.kinds, self.classes, strict=True)
        }
        return scores, self.numbers(activations)


def lay_out(module: nn.Module, order: torch.memory_format) -> None:
    """Set the memory layout of the weights; channels last is eight times faster on CPUs."""
    module.to(memory_format=order)
