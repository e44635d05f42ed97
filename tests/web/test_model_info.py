"""The description of a model on the page."""

import json

import pytest
from starlette.testclient import TestClient

from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.repeats import summarise_repeats
from galfeat.web.app import Content, create_app
from galfeat.web.model_info import model_info

CLASSES = ["Round", "Flat", "Odd"]
MANIFEST = {
    "pipeline": {
        "name": "two", "description": "Two members", "features": {"families": ["hog", "shape"]},
        "ensemble": {"members": [{"kind": "lightgbm"}, {"kind": "svm"}]},
        "calibrate": {"method": "temperature"},
    },
    "classes": CLASSES, "priors": [0.5, 0.3, 0.2], "decision": "balanced", "n_training": 1234,
    "n_held_out": 6, "versions": {"galfeat": "0.1.0"},
}  # fmt: skip
TRUTH, NAMED = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0]
CHANCES = [[0.6, 0.3, 0.1], [0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1],
           [0.5, 0.1, 0.4]]  # fmt: skip


@pytest.fixture(scope="module")
def held_out():
    scored = evaluate_predictions(TRUTH, CHANCES, NAMED, NAMED, CLASSES, rule="balanced")
    return json.loads(json.dumps(scored.to_json()))


def test_held_out_scores_have_intervals_and_classes(held_out):
    info = model_info("mine", MANIFEST, held_out)
    assert info["scored_on"] == "6 held-out galaxies"
    assert info["scores"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert info["scores"]["accuracy"]["low"] < 4 / 6 < info["scores"]["accuracy"]["high"]
    assert info["calibration_error"] == info["scores"]["calibration error"]["value"]
    recall = info["by_class"]["Round"]["recall"]
    assert recall["value"] == pytest.approx(2 / 3)
    assert recall["low"] < 2 / 3 < recall["high"]
    assert info["by_class"]["Round"]["support"] == 3
    assert [info["by_class"][name]["taken_for"] for name in CLASSES] == ["Flat", None, "Round"]
    assert info["priors"] == {"Round": 0.5, "Flat": 0.3, "Odd": 0.2}
    assert info["members"] == ["lightgbm", "svm"]


def test_cross_validated_scores_are_labelled():
    cross_validated = summarise_repeats(
        TRUTH, [CHANCES, CHANCES], [NAMED, NAMED], [NAMED, NAMED], CLASSES, rule="balanced"
    )
    metrics = json.loads(json.dumps({"cross_validation": cross_validated.to_json()}))
    info = model_info("mine", MANIFEST, metrics)
    assert info["scored_on"] == "6 galaxies by cross-validation"
    assert info["scores"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert info["by_class"]["Odd"]["taken_for"] == "Round"


@pytest.mark.parametrize("metrics", [{}, {"accuracy": None}, {"note": "by eye"}])
def test_the_page_states_that_a_model_has_no_scores(content, metrics):
    info = model_info("mine", MANIFEST, metrics)
    assert info["scores"] == info["by_class"] == {}
    app = create_app(Content(content.classifier, info, content.samples, info))
    page = TestClient(app, base_url="http://galaxies").get("/about").text
    assert "This model has not been scored" in page
    assert "Scores by class" not in page
    assert page.count("no example<") == len(CLASSES)  # the samples have other classes


def test_class_frequencies_that_probabilities_assume_are_stated():
    pages = {}
    for name, extra in (("as fitted", {}), ("moved", {"assumed_priors": [0.25, 0.25, 0.5]})):
        info = model_info("mine", MANIFEST | extra, {})
        with TestClient(create_app(Content(None, info, [], info))) as client:
            pages[name] = client.get("/about").text
    assert "are calibrated for these class frequencies." in pages["as fitted"]
    assert "calibrated for other class frequencies: Round 25.0&nbsp;%, Flat" in pages["moved"]
