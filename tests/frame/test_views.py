"""Contents of the canonical views."""

import numpy as np
import pytest

from galfeat.frame import Flag, measure_frame, whole_image_frame
from galfeat.frame.canonical import CONTEXT_RADII, MAX_STRETCH
from galfeat.frame.equalise import equalise, equalising_table
from galfeat.frame.views import VIEW_SIZE

STEPS = (np.arange(VIEW_SIZE) + 0.5) / (0.5 * VIEW_SIZE) - 1.0
V, U = np.meshgrid(STEPS, STEPS, indexing="ij")


def moments(light, radius=0.7):
    """Second moments xx, yy, xy of a view's light within a circle, in half-widths squared."""
    grey = np.where(np.hypot(U, V) < radius, light.mean(axis=0), 0.0)
    return tuple((grey * m).sum() / grey.sum() for m in (U * U, V * V, U * V))


def centroid(light):
    grey = light.mean(axis=0)
    return (grey * V).sum() / grey.sum(), (grey * U).sum() / grey.sum()


@pytest.mark.parametrize("pa", np.radians([-70.0, -30.0, 0.0, 45.0, 90.0]))
@pytest.mark.parametrize("size", [128, 300])
def test_the_aligned_view_has_its_major_axis_along_x(paint, pa, size):
    scale = 0.06 * size
    frame = measure_frame(paint(size, scale=scale, q=0.5, pa=pa, offset=(3.0, -4.0), noise=1.0))
    light = frame.aligned[0].light
    xx, yy, xy = moments(light)
    assert abs(xy) < 0.02 * xx
    assert yy < 0.6 * xx
    np.testing.assert_allclose(centroid(light), 0.0, atol=0.02)
    # The half-width is 1.3 r90, and r90 of an exponential disc cut at 1.5 Petrosian radii
    # is 3.6 scale lengths.
    assert frame.radius == pytest.approx(1.3 * frame.radii[4])
    assert frame.radius == pytest.approx(1.3 * 3.6 * scale, rel=0.05)
    along = light.mean(axis=0)[31:33].mean(axis=0)
    slope = np.polyfit(STEPS[36:56] * frame.radius, np.log(along[36:56]), 1)[0]
    assert slope == pytest.approx(-1.0 / scale, rel=0.06)


@pytest.mark.parametrize("q", [0.4, 0.6, 0.8])
def test_the_deprojected_disc_is_round(paint, q):
    frame = measure_frame(paint(200, scale=11.0, q=q, pa=0.8, noise=1.0))
    xx, yy, xy = moments(frame.deprojected.light)
    assert yy == pytest.approx(xx, rel=0.05)
    assert abs(xy) < 0.02 * xx


def test_deprojection_has_its_limit_and_stops_before_edge_on(paint):
    inclined = measure_frame(paint(200, scale=14.0, q=0.28, noise=1.0))
    xx, yy, _ = moments(inclined.deprojected.light, 1.0)
    assert np.sqrt(yy / xx) < 0.28 * MAX_STRETCH * 1.2
    edge_on = measure_frame(paint(200, scale=14.0, q=0.15, noise=1.0))
    assert edge_on.deprojected is None


def test_the_context_view_is_three_times_as_wide(paint):
    frame = measure_frame(paint(256, scale=6.0, q=0.6, pa=0.3, noise=0.0))
    wide = frame.context[0].light.mean(axis=0)
    near = frame.aligned[0].light.mean(axis=0)
    assert CONTEXT_RADII == 3.0
    # The same light on a third of the width, so on a ninth of the pixels.
    assert wide.sum() == pytest.approx(near.sum() / 9.0, rel=0.1)
    xx, yy, _ = moments(frame.context[0].light, 1.0)
    wide_xx, wide_yy, _ = moments(frame.aligned[0].light, 1.0)
    assert wide_xx / xx == pytest.approx(9.0, rel=0.15)
    assert wide_yy / yy == pytest.approx(9.0, rel=0.15)


def test_a_round_galaxy_has_four_turns(paint):
    round_ = measure_frame(paint(160, scale=8.0, noise=1.0))
    assert Flag.ROUND in round_.flags
    assert len(round_.aligned) == len(round_.context) == 4
    turned = np.rot90(round_.aligned[0].light, axes=(1, 2))
    np.testing.assert_allclose(turned, round_.aligned[2].light, atol=3.0)
    inclined = measure_frame(paint(160, scale=8.0, q=0.6, noise=1.0))
    assert len(inclined.aligned) == len(inclined.context) == 1


