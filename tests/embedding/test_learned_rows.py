"""Training images of a feature family are left out of fits and rejected for scoring."""

import numpy as np
import pytest

from galfeat import GalaxyClassifier, open_dataset
from galfeat.data import pixel_digest
from galfeat.errors import DataError, GalfeatWarning
from galfeat.features import embedding
from galfeat.features.registry import trained_on
from galfeat.pipeline import pipeline_from_dict

PIPELINE = {
    "schema": 1,
    "name": "small",
    "features": {"families": ["colour", "embedding"]},
    "ensemble": {"members": [{"kind": "logistic", "params": {"max_iter": 20}}]},
    "calibrate": {"folds": 2},
}


@pytest.fixture
def learned(simulated, tmp_path, monkeypatch):
    """Replace the shipped network's seen.npy by one that lists every third galaxy."""
    dataset = open_dataset(simulated)
    images = dataset.read(np.arange(len(dataset)))
    digests = np.array([np.frombuffer(pixel_digest(image), np.uint8) for image in images])
    np.save(tmp_path / embedding.SEEN, digests[::3])
    monkeypatch.setattr(embedding, "network_folder", lambda name: tmp_path)
    return dataset, digests


def test_only_the_family_trained_on_them_leaves_them_out(learned):
    _, digests = learned
    assert trained_on(("colour", "embedding"), digests).nonzero()[0].tolist() == [*range(0, 120, 3)]
    assert not trained_on(("colour", "hog", "planes"), digests).any()


def test_they_are_left_out_of_a_fit_with_their_number(learned):
    dataset, _ = learned
    with pytest.warns(
        GalfeatWarning, match="40 of 120 images were used to train some of the features"
    ):
        fitted = GalaxyClassifier(pipeline_from_dict(PIPELINE), n_jobs=2).fit(dataset)
    unseen = np.setdiff1d(np.arange(120), np.arange(0, 120, 3))
    alone = GalaxyClassifier(pipeline_from_dict(PIPELINE), n_jobs=2).fit(dataset.select(unseen))
    probe = dataset.select([0, 1, 2])
    assert (fitted.predict_proba(probe) == alone.predict_proba(probe)).all()


def test_nothing_can_be_fitted_if_all_images_were_training_images(learned):
    dataset, _ = learned
    with pytest.raises(
        DataError,
        match=r"^40 of 40 images were used to train some of the features; no images remain",
    ):
        GalaxyClassifier(pipeline_from_dict(PIPELINE)).fit(dataset.select(np.arange(0, 120, 3)))
