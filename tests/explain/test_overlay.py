"""Lines drawn on a galaxy match its geometry."""

import numpy as np
import pytest

from galfeat.explain import marks
from galfeat.frame import measure_frame

SIZE = 160


def barred(angle, q=1.0, scale=14.0):
    """Return a face-on disc with a bar at an angle, from x towards rising rows."""
    y, x = np.mgrid[:SIZE, :SIZE] - 0.5 * (SIZE - 1)
    disc = 90.0 * np.exp(-np.hypot(x, y / q) / scale)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    bar = 180.0 * np.exp(-0.5 * ((u / 15.0) ** 4 + (v / 6.0) ** 2))
    light = 15.0 + disc + bar
    noise = np.random.default_rng(0).normal(0.0, 1.0, (SIZE, SIZE, 3))
    return np.clip(np.rint(light[:, :, None] + noise), 0, 255).astype(np.uint8)


def of(image):
    drawn = {}
    for mark in marks(measure_frame(image)):
        drawn.setdefault(mark.name, []).append(mark.points)
    return drawn


@pytest.mark.parametrize("pa", [0.3, 1.2, 2.5])
def test_ellipses_follow_an_isophote(paint, pa):
    image = paint(SIZE, scale=9.0, q=0.5, pa=pa, offset=(6.0, -9.0), noise=1.0)
    drawn = of(image)
    assert set(drawn) == {"Petrosian radius", "half of the light"}
    for (points,) in drawn.values():
        x = points[:, 0] - 0.5 * (SIZE - 1) + 9.0
        y = points[:, 1] - 0.5 * (SIZE - 1) - 6.0
        u, v = x * np.cos(pa) + y * np.sin(pa), (y * np.cos(pa) - x * np.sin(pa)) / 0.5
        radii = np.hypot(u, v)
        np.testing.assert_allclose(radii, radii.mean(), rtol=0.12)
    (half,), (outer,) = drawn["half of the light"], drawn["Petrosian radius"]
    assert np.ptp(half[:, 0]) < 0.7 * np.ptp(outer[:, 0])


@pytest.mark.parametrize("angle", [0.2, 0.9, 1.7, 2.8])
def test_the_bar_is_drawn_along_the_bar(angle):
    ((first, last),) = of(barred(angle))["bar"]
    along = last - first
    found = np.arctan2(along[1], along[0])
    assert abs(np.sin(found - angle)) < np.sin(np.radians(6.0))
    np.testing.assert_allclose(0.5 * (first + last), 0.5 * (SIZE - 1), atol=1.0)
    assert 9.0 < 0.5 * np.hypot(*along) < 28.0


def test_arms_turn_with_the_image(simulated):
    from galfeat import open_dataset

    dataset = open_dataset(simulated)
    rows = np.flatnonzero(dataset.labels == dataset.class_names.index("Unbarred Loose Spiral"))
    drawn = 0
    for image in dataset.read(rows):
        as_it_is, turned = of(image), of(np.ascontiguousarray(np.rot90(image)))
        if "spiral arm" not in as_it_is:
            continue
        drawn += 1
        size = image.shape[1]
        wanted = [np.stack([p[:, 1], size - 1 - p[:, 0]], axis=1) for p in as_it_is["spiral arm"]]
        for arm in turned["spiral arm"]:  # the two-fold order is free
            assert min(np.abs(arm - one).max() for one in wanted) < 1.0
    assert drawn >= 3


def test_a_round_bulge_of_an_inclined_disc_is_not_a_bar(monkeypatch):
    y, x = np.mgrid[:SIZE, :SIZE] - 0.5 * (SIZE - 1)
    sky = np.random.default_rng(1).normal(20, 1, (SIZE, SIZE))
    disc, bulge = 60 * np.exp(-np.hypot(x, y / 0.5) / 16), 170 * np.exp(-(x**2 + y**2) / 144)
    image = np.repeat(np.clip(sky + disc + bulge, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert "bar" not in of(image)
    monkeypatch.setattr("galfeat.explain.overlay.STRETCHED", 0.0)
    assert "bar" in of(image)


def test_nothing_but_ellipses_on_a_featureless_or_flat_galaxy(paint):
    assert set(of(paint(SIZE, scale=9.0, noise=1.0))) == {"Petrosian radius", "half of the light"}
    flat = of(barred(0.0, q=0.3))
    assert "bar" not in flat


def test_padding_at_the_edges_moves_nothing(paint):
    image = paint(SIZE, scale=9.0, q=0.6, pa=0.5, noise=1.0)
    padded = np.zeros((SIZE + 20, SIZE + 20, 3), np.uint8)
    padded[10:-10, 10:-10] = image
    (one,), (other,) = of(image)["Petrosian radius"], of(padded)["Petrosian radius"]
    np.testing.assert_allclose(other, one + 10.0, atol=1e-6)