def test_a_companion_is_replaced_by_what_lies_opposite(paint):
    alone = paint(160, scale=12.0, q=0.7, peak=120.0, noise=1.0)
    y, x = np.mgrid[:160, :160] - 79.5
    star = 130.0 * np.exp(-0.5 * ((y - 6.0) ** 2 + (x - 26.0) ** 2) / 1.8**2)
    image = np.clip(alone + np.rint(star)[:, :, None], 0, 255).astype(np.uint8)
    plain, frame = measure_frame(alone), measure_frame(image)
    other = frame.labels[86, 106]
    assert other not in (0, frame.galaxy + 1)
    difference = np.abs(frame.aligned[0].light - plain.aligned[0].light)
    assert difference.max() < 25.0  # of 130 counts of star
    assert np.abs(frame.context[0].light - plain.context[0].light).max() > 20.0  # shown small


def test_pixels_hidden_on_both_sides_become_sky(paint):
    y, x = np.mgrid[:160, :160] - 79.5
    stars = sum(150.0 * np.exp(-0.5 * (y**2 + (x - side) ** 2) / 1.8**2) for side in (-30.0, 30.0))
    image = paint(160, scale=9.0, q=0.6, peak=150.0, noise=1.0) + np.rint(stars)[:, :, None]
    frame = measure_frame(np.clip(image, 0, 255).astype(np.uint8))
    others = (frame.labels > 0) & (frame.labels != frame.galaxy + 1)
    assert others[79, 109]
    assert others[79, 49]
    c, s = np.cos(frame.pa), np.sin(frame.pa)
    for dy, dx in ((79.0 - frame.yc, 109.0 - frame.xc), (79.0 - frame.yc, 49.0 - frame.xc)):
        column = int((dx * c + dy * s) / frame.radius * 32.0 + 32.0)
        row = int((dy * c - dx * s) / frame.radius * 32.0 + 32.0)
        np.testing.assert_array_equal(frame.aligned[0].light[:, row, column], 0.0)


def test_beyond_the_image_there_is_sky(paint):
    frame = measure_frame(paint(100, scale=9.0, q=0.6, noise=2.0))
    light = frame.context[0].light
    np.testing.assert_array_equal(light[:, :6], 0.0)
    np.testing.assert_array_equal(light[:, :, -6:], 0.0)


@pytest.mark.parametrize("power", [0.5, 0.8, 2.0])
def test_a_monotone_stretch_leaves_the_equalised_view_unchanged(paint, power):
    frame = measure_frame(paint(160, scale=11.0, q=0.6, pa=0.5, noise=3.0))
    light = frame.aligned[0].light
    grey = np.repeat(np.maximum(light.mean(axis=0, keepdims=True), 0.0), 3, axis=0)
    stretched = (255.0 * (grey / 255.0) ** power).astype(np.float32)
    views = np.empty((2, VIEW_SIZE, VIEW_SIZE), np.float32)
    for image, view in zip((grey, stretched), views, strict=True):
        equalise(image, *equalising_table(image, 0.6), view)
    # 4096 levels, which a stretch spreads unevenly: a little off of 30 counts.
    assert np.abs(views[1] - views[0]).mean() < 0.1
    assert np.percentile(np.abs(views[1] - views[0]), 99) < 0.5


def test_every_profile_is_exponential_once_equalised(paint):
    for gaussian in (True, False):
        scale = 18.0 if gaussian else 11.0
        frame = measure_frame(paint(200, scale=scale, q=0.6, gaussian=gaussian, noise=1.0))
        view = frame.aligned[0].equalised
        along = 0.5 * (view[31] + view[32])[32:]
        expected = 30.0 * np.exp(-3.0 * STEPS[32:] * 32.0 / 31.0)
        np.testing.assert_allclose(along[2:26], expected[2:26], atol=0.9)


def test_the_whole_image_is_its_own_frame():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frame = whole_image_frame(image)
    np.testing.assert_allclose(frame.aligned[0].light, image.transpose(2, 0, 1), atol=1e-3)
    np.testing.assert_allclose(frame.aligned[0].equalised, image.mean(axis=2), atol=1e-3)
    assert frame.deprojected is frame.aligned[0]
    assert frame.flags == 0
    assert frame.galaxy == -1


@pytest.mark.parametrize(("size", "step"), [(128, 2), (192, 3), (256, 4)])
def test_the_whole_image_is_averaged_down(size, step):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image = np.repeat(np.repeat(small, step, axis=0), step, axis=1)
    view = whole_image_frame(image).aligned[0].light
    np.testing.assert_allclose(view.mean(), small.mean(), rtol=0.01)
    assert np.corrcoef(view.ravel(), small.transpose(2, 0, 1).ravel())[0, 1] > 0.95


def test_an_oblong_image_lies_in_the_middle_of_its_frame():
    view = whole_image_frame(np.full((32, 64, 3), 200, np.uint8)).aligned[0].light
    assert (view[:, :15] == 0.0).all()
    assert (view[:, 17:47, 1:63] == 200.0).all()
    assert (view[:, 49:] == 0.0).all()
