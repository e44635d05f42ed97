"""The morphology family against statmorph, on painted galaxies.

For real ones see docs/background/statmorph.md.
"""

import warnings

import numpy as np
import pytest

from galfeat.features.morphology.family import morphology

#: Column, attribute of statmorph, and how far they may differ: relative, absolute.
PAIRS = (
    ("petrosian_circular", "rpetro_circ", 0.02, 0.0),
    ("petrosian_elliptical", "rpetro_ellip", 0.02, 0.0),
    ("r20", "r20", 0.01, 0.0),
    ("r50", "r50", 0.005, 0.0),
    ("r80", "r80", 0.005, 0.0),
    ("concentration", "concentration", 0.0, 0.02),
    ("asymmetry", "asymmetry", 0.0, 0.005),
    ("gini", "gini", 0.0, 0.005),
    ("m20", "m20", 0.0, 0.01),
    ("signal_to_noise", "sn_per_pixel", 0.02, 0.0),
    ("intensity", "intensity", 0.0, 0.02),
    ("deviation", "deviation", 0.0, 0.01),
    ("sersic_index", "sersic_n", 0.08, 0.0),
    ("centre_y", "yc_asymmetry", 0.0, 0.3),
    ("centre_x", "xc_asymmetry", 0.0, 0.3),
)


@pytest.mark.parametrize(("q", "arms", "seed"), [(0.9, 0.0, 0), (0.6, 0.4, 1), (0.4, 0.2, 2)])
def test_statistics_are_those_of_statmorph(q, arms, seed):
    statmorph = pytest.importorskip("statmorph", reason="statmorph is not installed")
    y, x = np.mgrid[:160, :160] - 80.3
    u, v = 0.8 * x + 0.6 * y, (0.8 * y - 0.6 * x) / q
    r, theta = np.hypot(u, v), np.arctan2(v, u)
    image = 150.0 * np.exp(-r / 9.0) * (1.0 + arms * np.cos(2.0 * theta - 5.0 * np.log(r + 3.0)))
    segment = image > 4.0
    image += np.random.default_rng(seed).normal(0.0, 2.0, image.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies' deprecations
        theirs = statmorph.SourceMorphology(image, segment.astype(int), 1, gain=1.0)
    assert theirs.flag == 0
    sky = theirs.sky_mean, theirs.sky_sigma, theirs._sky_asymmetry
    ours = morphology(image, segment, sky=sky, gain=1.0)
    for name, attribute, relative, absolute in PAIRS:
        expected = pytest.approx(getattr(theirs, attribute), rel=relative, abs=absolute)
        assert ours[name] == expected, name
    assert ours["axis_ratio"] == pytest.approx(1.0 / theirs.elongation_asymmetry, abs=0.01)
    turn = ours["position_angle"] - theirs.orientation_asymmetry
    assert abs(np.sin(turn)) < 0.05
