"""The sky that a galaxy was measured against: properties of the survey, not of the galaxy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.frame import Frame

_BANDS = ("red", "green", "blue")
_DARK = "NaN if the segment contains no light"

COLUMNS = (
    *(
        Column(
            f"morphology.{name}.{band}", "counts", f"{meaning} of the sky, {band}", "galfeat",
            degenerate=_DARK,
        )
        for name, meaning in (("sky", "level"), ("sky_noise", "noise"))
        for band in _BANDS
    ),
    Column(
        "morphology.noise_correlation", "1",
        "noise of the smoothed image over the mean noise of the bands", "galfeat",
        degenerate=f"0 without noise; {_DARK}",
    ),
)  # fmt: skip


def measure_background(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`.

    Parameters
    ----------
    frame : Frame

    Returns
    -------
    ndarray of float32, shape (7,)
        Level and noise of the sky in each band, in counts of 255, and the noise that remains
        after smoothing, relative to it: larger where neighbouring pixels are correlated. NaN if
        the galaxy's segment contains no light.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features.morphology.background import measure_background
    >>> from galfeat.frame import measure_frame
    >>> measure_background(measure_frame(simulate(1, seed=1).images[0])).shape
    (7,)
    """
    if frame.grey[frame.labels == frame.galaxy + 1].sum() <= 0.0:
        return np.full(len(COLUMNS), np.nan, np.float32)
    level, noise = frame.sky
    mean = noise.mean()
    correlation = frame.noise / mean if mean > 0 else 0.0
    return np.concatenate([level, noise, [correlation]], dtype=np.float32)
