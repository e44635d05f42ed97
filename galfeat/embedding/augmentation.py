"""Augment galaxies: rotation, scale, blur, colour, contrast and noise.

Training on such variations makes the activations less dependent on the survey. Planes are
augmented after the frame has been measured, which also simulates errors of its angle and radius.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from galfeat.features.planes import EQUALISED

#: Standard deviations of the angle (radians), the logarithms of size and axis ratio, and the
#: position (half-widths of a view).
ANGLE, SIZE, STRETCH, POSITION = 0.04, 0.04, 0.02, 0.012
#: For the equalised planes: maximum noise, and standard deviations of the logarithms of the
#: exponent and of the gain.
NOISE, CONTRAST, GAIN = 0.02, 0.06, 0.04
#: For the light: standard deviations of the logarithms of each band's gain and of the exponent, and
#: of the sky; maximum noise and saturation; share of grey images.
BAND, POWER, SKY, GRAIN, SATURATION, GREY = 0.08, 0.14, 0.012, 0.032, 1.5, 0.2
#: Share of galaxies that are blurred, at most by a mean over 3×3 pixels.
BLURRED = 0.5


def augment(planes: Tensor, is_round: Tensor, random: torch.Generator, noise: Tensor) -> Tensor:
    """Return random variations of galaxies.

    Parameters
    ----------
    planes : Tensor of float32, shape (n, 5, 64, 64)
        Planes, as in `galfeat.features.planes`.
    is_round : Tensor of bool, shape (n,)
        Galaxies without a position angle, which are rotated by any angle.
    random : torch.Generator
        Source of all random numbers.
    noise : Tensor of float32, shape (m, 64, 64)
        Noise planes to choose from; drawing new ones would take as long as everything else.
    """
    planes = _blur(_transform(planes, is_round, random), random)
    return torch.cat(
        [
            _change_contrast(planes[:, :EQUALISED], random, noise),
            _change_light(planes[:, EQUALISED:], random, noise),
        ],
        dim=1,
    )


def _transform(planes: Tensor, is_round: Tensor, random: torch.Generator) -> Tensor:
    """Flip, mirror, and slightly shift, rotate, scale and stretch."""
    n = len(planes)
    angle = _normal(n, random) * ANGLE + math.pi * _coin(n, random, 0.5)
    angle = angle + 2.0 * math.pi * _uniform(n, random) * is_round
    size, stretch = torch.exp(_normal(n, random) * SIZE), torch.exp(_normal(n, random) * STRETCH)
    mirror = 1.0 - 2.0 * _coin(n, random, 0.5)
    cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
    x = torch.stack([cosine * mirror, -sine * stretch, _normal(n, random) * POSITION], dim=1)
    y = torch.stack([sine * mirror, cosine * stretch, _normal(n, random) * POSITION], dim=1)
    grid = functional.affine_grid(
        torch.stack([x, y], dim=1), list(planes.shape), align_corners=False
    )
    return functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)


def _blur(planes: Tensor, random: torch.Generator) -> Tensor:
    n = len(planes)
    padded = functional.pad(planes, (1, 1, 1, 1), mode="replicate")
    mean = functional.avg_pool2d(padded, 3, stride=1)
    share = _column(_uniform(n, random) * _coin(n, random, BLURRED))
    return planes + (mean - planes) * share


def _change_contrast(planes: Tensor, random: torch.Generator, noise: Tensor) -> Tensor:
    n = len(planes)
    power = _column(torch.exp(_normal(n, random) * CONTRAST))
    gain = _column(torch.exp(_normal(n, random) * GAIN))
    added = _draw_noise(planes, random, noise) * _column(_uniform(n, random) * NOISE)
    return planes.clamp(min=0.0) ** power * gain + added


def _change_light(light: Tensor, random: torch.Generator, noise: Tensor) -> Tensor:
    n, bands = light.shape[:2]
    power = _column(torch.exp(_normal(n, random) * POWER))
    gains = torch.exp(torch.randn(n, bands, 1, 1, generator=random) * BAND)
    light = torch.sign(light) * (light.abs() + 1e-4) ** power * gains
    mean = light.mean(dim=1, keepdim=True)
    saturation = _uniform(n, random) * SATURATION * _coin(n, random, 1.0 - GREY)
    added = _draw_noise(light, random, noise) * _column(_uniform(n, random) * GRAIN)
    return mean + (light - mean) * _column(saturation) + _column(_normal(n, random) * SKY) + added


def _draw_noise(planes: Tensor, random: torch.Generator, noise: Tensor) -> Tensor:
    chosen = torch.randint(len(noise), (planes.shape[0] * planes.shape[1],), generator=random)
    return noise[chosen].view(planes.shape)


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _normal(n: int, random: torch.Generator) -> Tensor:
    return torch.randn(n, generator=random)


def _uniform(n: int, random: torch.Generator) -> Tensor:
    return torch.rand(n, generator=random)


def _coin(n: int, random: torch.Generator, probability: float) -> Tensor:
    return (torch.rand(n, generator=random) < probability).float()
