"""Ranks of feature values among those of other galaxies."""

import numpy as np

from galfeat.features.quantiles import LEVELS, quantiles, share_below, share_unusual

NAMES = ("shape.axis_ratio", "colour.spread", "radial.major.x0")


def test_shares_of_a_known_distribution():
    even = np.linspace(0.0, 10.0, 1001, dtype=np.float32)[:, None]
    known = quantiles(even, NAMES[:1])
    np.testing.assert_allclose(known[NAMES[0]], 10.0 * LEVELS, atol=1e-5)
    new = np.array([[-5.0], [0.0], [2.5], [9.0], [10.0], [99.0]], np.float32)
    np.testing.assert_allclose(
        share_below(new, NAMES[:1], known)[:, 0], [0, 0, 0.25, 0.9, 1, 1], atol=1e-5
    )


def test_galaxies_with_an_equal_value_count_half():
    many = np.repeat(np.array([0.0, 1.0], np.float32), [600, 400])[:, None]
    known = quantiles(many, NAMES[:1])
    np.testing.assert_allclose(share_below(many[:1], NAMES[:1], known), 0.3, atol=0.03)
    np.testing.assert_allclose(share_below(many[-1:], NAMES[:1], known), 0.8, atol=0.03)


def test_missing_values_have_no_share():
    values = np.full((50, 3), np.nan, np.float32)
    values[:, 0] = np.arange(50)
    values[::2, 1] = 1.0
    shares = share_below(values, NAMES, quantiles(values, NAMES))
    assert np.isfinite(shares[:, 0]).all()
    assert (np.isfinite(shares[:, 1]) == np.isfinite(values[:, 1])).all()
    assert np.isnan(shares[:, 2]).all()


def test_pixels_and_activations_have_no_quantiles():
    values = np.ones((9, 3), np.float32)
    names = ("planes.p0y0x0", "shape.axis_ratio", "embedding.e000")
    known = quantiles(values, names)
    assert list(known) == ["shape.axis_ratio"]
    assert np.isnan(share_below(values, names, known)).all(axis=0).tolist() == [True, False, True]


def test_unusual_values_are_counted():
    known = quantiles(np.linspace(0.0, 100.0, 1001, dtype=np.float32)[:, None] + [0, 1, 2], NAMES)
    rows = np.array(
        [[50, 50, 50], [0.5, 50, 50], [50, -9, 500], [np.nan, -9, 50], [np.nan] * 3], np.float32
    )
    np.testing.assert_allclose(share_unusual(rows, NAMES, known), [0, 1 / 3, 2 / 3, 1 / 2, np.nan])
    assert np.isnan(share_unusual(rows, ("a.x", "b.x", "c.x"), known)).all()
