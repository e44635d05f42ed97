"""Data sets with fractions of votes, and scores against them."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data.catalogue import VoteFractions, read_soft_labels
from galfeat.errors import DataError, GalfeatWarning
from galfeat.evaluate import evaluate_fractions
from galfeat.experiments.votes import largest_class, score_votes, with_votes
from galfeat.features import measure_images
from galfeat.pipeline import load_pipeline
from galfeat.predictions import Predictions

TABLE = "filename,class_name,p_disc,p_smooth\na.png,,0.3,0.7\nb.png,disc,1,0\nc.png,disc,,\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "labels.csv").write_text(TABLE)
    for name in "abc":
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def test_rows_are_labelled_by_the_class_with_the_most_votes(folder):
    opened = open_dataset(folder)
    data = with_votes(opened, read_soft_labels(folder, opened.ids.tolist()))
    assert data.ids.tolist() == ["a.png", "b.png"]
    assert [data.class_names[label] for label in data.labels] == ["smooth", "disc"]
    assert (data.skipped, data.label_column) == (1, "class_name")
    assert [image.shape for image in data.read([0, 1])] == [(32, 32, 3)] * 2


def test_classes_of_too_few_galaxies_leave_their_galaxies_to_the_next_class():
    fractions = np.array([[0.6, 0.4, 0.0], [0.5, 0.0, 0.5], [0.1, 0.3, 0.6], [0.0, 0.9, 0.1]])
    assert largest_class(fractions).tolist() == [0, 0, 2, 1]
    assert largest_class(fractions, min_galaxies=2).tolist() == [0, 0, 0, 0]
    assert largest_class(np.eye(2), min_galaxies=3).tolist() == [0, 0]


def test_a_class_unknown_to_the_model_has_a_probability_of_zero():
    probabilities = np.array([[0.8, 0.2], [0.5, 0.5], [np.nan, np.nan]])
    predictions = Predictions(
        classes=np.array(["disc", "smooth"]),
        probabilities=probabilities,
        member_log_probabilities=np.log(probabilities)[:, None],
        predicted=np.array([0, 0, -1]),
        most_probable=np.array([0, 0, -1]),
        flags=["", "", "no_source"],
        errors={},
        digests=np.zeros((3, 16), np.uint8),
    )
    votes = VoteFractions(
        np.array([[0.1, 0.2, 0.7], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]), ("ring", "smooth", "disc")
    )
    found = score_votes(predictions, votes, seed=2)
    expected = evaluate_fractions(
        [[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]],
        [[0.8, 0.2, 0.0], [0.5, 0.5, 0.0]],
        ["disc", "smooth", "ring"],
        seed=2,
    )
    assert found.to_json() == expected.to_json()
    assert found.scores["cross_entropy"].value > 1.5  # -0.1 log(2.2e-16) / 2 and more


def test_a_classifier_is_fitted_to_fractions(simulated, quick_pipeline):
    galaxies = open_dataset(simulated).select(np.arange(24, 72))  # 4 classes of 12
    pipeline = load_pipeline(quick_pipeline)
    table = measure_images(galaxies, pipeline.measured_families())
    hard = galaxies.labels - 2
    fractions = np.full((48, 5), 0.1)
    fractions[np.arange(48), hard] = 0.7
    fractions[:, 4] = 0.0
    names = ["a", "b", "c", "d", "never"]
    with pytest.warns(GalfeatWarning, match="no training row has the class never"):
        soft = GalaxyClassifier(pipeline).fit_table(table, fractions, class_names=names)
    assert soft.classes_.tolist() == names[:4]
    assert soft.priors_ == pytest.approx(fractions.mean(axis=0)[:4])
    predictions = soft.classify_table(table)
    assert np.mean(predictions.predicted == hard) > 0.5
    sharp = GalaxyClassifier(pipeline).fit_table(table, np.eye(4)[hard], class_names=names[:4])
    assert predictions.probabilities.max(axis=1).mean() < (
        sharp.classify_table(table).probabilities.max(axis=1).mean()
    )
    images = GalaxyClassifier(pipeline).fit(galaxies, fractions[:, :4])
    np.testing.assert_array_equal(
        images.classify_table(table).probabilities, predictions.probabilities
    )
    with pytest.raises(DataError, match="labels have the shape"):
        GalaxyClassifier(pipeline).fit_table(table, fractions[:-1])
    with pytest.raises(DataError, match="sum to one"):
        GalaxyClassifier(pipeline).fit_table(table, 2 * fractions)
    with pytest.raises(DataError, match="labels have the shape"):
        GalaxyClassifier(replace(pipeline)).fit_table(table, hard[:, None])
