"""Display images: geometry under turns and mirrors, sky and noise of each rendering, classes."""

from dataclasses import replace

import numpy as np
import pytest

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation.rendering import RENDERINGS, add_noise, share_colour
from galfeat.data.simulation.scene import Conditions, Galaxy, Scene, Spheroid, Star
from galfeat.data.simulation.simulator import draw, sample_scene
from galfeat.data.simulation.truth import truth
from galfeat.errors import DataError

EMPTY = Scene(galaxies=())
RAMP = np.arange(256) - 127.5


def scene(class_id, seed=0):
    """A scene without stars, whose spikes do not turn with the sky."""
    sampled = sample_scene(class_id, np.random.default_rng(seed))
    return replace(sampled, stars=(), conditions=Conditions())


def quiet(what, **options):
    return draw(what, noise=False, **options).astype(int)


def ellipse(image):
    """Centre, axis ratio and position angle of what stands out of the sky by a third."""
    grey = image.astype(float).mean(axis=2)
    sky = np.median(grey)
    inside = grey > sky + 0.33 * (grey[118:138, 118:138].max() - sky)
    y, x = np.nonzero(inside)
    centre = x.mean(), y.mean()
    xx, yy, xy = x.var(), y.var(), np.cov(x, y)[0, 1]
    spread = np.hypot(xx - yy, 2 * xy)
    q = np.sqrt((xx + yy - spread) / (xx + yy + spread))
    return centre, q, 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy)) % 180


@pytest.mark.parametrize("class_id", range(10))
def test_a_quarter_turn_of_the_sky_is_a_quarter_turn_of_the_image(class_id):
    # One pixel in thousands differs by the half-pixel grid on which JPEG keeps colour.
    what = scene(class_id)
    turned = quiet(what, turn=90.0)
    difference = np.abs(turned - np.rot90(quiet(what), -1))
    assert np.percentile(difference, 99.9) <= 2


@pytest.mark.parametrize("class_id", [0, 1, 5, 7])
def test_a_mirrored_sky_is_a_mirrored_image(class_id):
    what = scene(class_id)
    difference = np.abs(quiet(what, mirror=True) - quiet(what)[:, ::-1])
    assert np.percentile(difference, 99.9) <= 2


def test_a_shift_by_whole_pixels_moves_the_image():
    what = scene(7)
    moved = quiet(what, shift=(10 * 0.262, -4 * 0.262))
    difference = np.abs(moved[:-4, 10:] - quiet(what)[4:, :-10])
    assert np.percentile(difference, 99.9) <= 2


def test_a_turn_by_any_angle_turns_the_major_axis():
    what = Scene(
        galaxies=(
            Galaxy(
                position_angle=10.0,
                spheroid=Spheroid(magnitude=15.5, colour=0.8, radius=5.0, index=2.0, q=0.5),
            ),
        )
    )
    before, after = ellipse(quiet(what)), ellipse(quiet(what, turn=37.0))
    assert before[2] == pytest.approx(10.0, abs=0.5)
    assert after[2] == pytest.approx(47.0, abs=0.5)
    assert after[1] == pytest.approx(before[1], abs=0.01)


def test_a_wider_field_shows_the_same_galaxy_smaller():
    what = scene(6)
    whole = quiet(what, size=256)
    assert np.array_equal(quiet(what, size=128), whole[64:192, 64:192])
    coarse = quiet(what, size=128, pixel_scale=0.524)
    binned = whole.reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
    assert np.abs(coarse - binned).mean() < 1.0


def test_pixels_finer_than_the_surveys_are_interpolated():
    what = scene(6)
    fine = quiet(what, size=512, pixel_scale=0.131)
    binned = fine.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))
    assert np.abs(binned - quiet(what)).mean() < 1.0


def test_two_renderings_show_the_same_geometry():
    for seed in range(6):
        what = scene(3, seed)
        what = replace(what, neighbours=(), specks=())
        target = what.galaxies[0]
        legacy = quiet(what, rendering="legacy", pixel_scale=0.2)
        sdss = quiet(what, rendering="sdss", pixel_scale=0.2)
        assert not np.array_equal(legacy, sdss)
        for centre, q, angle in (ellipse(legacy), ellipse(sdss)):
            assert centre == pytest.approx((127.5, 127.5), abs=1.0)
            assert q == pytest.approx(target.spheroid.q, abs=0.25)
            turn = (angle - target.position_angle + 90) % 180 - 90
            assert turn == pytest.approx(0.0, abs=3.0)


def test_a_blank_sky_is_as_dark_as_in_galaxy10():
    # Galaxy10 DECaLS has three blank images; every byte of them is 32.
    assert set(quiet(EMPTY).ravel()) == {32}


