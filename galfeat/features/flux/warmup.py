"""Compile and cache the kernels of the flux family in advance."""

from __future__ import annotations

import numpy as np

from galfeat.features.flux.measuring import measure


def warmup() -> None:
    """Compile and cache the kernels by measuring a drawn galaxy in every way.

    Takes about a minute the first time and a fraction of a second with cached kernels.
    """
    y, x = np.mgrid[:96, :96] - 48.0
    noise = np.random.default_rng(0).normal(0.0, 0.02, (96, 96))
    image = np.exp(-np.hypot(x, y / 0.6) / 5.0) + noise
    psf = np.ones((3, 3))
    variance = np.full(image.shape, 0.0004)
    for values in (image, image.astype(np.float32)):
        measure(values, psf=psf)
        measure(values, variance=variance, resamples=2)
