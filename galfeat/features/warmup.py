"""Compile and cache all kernels in advance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.measuring import measure_images
from galfeat.features.registry import OWN_FAMILIES


def warmup() -> None:
    """Compile and cache all kernels by measuring synthetic galaxies in every way.

    Takes more than a minute the first time and about a second with cached kernels.
    """
    image = _galaxy(axis_ratio=0.6)
    large = np.repeat(np.repeat(image, 8, axis=0), 8, axis=1)  # halved before sampling
    small = np.ascontiguousarray(image[::2, ::2])  # sampled directly
    round_galaxy = _galaxy(axis_ratio=1.0)
    measure_images([image, large, small, round_galaxy], OWN_FAMILIES)
    measure_images([image], ("hog", "colour", "radial"), frame=False)


def _galaxy(axis_ratio: float) -> NDArray[np.uint8]:
    y, x = np.mgrid[:128, :128] - 63.5
    profile = 200.0 * np.exp(-np.hypot(x, y / axis_ratio) / 12.0)
    companion = 150.0 * np.exp(-0.5 * ((x - 30.0) ** 2 + (y - 25.0) ** 2) / 3.0**2)
    noise = np.random.default_rng(0).normal(20.0, 3.0, (128, 128, 3))
    image = (profile + companion)[:, :, None] + noise
    return np.clip(image, 0, 255).astype(np.uint8)
