"""Scores of doubt: unlike training galaxies, from another survey, or a star."""

import io

import numpy as np
import pytest
from PIL import Image

from galfeat.data.simulation import simulate
from galfeat.features import measure_images
from galfeat.features.doubt import (
    OTHER_SURVEY,
    POINT_LIKE,
    SURVEY_COLUMNS,
    THRESHOLDS,
    doubt_scores,
    point_likeness,
    raised,
    survey_quantiles,
)
from galfeat.features.quantiles import quantiles, share_unusual
from galfeat.features.registry import classifier_columns

ROUND = [0, 0, 100, 0, 0, 0, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def training():
    return measure_images(simulate(300, seed=5, rendering="sdss").images)


def scores_of(training, table):
    columns = classifier_columns(training.names)
    names = [training.names[column] for column in columns]
    known = quantiles(training.values[:, columns], names)
    survey = survey_quantiles(training, training.usable_rows())
    return doubt_scores(table.values, table.names, known, survey)


def star(width, *, peak=180.0, sky=17.0, noise=2.0, seed=0, q=1.0):
    """Return a Moffat profile of full width at half maximum `width`, in pixels."""
    y, x = np.mgrid[-64:64, -64:64] + 0.3
    scale = 0.5 * width / np.sqrt(2 ** (1 / 3.0) - 1)
    light = peak * (1 + (x**2 + (y / q) ** 2) / scale**2) ** -3.0
    random = np.random.default_rng(seed)
    grey = light[..., None] + random.normal(sky, noise, (128, 128, 3))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def test_families_have_equal_weights():
    names = [*(f"hog.c{i}" for i in range(8)), "shape.q"]
    known = quantiles(np.linspace(0, 1, 201, dtype=np.float32)[:, None] + np.zeros(9), names)
    known |= {name: np.linspace(0, 1, 23, dtype=np.float32) for name in names}
    row = np.full((1, 9), 0.5, np.float32)
    row[0, -1] = 9.0
    assert share_unusual(row, names, known).tolist() == [0.5]  # one of nine features, one of two
    row[0, :8] = np.nan
    assert share_unusual(row, names, known).tolist() == [1.0]


def test_stars_are_point_like_whatever_their_sky_and_width():
    images = [
        star(width, peak=peak, sky=sky, noise=noise, seed=seed)
        for seed, (width, peak, sky, noise) in enumerate(
            (w, p, s, n) for w in (3.0, 5.0) for p in (80, 220) for s in (3, 33) for n in (1, 4)
        )
    ]
    table = measure_images(images)
    assert (point_likeness(table.values, table.names) > THRESHOLDS[POINT_LIKE]).mean() > 0.9


@pytest.mark.parametrize("rendering", ["legacy", "sdss"])
def test_round_smooth_galaxies_are_not_stars(rendering):
    table = measure_images(simulate(100, seed=3, rendering=rendering, class_counts=ROUND).images)
    assert (point_likeness(table.values, table.names) > THRESHOLDS[POINT_LIKE]).mean() <= 0.01


def test_point_likeness_falls_with_size_and_flattening():
    widths = measure_images([star(width) for width in (4.0, 8.0, 16.0, 32.0)])
    scores = point_likeness(widths.values, widths.names)
    assert (np.diff(scores) < 0).all()
    flat = measure_images([star(6.0, q=q) for q in (1.0, 0.6, 0.3)])
    assert (np.diff(point_likeness(flat.values, flat.names)) < 0).all()


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_scores_do_not_depend_on_orientation_or_padding(training, turn):
    images = simulate(12, seed=8, rendering="sdss").images
    turned = measure_images([np.rot90(image, turn).copy() for image in images])
    expected = scores_of(training, measure_images(images))
    np.testing.assert_allclose(scores_of(training, turned), expected, atol=0.05)
    padded = measure_images([np.pad(image, ((9, 9), (9, 9), (0, 0))) for image in images])
    np.testing.assert_allclose(scores_of(training, padded), expected, atol=0.05)


def test_another_survey_is_noticed_and_the_same_one_is_not(training):
    position = list(THRESHOLDS).index(OTHER_SURVEY)
    shares = {
        rendering: (
            scores_of(training, measure_images(simulate(100, seed=9, rendering=rendering).images))[
                :, position
            ]
            > THRESHOLDS[OTHER_SURVEY]
        ).mean()
        for rendering in ("sdss", "legacy")
    }
    assert shares["sdss"] <= 0.03
    assert shares["legacy"] >= 0.95


def test_compression_is_not_another_survey(training):
    def compressed(image):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=90)
        return np.asarray(Image.open(file))

    images = [compressed(image) for image in simulate(60, seed=9, rendering="sdss").images]
    flags = raised(scores_of(training, measure_images(images)))
    assert sum(OTHER_SURVEY in found for found in flags) <= 3


def test_models_without_survey_quantiles_have_no_such_score(training):
    scores = doubt_scores(training.values[:5], training.names, {}, {})
    assert np.isnan(scores[:, :2]).all()
    assert np.isfinite(scores[:, 2]).all()
    assert raised(np.full((2, 3), np.nan)) == [[], []]


def test_grey_images_are_judged_by_the_sky_alone(training):
    images = simulate(5, seed=9, rendering="sdss").images
    grey = [np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
            for image in images]  # fmt: skip
    assert np.isfinite(scores_of(training, measure_images(grey))).all()


def test_survey_columns_exist_and_are_not_given_to_classifiers(training):
    assert set(SURVEY_COLUMNS) <= set(training.names)
    classified = {training.names[column] for column in classifier_columns(training.names)}
    assert not {name for name in SURVEY_COLUMNS if "sky" in name or "noise" in name} & classified


def test_the_sky_of_a_known_image():
    image = star(6.0, sky=20.0, noise=3.0)
    image = np.clip(image + np.array([0, 5, 10]), 0, 255).astype(np.uint8)
    table = measure_images([image])
    values = dict(zip(table.names, table.values[0].tolist(), strict=True))
    for band, level in (("red", 20), ("green", 25), ("blue", 30)):
        assert values[f"morphology.sky.{band}"] == pytest.approx(level, abs=0.5)
        assert values[f"morphology.sky_noise.{band}"] == pytest.approx(3.0, rel=0.15)
    # A Gaussian kernel of sigma 1.4 px leaves 0.2 of white noise, the mean of three bands 0.58.
    assert values["morphology.noise_correlation"] == pytest.approx(0.115, rel=0.2)
