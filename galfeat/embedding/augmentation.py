"""Show a galaxy as it might have been seen: turned, nearer, blurred, in other light and noise.

What survives all of it does not depend on the survey. The planes are changed after the frame
has been measured, so the frame's own errors (an angle, a radius) are part of it too.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from galfeat.features.planes import EQUALISED

#: Standard deviations: of the angle in radians, of the logarithm of size and of axis ratio, and
#: of the place in half-widths of a view.
ANGLE, SIZE, STRETCH, PLACE = 0.04, 0.04, 0.02, 0.012
#: The most noise, blur and change of contrast of the equalised planes.
NOISE, CONTRAST, GAIN = 0.02, 0.06, 0.04
#: Of the light: standard deviations of the logarithm of each band's gain and of the power of the
#: stretch, of the sky, and the most noise and saturation; the share shown in grey.
BAND, POWER, SKY, GRAIN, SATURATION, GREY = 0.08, 0.14, 0.012, 0.032, 1.5, 0.2
#: The share of galaxies that are blurred, by up to a mean over 3×3 pixels.
BLURRED = 0.5


def augment(shown: Tensor, round_ones: Tensor, random: torch.Generator, grain: Tensor) -> Tensor:
    """Return other views of the same galaxies.

    Parameters
    ----------
    shown : Tensor of float32, shape (n, 5, 64, 64)
        Planes, as in `galfeat.features.planes`.
    round_ones : Tensor of bool, shape (n,)
        Which galaxies have no position angle, and are turned by any.
    random : torch.Generator
        Draws everything.
    grain : Tensor of float32, shape (m, 64, 64)
        Planes of noise to choose from; drawing them anew would take as long as all the rest.
    """
    shown = _blurred(_moved(shown, round_ones, random), random)
    return torch.cat(
        [
            _other_contrast(shown[:, :EQUALISED], random, grain),
            _other_light(shown[:, EQUALISED:], random, grain),
        ],
        dim=1,
    )


def _moved(shown: Tensor, round_ones: Tensor, random: torch.Generator) -> Tensor:
    """Turn by half, mirror, and move, turn, scale and stretch a little."""
    n = len(shown)
    angle = _normal(n, random) * ANGLE + math.pi * _coin(n, random, 0.5)
    angle = angle + 2.0 * math.pi * _uniform(n, random) * round_ones
    size, stretch = torch.exp(_normal(n, random) * SIZE), torch.exp(_normal(n, random) * STRETCH)
    mirror = 1.0 - 2.0 * _coin(n, random, 0.5)
    cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
    across = torch.stack([cosine * mirror, -sine * stretch, _normal(n, random) * PLACE], dim=1)
    down = torch.stack([sine * mirror, cosine * stretch, _normal(n, random) * PLACE], dim=1)
    where = functional.affine_grid(
        torch.stack([across, down], dim=1), list(shown.shape), align_corners=False
    )
    return functional.grid_sample(shown, where, padding_mode="border", align_corners=False)


def _blurred(shown: Tensor, random: torch.Generator) -> Tensor:
    n = len(shown)
    padded = functional.pad(shown, (1, 1, 1, 1), mode="replicate")
    mean = functional.avg_pool2d(padded, 3, stride=1)
    share = _column(_uniform(n, random) * _coin(n, random, BLURRED))
    return shown + (mean - shown) * share


def _other_contrast(shown: Tensor, random: torch.Generator, grain: Tensor) -> Tensor:
    n = len(shown)
    power = _column(torch.exp(_normal(n, random) * CONTRAST))
    gain = _column(torch.exp(_normal(n, random) * GAIN))
    noise = _noise(shown, random, grain) * _column(_uniform(n, random) * NOISE)
    return shown.clamp(min=0.0) ** power * gain + noise


def _other_light(light: Tensor, random: torch.Generator, grain: Tensor) -> Tensor:
    n, bands = light.shape[:2]
    power = _column(torch.exp(_normal(n, random) * POWER))
    gains = torch.exp(torch.randn(n, bands, 1, 1, generator=random) * BAND)
    light = torch.sign(light) * (light.abs() + 1e-4) ** power * gains
    mean = light.mean(dim=1, keepdim=True)
    saturation = _uniform(n, random) * SATURATION * _coin(n, random, 1.0 - GREY)
    noise = _noise(light, random, grain) * _column(_uniform(n, random) * GRAIN)
    return mean + (light - mean) * _column(saturation) + _column(_normal(n, random) * SKY) + noise


def _noise(shown: Tensor, random: torch.Generator, grain: Tensor) -> Tensor:
    chosen = torch.randint(len(grain), (shown.shape[0] * shown.shape[1],), generator=random)
    return grain[chosen].view(shown.shape)


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _normal(n: int, random: torch.Generator) -> Tensor:
    return torch.randn(n, generator=random)


def _uniform(n: int, random: torch.Generator) -> Tensor:
    return torch.rand(n, generator=random)


def _coin(n: int, random: torch.Generator, probability: float) -> Tensor:
    return (torch.rand(n, generator=random) < probability).float()
