"""Spirality: the spread of the gradient's direction around the radial direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def spirality(samples: NDArray[np.float32]) -> float:
    """Return the circular standard deviation of the gradient's direction in a polar image.

    After Ferrari et al. (2015), who use the spread of the gradient's orientation in the polar
    image of the deprojected galaxy. In a smooth galaxy the light decreases outwards everywhere
    and the spread is near 0; arms, bars and knots rotate the gradient. Here the polar image is
    logarithmic in radius, which preserves angles on the sky.

    Parameters
    ----------
    samples : ndarray of float32, shape (r, 64)
        Samples on circles evenly spaced in ln r, from r0 to 4 r0.

    Returns
    -------
    float
        In radians, from 0 to about 2.1 for random directions; 0 without gradients.
    """
    number, angles = samples.shape
    along = 0.5 * (number - 1) / np.log(4.0)
    around = 0.25 * angles / np.pi
    c, s, counted = 0.0, 0.0, 0
    for i in range(1, number - 1):
        for j in range(angles):
            outwards = along * (samples[i + 1, j] - samples[i - 1, j])
            sideways = around * (samples[i, (j + 1) % angles] - samples[i, j - 1])
            size = np.sqrt(outwards * outwards + sideways * sideways)
            if size > 1e-6:
                c -= outwards / size
                s += sideways / size
                counted += 1
    if counted == 0:
        return 0.0
    mean = min(max(np.hypot(c, s) / counted, 1e-1), 1.0)
    return np.sqrt(-2.0 * np.log(mean))
