"""Local binary patterns and co-occurrence of levels, against truth, scikit-image and mahotas."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from galfeat.features.texture.glcm import PROPERTIES, cooccurrence, haralick
from galfeat.features.texture.lbp import PATTERNS, binary_patterns, pattern_shares

ANGLES = (0.0, 0.25 * np.pi, 0.5 * np.pi, 0.75 * np.pi)
MOVES = {
    "quarter turn": np.rot90,
    "half turn": lambda image: image[::-1, ::-1],
    "mirror": lambda image: image[:, ::-1],
    "transpose": np.transpose,
}
CHECKERBOARD = np.indices((64, 64)).sum(axis=0) % 2


@pytest.fixture(scope="module")
def whole(smooth_noise):
    """Return a maker of smooth random images of whole numbers."""
    return lambda seed, size=64: np.round(1000.0 * smooth_noise(seed, size)).astype(np.int32)


@pytest.fixture(scope="module")
def sixteen_levels(smooth_noise):
    """Return a maker of random images of sixteen levels."""
    return lambda seed: np.clip(np.round(8.0 + 0.35 * smooth_noise(seed)), 0, 15).astype(np.uint8)


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_patterns_equal_scikit_image(whole, seed, radius):
    image = whole(seed)
    reference = local_binary_pattern(image, 8, radius, "uniform")
    inside = reference[radius:-radius, radius:-radius]
    np.testing.assert_array_equal(binary_patterns(image.astype(np.float32), radius, 0.0), inside)


def test_patterns_of_an_oblong_image_equal_scikit_image(whole):
    image = whole(5)[:20, :45]
    reference = local_binary_pattern(image, 8, 3, "uniform")[3:-3, 3:-3]
    np.testing.assert_array_equal(binary_patterns(image.astype(np.float32), 3, 0.0), reference)


@pytest.mark.parametrize("tolerance", [0.0, 0.2])
@pytest.mark.parametrize("value", [0.0, 0.1, 7.3, -2.0])
def test_all_neighbours_are_as_bright_in_a_flat_image(value, tolerance):
    codes = binary_patterns(np.full((20, 20), value, np.float32), 3, tolerance)
    assert codes.shape == (14, 14)
    assert (codes == 8).all()


def test_patterns_of_known_shapes():
    point = np.zeros((5, 5), np.float32)
    point[2, 2] = 1.0
    assert binary_patterns(point, 2, 0.0)[0, 0] == 0
    assert binary_patterns(-point, 2, 0.0)[0, 0] == 8
    edge = np.tile(np.arange(3.0, dtype=np.float32), (3, 1))  # brighter to the right
    assert binary_patterns(edge, 1, 0.0)[0, 0] == 5  # with those straight above and below
    ridge = np.float32([[0, 1, 0], [0, 1, 0], [0, 1, 0]])
    assert binary_patterns(ridge, 1, 0.0)[0, 0] == PATTERNS - 1


def test_patterns_of_a_checkerboard():
    codes = binary_patterns(CHECKERBOARD.astype(np.float32), 1, 0.0)
    bright = CHECKERBOARD[1:-1, 1:-1] == 1
    assert (codes[bright] == 0).all()
    assert (codes[~bright] == 8).all()


def test_differences_below_the_tolerance_are_ignored():
    image = np.random.default_rng(0).uniform(0.0, 1.0, (30, 30)).astype(np.float32)
    assert (binary_patterns(image, 1, 1.0) == 8).all()
    assert (binary_patterns(image, 1, 0.1) != 8).any()


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("radius", [1, 3])
def test_patterns_move_with_the_image(smooth_noise, move, radius):
    image = smooth_noise(7)
    moved = np.ascontiguousarray(MOVES[move](image))
    np.testing.assert_array_equal(
        binary_patterns(moved, radius, 0.1), MOVES[move](binary_patterns(image, radius, 0.1))
    )


def test_shares_count_only_the_disc():
    codes = np.full((64, 64), 8, np.uint8)
    codes[31:33, 31:33] = 3
    codes[0] = 5
    shares = pattern_shares(codes, 10.0)
    pixels = (np.add.outer((np.arange(64) - 31.5) ** 2, (np.arange(64) - 31.5) ** 2) <= 100).sum()
    assert shares[3] == pytest.approx(4 / pixels)
    assert shares[8] == pytest.approx(1.0 - 4 / pixels)
    assert shares.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("size", [0, 1, 2, 6])
def test_an_image_smaller_than_the_circle_has_no_pattern(size):
    codes = binary_patterns(np.ones((size, size), np.float32), 3, 0.0)
    assert codes.size == 0
    np.testing.assert_array_equal(pattern_shares(codes, 10.0), np.zeros(PATTERNS))


@pytest.mark.parametrize("distance", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("seed", range(2))
def test_pairs_and_their_properties_equal_scikit_image(sixteen_levels, seed, distance):
    levels = sixteen_levels(seed)[:, :50]
    reference = graycomatrix(levels, [distance], ANGLES, 16, symmetric=True)
    counts = cooccurrence(levels, 16, distance)
    np.testing.assert_array_equal(counts, np.moveaxis(reference[:, :, 0], 2, 0))
    normed = graycomatrix(levels, [distance], ANGLES, 16, symmetric=True, normed=True)
    expected = [graycoprops(normed, name).mean() for name in PROPERTIES]
    np.testing.assert_allclose(haralick(counts), expected, rtol=1e-10)


def test_properties_equal_mahotas(sixteen_levels):
    features = pytest.importorskip("mahotas.features", reason="mahotas is not installed")
    levels = sixteen_levels(3)
    theirs = features.haralick(levels, return_mean=True)
    moments, contrast, correlation, _, homogeneity, *_ = theirs
    ours = dict(zip(PROPERTIES, haralick(cooccurrence(levels, 16, 1)), strict=True))
    assert ours["contrast"] == pytest.approx(contrast, rel=1e-10)
    assert ours["correlation"] == pytest.approx(correlation, rel=1e-10)
    assert ours["homogeneity"] == pytest.approx(homogeneity, rel=1e-10)
    assert ours["entropy"] == pytest.approx(theirs[8] * np.log(2.0), rel=1e-10)
    squares = features.haralick(levels)[:, 0]
    assert ours["energy"] == pytest.approx(np.sqrt(squares).mean(), rel=1e-10)
    assert moments == pytest.approx(squares.mean())


def test_pixels_left_out_have_no_pairs(sixteen_levels):
    levels = sixteen_levels(4)
    levels[np.random.default_rng(0).random(levels.shape) < 0.4] = 255
    levels[:7], levels[:, -3:], levels[30] = 255, 255, 255
    with_rest = graycomatrix(np.minimum(levels, 16), [3], ANGLES, 17, symmetric=True)
    counts = cooccurrence(levels, 16, 3)
    np.testing.assert_array_equal(counts, np.moveaxis(with_rest[:16, :16, 0], 2, 0))


def test_properties_of_known_images():
    flat = haralick(cooccurrence(np.full((9, 9), 3, np.uint8), 8, 1))
    np.testing.assert_allclose(flat, [0.0, 1.0, 1.0, 1.0, 0.0], atol=1e-12)
    nothing = haralick(cooccurrence(np.full((9, 9), 255, np.uint8), 8, 1))
    np.testing.assert_array_equal(nothing, [0.0, 1.0, 0.0, 0.0, 0.0])
    counts = cooccurrence(CHECKERBOARD.astype(np.uint8), 2, 1)
    # Along the axes all pairs differ and come in two orders, on the diagonals none does.
    np.testing.assert_allclose(
        haralick(counts[[0, 2]]), [1.0, -1.0, np.sqrt(0.5), 0.5, np.log(2.0)], rtol=1e-12
    )
    np.testing.assert_allclose(
        haralick(counts[[1, 3]]), [0.0, 1.0, np.sqrt(0.5), 1.0, np.log(2.0)], rtol=1e-3
    )


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("distance", [1, 3])
def test_properties_are_invariant_to_rotation_and_mirroring(sixteen_levels, move, distance):
    levels = sixteen_levels(8)
    before = haralick(cooccurrence(levels, 16, distance))
    after = haralick(cooccurrence(np.ascontiguousarray(MOVES[move](levels)), 16, distance))
    np.testing.assert_allclose(after, before, rtol=1e-12)
