import json

import numpy as np
import pytest

from galfeat.errors import DataError
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.report import sections
from galfeat.evaluate.text import evaluation_text

NAMES = ("round", "spiral", "edge-on")
HEADLINES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "ece")


def simulated_predictions(n=240, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    logits = rng.normal(size=(n, 3)) + np.log([0.6, 0.3, 0.1])
    logits[np.arange(n), truth] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    balanced = np.argmax(probabilities / [0.6, 0.3, 0.1], axis=1)
    return truth, probabilities, balanced, np.argmax(probabilities, axis=1)


def test_json_has_the_documented_keys_and_is_strict():
    result = evaluate_predictions(*simulated_predictions(), NAMES).to_json()
    assert set(result) == {
        *HEADLINES,
        *("per_class", "confusion", "classes", "n", "alternative", "decision", "n_failed"),
        *("n_without_source", "macro_f1_classes", "reliability_by_class"),
    }
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    for name in HEADLINES:
        assert result[name]["low"] <= result[name]["value"] <= result[name]["high"]
    assert result["classes"] == list(NAMES)
    assert set(result["per_class"]) == set(NAMES)
    assert set(result["per_class"]["spiral"]) == {"precision", "recall", "f1", "support"}
    assert np.sum(result["confusion"]) == result["n"] == 240


def test_alternative_scores_the_other_decision():
    truth, probabilities, balanced, probable = simulated_predictions()
    result = evaluate_predictions(truth, probabilities, balanced, probable, NAMES).to_json()
    swapped = evaluate_predictions(
        truth, probabilities, probable, balanced, NAMES, rule="probable"
    ).to_json()
    assert result["alternative"]["decision"] == swapped["decision"] == "probable"
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert result["alternative"][name] == swapped[name]
        assert swapped["alternative"][name] == result[name]
    assert result["log_loss"] == swapped["log_loss"]


def test_same_seed_same_intervals():
    first, again, other = (
        evaluate_predictions(*simulated_predictions(), NAMES, seed=seed).to_json()
        for seed in (4, 4, 5)
    )
    assert first == again
    assert first["accuracy"]["low"] != other["accuracy"]["low"] or first["ece"] != other["ece"]


def test_failed_images_are_counted_and_not_scored():
    truth, probabilities, balanced, probable = simulated_predictions()
    whole = evaluate_predictions(
        truth[10:], probabilities[10:], balanced[10:], probable[10:], NAMES
    )
    probabilities[:10] = np.nan
    balanced[:10] = -1
    part = evaluate_predictions(truth, probabilities, balanced, probable, NAMES)
    assert (part.n, part.n_failed) == (230, 10)
    assert part.to_json() | {"n_failed": 0} == whole.to_json()


def test_each_source_is_scored_on_its_own_rows():
    truth, probabilities, balanced, probable = simulated_predictions()
    sources = np.where(np.arange(240) < 100, "sdss", "")
    result = evaluate_predictions(
        truth, probabilities, balanced, probable, NAMES, sources=sources
    ).to_json()["sources"]
    alone = evaluate_predictions(
        truth[:100], probabilities[:100], balanced[:100], probable[:100], NAMES
    ).to_json()
    assert {name: part["n"] for name, part in result.items()} == {"sdss": 100, "unknown": 140}
    for name in HEADLINES:
        assert result["sdss"][name] == alone[name]


def test_groups_widen_the_intervals():
    quarter = simulated_predictions(60)
    rows = np.repeat(np.arange(60), 4)
    repeated = [part[rows] for part in quarter]
    apart = evaluate_predictions(*repeated, NAMES).scores["accuracy"]
    together = evaluate_predictions(*repeated, NAMES, groups=rows).scores["accuracy"]
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_galaxies_without_a_group_are_resampled_singly():
    single = evaluate_predictions(*simulated_predictions(), NAMES)
    empty = evaluate_predictions(*simulated_predictions(), NAMES, groups=np.full(240, ""))
    assert empty.scores["accuracy"].low == pytest.approx(single.scores["accuracy"].low, abs=0.02)
    assert empty.scores["accuracy"].high > empty.scores["accuracy"].low


def test_a_class_absent_from_the_truth_leaves_null_and_no_nan():
    truth, probabilities, balanced, probable = simulated_predictions()
    kept = truth != 2
    result = evaluate_predictions(
        truth[kept], probabilities[kept], balanced[kept], probable[kept], NAMES
    ).to_json()
    assert result["per_class"]["edge-on"]["recall"] is None
    assert result["per_class"]["edge-on"]["support"] == 0
    json.dumps(result, allow_nan=False)


def test_one_row_can_be_scored():
    result = evaluate_predictions([1], [[0.2, 0.7, 0.1]], [1], [1], NAMES).to_json()
    assert result["accuracy"]["value"] == 1
    assert result["ece"]["value"] == pytest.approx(0.3)
    json.dumps(result, allow_nan=False)


def test_calibration_error_that_chance_explains_reaches_down_to_zero():
    rng = np.random.default_rng(0)
    _, probabilities, balanced, probable = simulated_predictions()
    honest = np.array([rng.choice(3, p=row) for row in probabilities])
    sharpened = probabilities**4 / (probabilities**4).sum(axis=1, keepdims=True)
    calibrated = evaluate_predictions(honest, probabilities, balanced, probable, NAMES)
    overconfident = evaluate_predictions(honest, sharpened, balanced, probable, NAMES)
    assert calibrated.scores["ece"].low == 0
    assert overconfident.scores["ece"].low > 0.05
    assert calibrated.scores["ece"].value == pytest.approx(calibrated.chance_ece, rel=0.6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": np.full((2, 2), 0.5)}, r"shape \(2, 2\).*need \(2, 3\)"),
        ({"probabilities": np.full((2, 3), np.nan)}, "none of the 2 images has a prediction"),
        ({"probabilities": np.full((2, 3), 0.5)}, "differ from one by up to 0.5"),
        ({"y_true": [0, 3]}, "truth classes range from 0 to 3"),
        ({"y_true": [-1, 0]}, "leave out rows without a label"),
        ({"predicted": [0.0, 1.0]}, "predicted classes are float64"),
    ],
)
def test_invalid_predictions_are_rejected(change, message):
    good = {
        "y_true": [0, 1],
        "probabilities": np.full((2, 3), 1 / 3),
        "predicted": [0, 1],
        "alternative": [0, 0],
        "class_names": NAMES,
    }
    evaluate_predictions(**good)
    with pytest.raises(DataError, match=message):
        evaluate_predictions(**(good | change))


