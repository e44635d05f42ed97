"""What the page tells of a model."""

import json

import pytest
from starlette.testclient import TestClient

from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.repeats import summarise_repeats
from galfeat.web.app import Shown, create_app
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


def test_scores_of_held_out_galaxies_come_with_intervals_and_by_class(held_out):
    facts = model_info("mine", MANIFEST, held_out)
    assert facts["scored_on"] == "6 galaxies kept back"
    assert facts["scores"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert facts["scores"]["accuracy"]["low"] < 4 / 6 < facts["scores"]["accuracy"]["high"]
    assert facts["calibration_error"] == facts["scores"]["calibration error"]["value"]
    recall = facts["by_class"]["Round"]["recall"]
    assert recall["value"] == pytest.approx(2 / 3)
    assert recall["low"] < 2 / 3 < recall["high"]
    assert facts["by_class"]["Round"]["support"] == 3
    assert [facts["by_class"][name]["taken_for"] for name in CLASSES] == ["Flat", None, "Round"]
    assert facts["priors"] == {"Round": 0.5, "Flat": 0.3, "Odd": 0.2}
    assert facts["members"] == ["lightgbm", "svm"]


def test_scores_of_a_cross_validation_are_told_as_such():
    crossed = summarise_repeats(
        TRUTH, [CHANCES, CHANCES], [NAMED, NAMED], [NAMED, NAMED], CLASSES, rule="balanced"
    )
    metrics = json.loads(json.dumps({"cross_validation": crossed.to_json()}))
    facts = model_info("mine", MANIFEST, metrics)
    assert facts["scored_on"] == "6 galaxies, each kept back in its turn"
    assert facts["scores"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert facts["by_class"]["Odd"]["taken_for"] == "Round"


@pytest.mark.parametrize("metrics", [{}, {"accuracy": None}, {"note": "by eye"}])
def test_a_model_that_nobody_scored_says_so(shown, metrics):
    facts = model_info("mine", MANIFEST, metrics)
    assert facts["scores"] == facts["by_class"] == {}
    app = create_app(Shown(shown.classifier, facts, shown.samples, facts))
    page = TestClient(app, base_url="http://galaxies").get("/about").text
    assert "Nobody has scored this model" in page
    assert "Class by class" not in page
    assert page.count("no example here") == len(CLASSES)  # the samples are of other classes
