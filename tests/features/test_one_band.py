"""Images of one band have no colours: they are missing, not zero."""

import re

import numpy as np
import pytest
from PIL import Image

from galfeat import GalaxyClassifier, load_model, open_dataset
from galfeat.data.simulation.simulator import simulate
from galfeat.explain import explain
from galfeat.features import FeatureExtractor, measure_images
from galfeat.features.quantiles import LEVELS
from galfeat.features.registry import COLOUR_COLUMNS, OWN_FAMILIES
from galfeat.features.selection import fill_colours
from galfeat.frame import Flag


@pytest.fixture(scope="module")
def galaxies():
    return simulate(12, seed=5).images


@pytest.fixture(scope="module")
def grey(galaxies):
    return [np.rint(image.mean(axis=2)).astype(np.uint8) for image in galaxies]


@pytest.fixture(scope="module")
def model():
    return load_model("simulated")


def flags_of(table):
    return [Flag(int(value)) for value in table.values[:, -1]]


def test_exactly_the_colours_are_missing(galaxies, grey):
    colour, one_band = measure_images(galaxies, OWN_FAMILIES), measure_images(grey, OWN_FAMILIES)
    is_colour = np.array([bool(re.match(COLOUR_COLUMNS, name)) for name in colour.names])
    assert is_colour.sum() > 25
    assert not np.isnan(colour.values[:, is_colour]).any()
    assert np.isnan(one_band.values[:, is_colour]).all()
    other = ~is_colour
    other[-1] = False
    edge_on = np.array([Flag.EDGE_ON in f or Flag.BLENDED in f for f in flags_of(one_band)])
    other[one_band.names.index("shape.position_angle")] = False  # round galaxies have none
    assert not np.isnan(one_band.values[~edge_on][:, other]).any()
    assert all(Flag.ONE_BAND in flags for flags in flags_of(one_band))
    assert not any(Flag.ONE_BAND in flags for flags in flags_of(colour))


def test_one_band_is_recognised_in_any_file(tmp_path, grey):
    fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed")
    Image.fromarray(grey[0]).save(tmp_path / "a.png")
    Image.fromarray(grey[0]).save(tmp_path / "b.jpg", quality=80)
    Image.fromarray(grey[0]).convert("RGB").save(tmp_path / "c.jpg", quality=80)
    fits.PrimaryHDU(grey[0].astype("f4")).writeto(tmp_path / "d.fits")
    fits.PrimaryHDU(np.stack([grey[0] * k for k in (0.5, 1, 2)])).writeto(tmp_path / "e.fits")
    table = measure_images(open_dataset(tmp_path), ("colour",))
    raised = [Flag.ONE_BAND in flags for flags in flags_of(table)]
    assert raised[:4] == [True] * 4
    (one,) = measure_images(open_dataset(tmp_path / "e.fits", bands="1"), ("colour",)).values
    assert Flag.ONE_BAND in Flag(int(one[-1]))


def test_a_nearly_grey_image_has_colours(grey):
    nearly = np.repeat(grey[0][:, :, None], 3, axis=2)
    nearly[0, 0, 2] ^= 1
    table = measure_images([nearly], ("colour",))
    assert not np.isnan(table.values).any()


def test_the_classifier_uses_the_medians_of_training_galaxies(model, grey):
    predictions = model.classify(grey)
    assert all("one_band" in flags.split(";") for flags in predictions.flags)
    table = model.extractor_.extract(grey)
    filled = table.values.copy()
    middle = int(np.flatnonzero(LEVELS == 0.5)[0])
    for column, name in enumerate(table.names):
        if re.match(COLOUR_COLUMNS, name) and name in model.quantiles_:
            filled[:, column] = model.quantiles_[name][middle]
    columns = [table.names.index(name) for name in model.feature_names_]
    assert not np.isnan(filled[:, columns][:, [c.startswith("colour.") for c in
                                               model.feature_names_]]).any()  # fmt: skip
    expected = model.ensemble_.predict_proba(filled[:, columns])
    np.testing.assert_array_equal(predictions.probabilities, expected)
    assert np.isnan(model.classifier_features(table)).any(), "the table itself is unchanged"


def test_only_missing_colours_of_one_band_are_filled(galaxies, grey):
    table = measure_images([galaxies[0], grey[0]], ("colour", "radial"))
    names = table.names[:-1]
    features = table.values[:, :-1].copy()
    features[0, 0] = features[:, -1] = np.nan  # not of one band; not a colour
    known = {name: np.linspace(0, 22, 23, dtype=np.float32) for name in names[1:]}
    fill_colours(features, names, table, np.arange(2), known)
    middle = np.flatnonzero(LEVELS == 0.5)[0]
    assert np.isnan(features[0, 0])
    assert np.isnan(features[:, -1]).all()
    assert np.isnan(features[1, 0]), "a column without a median"
    assert features[1, 1] == middle
    np.testing.assert_array_equal(features[0, 1:-1], table.values[0, 1:-2])


def test_the_explanation_says_that_colours_are_missing(model, galaxies, grey):
    table = model.extractor_.extract([*grey[:2], *galaxies[:1]])
    explanations = explain(model, table, model.classify_table(table))
    for explanation in explanations:
        added = sum(reason.added for reason in explanation.reasons)
        assert explanation.start + added == pytest.approx(explanation.score)
    colours = [
        next(reason for reason in explanation.reasons if reason.concept == "colour")
        for explanation in explanations
    ]
    for colour in colours[:2]:
        assert colour.words == "colours are missing: the image has one band"
        assert colour.value is None
        assert colour.share_below is None
    assert "missing" not in colours[2].words
    assert colours[2].value is not None


@pytest.mark.parametrize("share", ["all", "half"])
def test_models_can_be_fitted_to_images_of_one_band(quick_pipeline, share):
    training = simulate(60, seed=3, class_counts=[30, 0, 0, 0, 0, 0, 0, 0, 0, 30])
    images = [
        np.rint(image.mean(axis=2)).astype(np.uint8) if share == "all" or row % 2 else image
        for row, image in enumerate(training.images)
    ]
    model = GalaxyClassifier(quick_pipeline).fit(images, training.labels)
    assert model.score(images, training.labels) > 0.8
    assert ("colour.gradient" in model.quantiles_) == (share == "half")
    assert np.isfinite(model.predict_proba(training.images)).all()


def test_the_plain_frame_knows_one_band_too(grey):
    table = FeatureExtractor(("colour",), frame=False).extract(grey[:1])
    assert flags_of(table) == [Flag.ONE_BAND]
    assert np.isnan(table.values[:, :-1]).all()
