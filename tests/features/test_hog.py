"""Histograms of gradients against scikit-image, symmetries and spirals of known pitch."""

import numpy as np
import pytest
from skimage.feature import hog as skimage_hog

from galfeat.features.hog import (
    CELLS,
    COLUMNS,
    ORIENTATIONS,
    RINGS,
    cell_histograms,
    fold_quadrants,
    measure,
    ring_histograms,
)
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]


def by_skimage(image, cells=CELLS):
    side = image.shape[0] // cells
    blocks = skimage_hog(
        image, ORIENTATIONS, (side, side), (1, 1), block_norm="L2", feature_vector=False,
        channel_axis=2 if image.ndim == 3 else None,
    )  # fmt: skip
    return blocks[:, :, 0, 0]


def normalised(histograms):
    histograms = histograms.astype(float)
    return histograms / np.sqrt(np.square(histograms).sum(axis=2, keepdims=True) + 1e-10)


@pytest.mark.parametrize("cells", [4, 8])
@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("seed", range(4))
def test_cells_equal_scikit_image(smooth_noise, seed, size, cells):
    image = smooth_noise(seed, size)
    # In the first and last row scikit-image counts all gradients as horizontal and puts them
    # into bin 0; galfeat parts them between bins 0 and 8. With flat rows there are none.
    image[[0, -1]] = 0.0
    ours = normalised(cell_histograms(image, cells))
    np.testing.assert_allclose(ours, by_skimage(image, cells), atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3), (256, 256), (256, 256, 3)])
def test_cells_of_float64_equal_scikit_image_to_rounding(shape):
    image = np.random.default_rng(5).uniform(0.0, 255.0, shape)
    image[[0, -1]] = 9.0
    np.testing.assert_allclose(
        normalised(cell_histograms(image, 8)), by_skimage(image, 8), rtol=1e-5, atol=1e-12
    )


def test_inner_cells_equal_scikit_image_for_any_edge(smooth_noise):
    image = smooth_noise(9)
    ours = normalised(cell_histograms(image, CELLS))
    np.testing.assert_allclose(ours[1:-1], by_skimage(image)[1:-1], atol=1e-5)


@pytest.mark.parametrize("degrees", [10, 30, 90, 110, 170])
def test_a_slope_has_its_own_orientation(degrees):
    v, u = np.mgrid[:64, :64].astype(float)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    histograms = cell_histograms((u * c + v * s).astype(np.float32), CELLS)
    inner = histograms[1:-1, 1:-1]
    expected = np.zeros(ORIENTATIONS)
    expected[degrees // 20] = 2.0  # central differences are not halved
    np.testing.assert_allclose(inner, np.broadcast_to(expected, inner.shape), atol=1e-4)


def test_a_slope_along_x_is_divided_between_the_first_and_the_last_bin():
    image = np.tile(np.arange(64, dtype=np.float32), (64, 1))
    inner = cell_histograms(image, CELLS)[:, 1:-1]
    expected = [1.0, 0, 0, 0, 0, 0, 0, 0, 1.0]
    np.testing.assert_allclose(inner, np.broadcast_to(expected, inner.shape), atol=1e-6)


@pytest.mark.parametrize("kind", ["smooth", "whole numbers"])
def test_folding_is_invariant_to_half_turns_and_mirroring(smooth_noise, kind):
    image = smooth_noise(2)
    if kind == "whole numbers":  # with many gradients exactly along an axis
        image = np.round(image / 5.0)
    folded = fold_quadrants(cell_histograms(image, CELLS))
    for moved in (image[::-1, ::-1], image[:, ::-1], image[::-1]):
        again = fold_quadrants(cell_histograms(np.ascontiguousarray(moved), CELLS))
        np.testing.assert_allclose(again, folded, atol=1e-6 * folded.max())


def test_folding_keeps_the_gradients(smooth_noise):
    histograms = cell_histograms(smooth_noise(3), CELLS)
    folded = fold_quadrants(histograms)
    assert folded.shape == (CELLS // 2, CELLS // 2, ORIENTATIONS)
    assert folded.sum() * 4.0 == pytest.approx(histograms.sum(), rel=1e-5)


@pytest.mark.parametrize(
    ("arms", "degrees"), [(1, 15), (1, 45), (2, 25), (2, 45), (2, 65), (3, 35), (3, 75), (4, 85)]
)
def test_the_rings_of_a_spiral_peak_at_its_pitch(spiral, arms, degrees):
    rings = ring_histograms(spiral(arms, arms / np.tan(np.radians(degrees)), 0.02), 32.0)
    for ring in range(2, RINGS):
        assert rings[ring, :9].argmax() == degrees // 10
        assert rings[ring, degrees // 10] > 0.7 * rings[ring, 9]


def test_the_rings_of_a_round_galaxy_are_all_along_the_radius(polar):
    image = (100.0 * np.exp(-polar[0] / 12.0)).astype(np.float32)
    rings = ring_histograms(image, 32.0)
    np.testing.assert_allclose(rings[1:, 0], rings[1:, 9], rtol=1e-3)
    np.testing.assert_allclose(rings[:, 9].sum(), 1.0, rtol=1e-5)
    np.testing.assert_allclose(rings[:, :9].sum(axis=1), rings[:, 9], rtol=1e-5)


def test_rings_are_invariant_to_quarter_turns_and_mirroring(smooth_noise):
    image = smooth_noise(4)
    rings = ring_histograms(image, 32.0)
    for moved in (np.rot90(image), image[::-1, ::-1], image[:, ::-1], image.T):
        again = ring_histograms(np.ascontiguousarray(moved), 32.0)
        # A gradient on the edge of two bins may go to either.
        np.testing.assert_allclose(again, rings, atol=5e-4)


def test_a_flat_view_has_no_gradients():
    flat = np.full((64, 64), 7.0, np.float32)
    assert not cell_histograms(flat, CELLS).any()
    assert not ring_histograms(flat, 32.0).any()


def test_columns_of_views_are_where_their_names_say(paint):
    frame = measure_frame(paint(128, scale=8.0, q=0.6, noise=2.0))
    values = dict(zip(NAMES, measure(frame), strict=True))
    for view in ("aligned", "deprojected"):
        image = frame.aligned[0].equalised if view == "aligned" else frame.deprojected.equalised
        rings = ring_histograms(image, 32.0)
        assert values[f"hog.{view}.r3.o7"] == rings[3, 7]
        assert values[f"hog.{view}.r3.share"] == rings[3, 9]
    folded = fold_quadrants(cell_histograms(frame.context[0].equalised, CELLS))
    expected = folded[1, 0, 4] / np.sqrt(np.square(folded).sum() + 1e-2)
    assert values["hog.context.y1x0.o4"] == pytest.approx(expected, rel=1e-4)
    whole = [values[f"hog.aligned.o{o}"] for o in range(ORIENTATIONS)]
    assert np.mean(whole) == pytest.approx(1.0, rel=1e-4)


def test_without_a_deprojected_view_its_columns_are_missing_and_no_others(paint):
    values = measure(measure_frame(paint(160, scale=12.0, q=0.15, noise=2.0)))
    for name, value in zip(NAMES, values, strict=True):
        assert np.isnan(value) == name.startswith("hog.deprojected."), name
