"""Balance channels to the galaxy's own mean colour, which cancels the gains of the bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel

#: Radius of the ellipse of the mean colour, in view radii.
REACH = 0.8
#: Minimum mean of a channel, as a fraction of the strongest channel's, for scaling.
_LEAST = 0.02


@kernel
def balanced(light: NDArray[np.float32], q: float) -> NDArray[np.float32]:
    """Return a view's light with the mean of each channel within an ellipse scaled to one.

    Parameters
    ----------
    light : ndarray of float32, shape (3, n, n)
        Red, green and blue above the sky, of an aligned view.
    q : float
        Axis ratio of the ellipse; its semi-major axis is 0.8 of half the view.

    Returns
    -------
    ndarray of float32, shape (3, n, n)
        Equal channels represent the galaxy's mean colour. Zero without light.
    """
    size = light.shape[1]
    middle = 0.5 * (size - 1)
    reach2 = (REACH * 0.5 * size) ** 2
    means = np.zeros(3, np.float64)
    number = 0.0
    for y in range(size):
        v2 = ((y - middle) / q) ** 2
        red, green, blue = 0.0, 0.0, 0.0
        for x in range(size):
            inside = (x - middle) ** 2 + v2 < reach2
            number += 1.0 if inside else 0.0
            red += float(light[0, y, x]) if inside else 0.0
            green += float(light[1, y, x]) if inside else 0.0
            blue += float(light[2, y, x]) if inside else 0.0
        means[0] += red
        means[1] += green
        means[2] += blue
    means /= number
    result = np.zeros(light.shape, np.float32)
    strongest = means.max()
    if strongest > 1e-6:
        for channel in range(3):
            scale = np.float32(1.0 / max(means[channel], _LEAST * strongest))
            for y in range(size):
                for x in range(size):
                    result[channel, y, x] = scale * light[channel, y, x]
    return result
