import json

import numpy as np
import pytest

from galfeat.errors import DataError
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.repeats import summarise_repeats

NAMES = ("round", "spiral", "edge-on")


def repeated_predictions(repeats=3, n=180):
    """Predictions for one simulated truth that differ slightly between repeats."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3))
    logits[np.arange(n), truth] += 1
    probabilities, balanced, probable = [], [], []
    for _ in range(repeats):
        odds = np.exp(logits + rng.normal(0, 0.5, logits.shape))
        probabilities.append(odds / odds.sum(axis=1, keepdims=True))
        balanced.append(np.argmax(odds * [1, 2, 1], axis=1))
        probable.append(np.argmax(odds, axis=1))
    return truth, probabilities, balanced, probable


def test_mean_and_spread_match_the_individual_repeats():
    truth, *predictions = repeated_predictions()
    single = [
        evaluate_predictions(truth, *repeat, NAMES) for repeat in zip(*predictions, strict=True)
    ]
    result = summarise_repeats(truth, *predictions, NAMES)
    assert (result.n, result.repeats) == (180, 3)
    for name, score in result.scores.items():
        values = [evaluation.scores[name].value for evaluation in single]
        assert score.values == pytest.approx(values)
        assert score.mean == pytest.approx(np.mean(values))
        assert score.sd == pytest.approx(np.std(values, ddof=1))
        assert score.low <= score.mean <= score.high
    for name, score in result.alternative.items():
        assert score.mean == pytest.approx(
            np.mean([evaluation.alternative[name].value for evaluation in single])
        )


def test_one_repeat_has_the_intervals_of_an_evaluation_and_no_spread():
    truth, *predictions = repeated_predictions(1)
    result = summarise_repeats(truth, *predictions, NAMES).to_json()
    evaluation = evaluate_predictions(truth, *(part[0] for part in predictions), NAMES).to_json()
    for name in ("accuracy", "macro_f1", "ece"):
        assert result[name]["sd"] is None
        assert (result[name]["mean"], result[name]["low"], result[name]["high"]) == tuple(
            evaluation[name][key] for key in ("value", "low", "high")
        )
    assert result["per_class"] == evaluation["per_class"]


def test_json_is_strict_and_scores_each_source():
    truth, *predictions = repeated_predictions()
    sources = np.where(np.arange(180) % 3 == 0, "decals", "sdss")
    result = summarise_repeats(truth, *predictions, NAMES, sources=sources).to_json()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert {name: part["n"] for name, part in result["sources"].items()} == {
        "decals": 60,
        "sdss": 120,
    }
    assert len(result["sources"]["sdss"]["macro_f1"]["values"]) == 3


def test_galaxies_without_features_are_left_out():
    truth, probabilities, balanced, probable = repeated_predictions()
    for repeat in probabilities:
        repeat[:5] = np.nan
    result = summarise_repeats(
        truth, probabilities, balanced, probable, NAMES, sources=np.array(["a", "b"] * 90)
    )
    assert result.n == 175
    assert sum(n for n, _ in result.sources.values()) == 175


def test_no_repeat_cannot_be_summed_up():
    with pytest.raises(DataError, match="no repeats to summarise"):
        summarise_repeats([0, 1], [], [], [], NAMES)