def test_images_without_a_source_are_counted_apart_and_not_scored():
    truth, probabilities, predicted, alternative = simulated_predictions()
    whole = evaluate_predictions(
        truth[5:], probabilities[5:], predicted[5:], alternative[5:], NAMES, seed=3
    )
    probabilities[:5] = np.nan
    empty = np.arange(len(truth)) < 3
    part = evaluate_predictions(
        truth, probabilities, predicted, alternative, NAMES, seed=3, without_source=empty
    )
    assert (part.n_failed, part.n_without_source) == (2, 3)
    counts = {"n_failed": 0, "n_without_source": 0}
    assert part.to_json() | counts == whole.to_json()
    assert ", 2 failed, 3 without a source (not scored); decision" in evaluation_text(part)


def test_macro_f1_is_the_mean_over_the_classes_that_occur():
    names = ["a", "b", "c", "d"]
    truth, predicted = [0, 0, 1, 1], [0, 0, 1, 2]  # d is neither true nor predicted
    evaluation = evaluate_predictions(truth, np.eye(4)[predicted], predicted, predicted, names)
    assert evaluation.occurring == ("a", "b", "c")
    assert evaluation.to_json()["macro_f1_classes"] == ["a", "b", "c"]
    assert evaluation.scores["macro_f1"].value == pytest.approx((1 + 2 / 3 + 0) / 3)
    sentence = (
        "Macro-F1 is the mean over the 3 of 4 classes that occur as a true or predicted class, "
        "balanced accuracy over the 2 with galaxies."
    )
    assert sentence in evaluation_text(evaluation)
    assert sentence in sections.scores_section(evaluation).body
