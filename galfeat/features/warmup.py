"""Compile every kernel once, so that nothing waits for it later."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.measuring import measure_images
from galfeat.features.registry import OWN_FAMILIES


def warmup() -> None:
    """Measure made-up galaxies in every way, which compiles and keeps all kernels.

    It takes more than a minute the first time and about a second when the kernels are kept.
    """
    image = _galaxy(axis_ratio=0.6)
    large = np.repeat(np.repeat(image, 8, axis=0), 8, axis=1)  # is halved before it is sampled
    small = np.ascontiguousarray(image[::2, ::2])  # is sampled as it is
    several_turns = _galaxy(axis_ratio=1.0)
    measure_images([image, large, small, several_turns], OWN_FAMILIES)
    measure_images([image], ("hog", "colour", "radial"), frame=False)


def _galaxy(axis_ratio: float) -> NDArray[np.uint8]:
    y, x = np.mgrid[:128, :128] - 63.5
    profile = 200.0 * np.exp(-np.hypot(x, y / axis_ratio) / 12.0)
    companion = 150.0 * np.exp(-0.5 * ((x - 30.0) ** 2 + (y - 25.0) ** 2) / 3.0**2)
    noise = np.random.default_rng(0).normal(20.0, 3.0, (128, 128, 3))
    image = (profile + companion)[:, :, None] + noise
    return np.clip(image, 0, 255).astype(np.uint8)
