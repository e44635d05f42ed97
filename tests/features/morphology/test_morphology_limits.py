"""Rotated, mirrored, padded and scaled galaxies, and images with hardly any light."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galfeat.features.morphology.family import COLUMNS, NAMES, measure, morphology
from galfeat.frame import measure_frame

OF_COLUMN = dict(zip(NAMES, COLUMNS, strict=False))  # those of the sky come last
INVARIANT = [name for name, column in OF_COLUMN.items() if column.invariant]
#: What a change may add, in the column's own unit, to one part in twenty.
LOOSE = {"smoothness": 0.01, "multimode": 0.02, "deviation": 0.02, "isophotes.twist": 0.05}


@pytest.fixture(scope="module")
def galaxy():
    """A lopsided spiral with a companion, on a noisy sky, and its segment and mask."""
    y, x = np.mgrid[:150, :160].astype(float)
    v, u = y - 71.3, x - 82.6
    r, theta = np.hypot(u, v / 0.7), np.arctan2(v / 0.7, u)
    image = 120.0 * np.exp(-r / 10.0) * (1.0 + 0.5 * np.cos(2.0 * theta - 4.0 * np.log(r + 2.0)))
    image += 25.0 * np.exp(-0.5 * ((x - 96.0) ** 2 + (y - 60.0) ** 2) / 6.0)
    companion = 90.0 * np.exp(-0.5 * ((x - 40.0) ** 2 + (y - 35.0) ** 2) / 8.0)
    noise = np.random.default_rng(5).normal(0.0, 1.5, image.shape)
    return image + companion + noise, image > 4.0, companion > 1.0


CHANGES = {
    "quarter turn": np.rot90,
    "half turn": lambda a: a[::-1, ::-1],
    "mirror": lambda a: a[:, ::-1],
    "transpose": lambda a: a.T,
}


@pytest.mark.parametrize("change", CHANGES)
def test_turned_and_mirrored_galaxies_are_the_same(galaxy, change):
    image, segment, mask = galaxy
    turn = CHANGES[change]
    before = morphology(image, segment, mask=mask)
    after = morphology(turn(image), turn(segment), mask=turn(mask))
    for name in INVARIANT:
        tolerance = LOOSE.get(name, 0.004)
        assert after[name] == pytest.approx(before[name], rel=0.05, abs=tolerance), name
    height, width = image.shape
    centres = {
        "quarter turn": (width - 1 - before["centre_x"], before["centre_y"]),
        "half turn": (height - 1 - before["centre_y"], width - 1 - before["centre_x"]),
        "mirror": (before["centre_y"], width - 1 - before["centre_x"]),
        "transpose": (before["centre_x"], before["centre_y"]),
    }
    assert (after["centre_y"], after["centre_x"]) == pytest.approx(centres[change], abs=0.26)
    angle = before["position_angle"]
    angles = {
        "quarter turn": angle - 0.5 * np.pi,
        "half turn": angle,
        "mirror": -angle,
        "transpose": 0.5 * np.pi - angle,
    }
    assert np.cos(2.0 * (after["position_angle"] - angles[change])) > 0.999


def test_brightness_does_not_matter_if_the_gain_is_scaled(galaxy):
    image, segment, mask = galaxy
    before = morphology(image, segment, mask=mask)
    after = morphology(40.0 * image, segment, mask=mask, gain=1.0 / 40.0)
    for name in NAMES:
        assert after[name] == pytest.approx(before[name], rel=1e-3, abs=1e-4), name


def test_a_wider_canvas_does_not_matter(galaxy):
    image, segment, mask = galaxy
    sky = (0.0, 1.5, 1.7)
    before = morphology(image, segment, mask=mask, sky=sky)
    wide = [np.pad(a, ((30, 10), (20, 40))) for a in (image, segment, mask)]
    after = morphology(wide[0], wide[1], mask=wide[2], sky=sky)
    for name in INVARIANT:
        assert after[name] == pytest.approx(before[name], rel=0.02, abs=0.005), name
    assert after["centre_y"] == pytest.approx(before["centre_y"] + 30.0, abs=0.01)


def test_a_masked_companion_does_not_matter(galaxy):
    image, segment, mask = galaxy
    brighter = np.where(mask, image * 7.0 + 100.0, image)
    before = morphology(image, segment, mask=mask)
    after = morphology(brighter, segment, mask=mask)
    assert after == pytest.approx(before, rel=1e-6)


EMPTY = np.zeros((40, 50))


@pytest.mark.parametrize(
    ("image", "segment"),
    [
        (EMPTY, EMPTY > 0.0),
        (EMPTY, EMPTY == 0.0),
        (EMPTY - 3.0, EMPTY == 0.0),
        (EMPTY + 5.0, EMPTY > 0.0),
    ],
)
def test_without_light_in_the_segment_all_values_are_nan(image, segment):
    assert np.isnan(list(morphology(image, segment).values())).all()


def spot(height, width):
    """Mark a block of pixels in the middle."""
    segment = EMPTY > 0.0
    segment[20 : 20 + height, 25 : 25 + width] = True
    return segment


@pytest.mark.parametrize("segment", [spot(1, 1), spot(1, 2), spot(2, 2), spot(3, 1), spot(1, 9)])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_tiny_segments_are_measured(segment, noise):
    image = np.random.default_rng(0).normal(0.0, noise, EMPTY.shape) + 50.0 * segment
    values = morphology(image, segment)
    assert np.isfinite(list(values.values())).all(), values


@pytest.mark.parametrize("edge", [(0, 25), (39, 25), (20, 0), (20, 49), (0, 0), (39, 49)])
def test_segments_at_the_edge_are_measured(edge):
    y, x = np.mgrid[:40, :50]
    image = 80.0 * np.exp(-np.hypot(y - edge[0], x - edge[1]) / 5.0)
    values = morphology(image, image > 2.0)
    assert np.isfinite(list(values.values())).all(), values


@pytest.mark.parametrize("value", [1e-6, 1.0, 1e6])
def test_a_flat_image_is_measured(value):
    values = morphology(np.full((40, 50), value), EMPTY == 0.0)
    assert np.isfinite(list(values.values())).all(), values
    assert values["gini"] == pytest.approx(0.0, abs=1e-6)
    assert values["multimode"] == values["nuclei.separation"] == 0.0


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1),
    st.sampled_from(["noise", "spikes", "steps", "blobs"]), st.floats(0.0, 1.0),
)  # fmt: skip
def test_any_segment_is_measured_or_nan(height, width, seed, kind, part):
    rng = np.random.default_rng(seed)
    image = rng.normal(0.0, 5.0, (height, width))
    if kind == "spikes":
        image = 1e5 * (rng.random((height, width)) < 0.05)
    elif kind == "steps":
        image = np.floor(image)
    elif kind == "blobs":
        image = np.cumsum(np.cumsum(image, axis=0), axis=1)
    segment = rng.random((height, width)) < part
    mask = rng.random((height, width)) < 0.2
    values = np.array(list(morphology(image, segment, mask=mask).values()))
    assert np.isfinite(values).all() or np.isnan(values).all(), values


@pytest.mark.parametrize("shapes", [((9, 9), (9, 8), (9, 9)), ((9,), (9,), (9,))])
def test_arrays_of_other_shapes_are_refused(shapes):
    image, segment, mask = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match="expected equal shapes with two axes"):
        morphology(image, segment > 0, mask=mask > 1)


def test_the_family_measures_the_galaxy_of_the_frame(paint):
    frame = measure_frame(paint(160, scale=11.0, q=0.6, pa=0.4, noise=2.0))
    statistics, background = np.split(measure(frame), [len(NAMES)])
    values = dict(zip(NAMES, statistics, strict=True))
    assert values["axis_ratio"] == pytest.approx(0.6, abs=0.05)
    assert values["position_angle"] == pytest.approx(0.4, abs=0.05)
    assert values["petrosian_elliptical"] == pytest.approx(frame.radii[0], rel=0.1)
    assert values["r50"] == pytest.approx(frame.radii[2] * np.sqrt(0.6), rel=0.1)
    own = morphology(
        frame.grey, frame.labels == frame.galaxy + 1,
        mask=(frame.labels != 0) & (frame.labels != frame.galaxy + 1),
    )  # fmt: skip
    np.testing.assert_array_equal(np.float32(list(own.values())), statistics)
    np.testing.assert_array_equal(background[:6], frame.sky.ravel().astype(np.float32))
    assert background[6] == pytest.approx(frame.noise / frame.sky[1].mean())


def test_the_sky_is_nan_with_the_statistics_if_the_segment_contains_no_light(paint):
    frame = measure_frame(paint(160, scale=11.0))
    dark = dataclasses.replace(frame, grey=-np.abs(frame.grey))
    assert np.isnan(measure(dark)).all()
