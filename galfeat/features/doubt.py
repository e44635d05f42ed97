"""Scores of how unlike the training galaxies an image is, and the flags they raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from galfeat.features.quantiles import quantiles, share_unusual
from galfeat.features.table import FeatureTable, column_positions
from galfeat.storage.scratch import take

UNLIKE, OTHER_SURVEY, POINT_LIKE = "unlike_training", "other_survey", "point_like"
#: The scores, from 0 to 1, and the values above which they raise a flag of the same name. Flags
#: are wrong for about one galaxy in a hundred; see `benchmarks/not_galaxies.py`.
THRESHOLDS = {UNLIKE: 0.24, OTHER_SURVEY: 0.4, POINT_LIKE: 0.5}
SCORES = tuple(THRESHOLDS)

_BANDS, _ZONES = ("red", "green", "blue"), ("core", "disc", "outskirts")
#: Columns that depend on the survey rather than on the galaxy, by the property they measure.
SURVEY_COLUMNS = {
    **{f"morphology.sky.{band}": "sky" for band in _BANDS},
    **{f"morphology.sky_noise.{band}": "noise" for band in _BANDS},
    "morphology.noise_correlation": "correlation",
    **{f"colour.{pair}.{z}": "colour" for pair in ("red_green", "green_blue") for z in _ZONES},
}
#: Weights of the logistic score of stars, and its constant; from `benchmarks/point_like.py`.
_STAR_WEIGHTS = {
    "shape.r50": -2.6,  # its natural logarithm
    "shape.r50_r90": -7.1,
    "morphology.m20": 5.1,
    "morphology.minor_axis.v3": 3.7,
    "morphology.ellipticity.i2": -8.6,
}
_STAR_CONSTANT = 9.1
STAR_FEATURES = tuple(_STAR_WEIGHTS)


def survey_quantiles(table: FeatureTable, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    """Return the quantiles of the columns in `SURVEY_COLUMNS`; see `quantiles`.

    Parameters
    ----------
    table : FeatureTable
    rows : ndarray of int
        Training galaxies.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features import measure_images
    >>> from galfeat.features.doubt import survey_quantiles
    >>> table = measure_images(simulate(2, seed=1).images)
    >>> "morphology.sky.red" in survey_quantiles(table, np.array([0, 1]))
    True
    """
    own = [position for position, name in enumerate(table.names) if name in SURVEY_COLUMNS]
    values = take(table.values, rows, np.array(own, np.intp))
    return quantiles(values, [table.names[position] for position in own])


def doubt_scores(
    values: NDArray[np.float32],
    names: Sequence[str],
    known: Mapping[str, NDArray[np.float32]],
    survey: Mapping[str, NDArray[np.float32]],
) -> NDArray[np.float64]:
    """Return the scores of n images, shape (n, 3), 0 to 1.

    ``unlike_training`` is the share of features with values that hardly any training galaxy has,
    averaged over families; ``other_survey`` the same of level, noise and smoothness of the sky
    and the balance of the bands, averaged over these four. ``point_like`` is the probability of a
    star rather than a galaxy; see `point_likeness`. NaN where the features are missing.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d
    known : mapping of str to ndarray of float32
        Quantiles of the training galaxies, from `quantiles`.
    survey : mapping of str to ndarray of float32
        Those of their survey, from `survey_quantiles`; empty for models fitted before they
        existed.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.doubt import doubt_scores
    >>> doubt_scores(np.float32([[0.5]]), ["shape.axis_ratio"], {}, {}).tolist()
    [[nan, nan, nan]]
    """
    scores = (
        share_unusual(values, names, known),
        share_unusual(values, names, survey, SURVEY_COLUMNS.__getitem__),
        point_likeness(values, names),
    )
    return np.stack(scores, axis=1)


def point_likeness(values: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability that a source is a star rather than a galaxy, shape (n,), 0 to 1.

    A logistic function of five features, fitted to simulated stars and galaxies, many of them
    reduced to the size of a star: the image of a star is small and round, with a narrow core and
    wide wings. It needs no knowledge of the point-spread function, and so takes a galaxy that is
    hardly resolved for a star. NaN where one of the features is missing.

    Parameters
    ----------
    values : ndarray of float32, shape (n, d)
    names : sequence of str, length d

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features import measure_images
    >>> from galfeat.features.doubt import point_likeness
    >>> y, x = np.mgrid[-40:41, -40:41]
    >>> star = 200 * (1 + (x**2 + y**2) / 9) ** -3.0
    >>> galaxy = 200 * np.exp(-np.hypot(x, 2 * y) / 8)
    >>> table = measure_images([image.astype(np.uint8) for image in (star, galaxy)])
    >>> np.round(point_likeness(table.values, table.names)).tolist()
    [1.0, 0.0]
    """
    columns = column_positions(STAR_FEATURES, tuple(names))
    if (columns < 0).any():
        return np.full(len(values), np.nan)
    features = values[:, columns].astype(np.float64)
    features[:, 0] = np.log(np.maximum(features[:, 0], 0.1))
    weights = np.array(list(_STAR_WEIGHTS.values()))
    result: NDArray[np.float64] = expit(features @ weights + _STAR_CONSTANT)
    return result


def raised(scores: NDArray[np.float64]) -> list[list[str]]:
    """Return the flags that the scores of each image raise.

    Parameters
    ----------
    scores : ndarray of float, shape (n, 3)
        From `doubt_scores`.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.doubt import raised
    >>> raised(np.array([[0.5, 0.0, np.nan], [0.1, 0.2, 0.9]]))
    [['unlike_training'], ['point_like']]
    """
    over = scores > np.array(list(THRESHOLDS.values()))
    return [[name for name, is_over in zip(SCORES, row, strict=True) if is_over] for row in over]
