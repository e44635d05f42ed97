"""Compile every kernel once, so that nothing waits for it later."""

from __future__ import annotations

import numpy as np

from galfeat.features.measuring import measure_images
from galfeat.features.registry import OWN_FAMILIES


def warmup() -> None:
    """Measure one made-up galaxy in every way, which compiles and keeps all kernels.

    It takes about a minute the first time and about a second when the kernels are kept.
    """
    y, x = np.mgrid[:128, :128] - 63.5
    profile = 200.0 * np.exp(-np.hypot(x, y / 0.6) / 12.0)
    companion = 150.0 * np.exp(-0.5 * ((x - 30.0) ** 2 + (y - 25.0) ** 2) / 3.0**2)
    noise = np.random.default_rng(0).normal(20.0, 3.0, (128, 128, 3))
    image = np.clip(profile[:, :, None] + companion[:, :, None] + noise, 0, 255).astype(np.uint8)
    large = np.repeat(np.repeat(image, 8, axis=0), 8, axis=1)  # is halved before it is sampled
    small = np.ascontiguousarray(image[::2, ::2])  # is sampled as it is
    measure_images([image, large, small], OWN_FAMILIES)
    measure_images([image], ("hog", "colour", "radial"), frame=False)