@pytest.mark.parametrize(
    ("rendering", "level", "scatter"), [("legacy", 33, (12, 25)), ("sdss", 3, (2, 8))]
)
def test_the_sky_has_the_level_and_the_grain_of_the_survey(rendering, level, scatter):
    image = draw(EMPTY, rendering=rendering, seed=4).astype(float)
    assert np.median(image, axis=(0, 1)) == pytest.approx([level] * 3, abs=1.5)
    red, green, blue = image.std(axis=(0, 1))
    assert all(scatter[0] < channel < scatter[1] for channel in (red, green, blue))
    grain = image - image.mean(axis=(0, 1))
    # As in JPEG, the channels' noise is neither the same nor independent.
    assert 0.1 < np.corrcoef(grain[..., 0].ravel(), grain[..., 2].ravel())[0, 1] < 0.9


@pytest.mark.parametrize("name", RENDERINGS)
def test_noise_has_the_variance_of_sky_and_photons(name):
    survey = RENDERINGS[name]
    for flux in (0.0, 1.0):
        planes = np.full((3, 300, 300), flux, dtype=np.float32)
        add_noise(planes, survey, sky=1.0, dimming=1.0, seed=np.random.SeedSequence(8))
        for plane, sigma in zip(planes, survey.noise, strict=True):
            assert plane.mean() == pytest.approx(flux, abs=3 * sigma / 100 + 3e-4)
            assert plane.std() == pytest.approx(np.sqrt(sigma**2 + flux / survey.gain), rel=0.03)
    grain = planes[0] - planes[0].mean()
    kurtosis = (grain**4).mean() / (grain**2).mean() ** 2
    assert kurtosis == pytest.approx(3.0, abs=0.2)
    neighbours = (grain[:, 1:] * grain[:, :-1]).mean() / (grain**2).mean()
    w = survey.smoothing
    expected = 2 * w * (1 - 2 * w) / ((1 - 2 * w) ** 2 + 2 * w**2)
    assert neighbours == pytest.approx(expected, abs=0.02)
    far = (grain[:, 3:] * grain[:, :-3]).mean() / (grain**2).mean()
    assert abs(far) < 0.02


def test_noise_differs_between_bands_and_seeds():
    first, second = draw(EMPTY, seed=1), draw(EMPTY, seed=2)
    assert np.array_equal(first, draw(EMPTY, seed=1))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.02


def test_a_bright_star_is_white_in_legacy_and_keeps_its_hue_in_sdss():
    red = Scene(galaxies=(), stars=(Star(x=0.0, y=0.0, magnitude=13.0, colour=1.3),))
    middle = slice(126, 130)
    assert quiet(red)[middle, middle].min() > 240
    pixel = quiet(red, rendering="sdss")[middle, middle].mean(axis=(0, 1))
    assert pixel[0] > 250
    assert pixel[0] > pixel[1] + 30 > pixel[2] + 60


def test_shared_colour_keeps_the_luminance_of_each_pixel():
    rng = np.random.default_rng(0)
    image = rng.uniform(80, 170, (20, 20, 3)).astype(np.float32)
    weights = np.array([0.299, 0.587, 0.114])
    before = image @ weights
    share_colour(image)
    assert image @ weights == pytest.approx(before, abs=1e-3)
    red_minus_grey = image[..., 0] - image @ weights
    assert red_minus_grey[::2, ::2] == pytest.approx(red_minus_grey[1::2, 1::2], abs=1e-3)


@pytest.mark.parametrize("options", [{"size": 0}, {"pixel_scale": 0.0}, {"rendering": "jwst"}])
def test_impossible_pictures_are_refused(options):
    with pytest.raises(DataError):
        draw(EMPTY, **options)


def test_there_are_ten_classes():
    with pytest.raises(DataError, match="choose one from 0 to 9"):
        sample_scene(10, np.random.default_rng(0))
    assert len(GALAXY10_DECALS) == 10


@pytest.mark.parametrize("class_id", range(10))
def test_each_class_matches_its_name(class_id):
    for seed in range(40):
        what = sample_scene(class_id, np.random.default_rng([class_id, seed]))
        drawn = truth(what, 0.262, 256)
        target = what.galaxies[0]
        assert what.class_id == class_id
        assert 13.0 < drawn["magnitude"] < 18.6
        assert 0.0 < drawn["redshift"] < 0.3
        assert abs(drawn["x"] - 127.5) < 64
        if class_id == 0:
            assert drawn["tidal_strength"] > 0.05
        if class_id == 1:
            assert drawn["nuclei"] == 2
            assert 0.1 < drawn["nuclei_flux_ratio"] <= 1.0
            assert drawn["nuclei_separation"] > 2.0
        else:
            assert drawn["nuclei"] == 1
        if class_id in (2, 3, 4):
            assert target.arms is None
            low, high = ((0.79, 1.0), (0.45, 0.83), (0.16, 0.47))[class_id - 2]
            assert low <= drawn["q"] <= high
        if class_id in (5, 6, 7):
            assert drawn["arm_number"] >= 2
            assert drawn["inclination"] <= 65
            assert (drawn["bar_strength"] > 0) == (class_id == 5)
        if class_id == 6:
            assert drawn["pitch_angle"] <= 15
        if class_id == 7:
            assert drawn["pitch_angle"] >= 16
        if class_id in (8, 9):
            assert drawn["inclination"] > 78
            assert (drawn["bulge_fraction"] > 0.035) == (class_id == 9)
