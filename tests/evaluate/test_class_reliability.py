"""Reliability of the probabilities of each class."""

import json

import numpy as np
import pytest

from galfeat.evaluate.class_reliability import chance_errors, class_reliability
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.scored_rows import ScoredRows
from galfeat.evaluate.soft import fraction_calibration_error
from galfeat.evaluate.text import evaluation_text

NAMES = ("round", "spiral", "edge-on")


def drawn(n=3000, seed=0):
    """Probabilities, and true classes drawn from them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([2.0, 1.0, 0.3], n)
    truth = (rng.random((n, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return truth, probabilities


def measured(truth, probabilities, names=NAMES, groups=None):
    most = probabilities.argmax(axis=1)
    return class_reliability(ScoredRows(truth, most, most, probabilities, groups), names)


def test_numbers_of_a_small_table():
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.62, 0.38], [0.68, 0.32], [0.64, 0.36], [0.05, 0.95]])
    first = measured(truth, probabilities, ("a", "b"))["a"]
    assert (first.galaxies, first.frequency) == (2, 0.5)
    assert first.mean_probability == pytest.approx(1.99 / 4)
    # 0.6 to 0.7: three galaxies of 1.94 expected and 2 found; 0 to 0.1: 0.05 expected, none found.
    assert first.error.value == pytest.approx((0.06 + 0.05) / 4)
    assert first.curve.rows.tolist() == [1, 0, 0, 0, 0, 0, 3, 0, 0, 0]
    assert first.curve.accuracy[6] == pytest.approx(2 / 3)
    assert np.isnan(first.curve.accuracy[1])


def test_the_mean_over_classes_is_the_classwise_error_of_one_hot_votes():
    truth, probabilities = drawn()
    by_class = measured(truth, probabilities)
    mean = np.mean([part.error.value for part in by_class.values()])
    expected = fraction_calibration_error(np.eye(3)[truth], probabilities, bins=10)
    assert mean == pytest.approx(float(expected))


def test_calibrated_classes_reach_down_to_zero_and_agree_with_chance():
    rejected = 0
    for seed in range(20):
        for part in measured(*drawn(800, seed)).values():
            rejected += part.error.low > 0
            assert part.error.low <= part.error.value <= part.error.high
            assert part.error.value < 3 * part.chance
    assert rejected <= 6  # of 60; 1.5 expected


def test_a_planted_excess_of_one_class_is_found_there():
    truth, probabilities = drawn()
    odds = probabilities * [1.0, 1.6, 1.0]
    by_class = measured(truth, odds / odds.sum(axis=1, keepdims=True))
    spiral = by_class["spiral"]
    assert spiral.error.low > 0.02
    assert spiral.mean_probability > spiral.frequency + 0.05
    assert spiral.error.value == max(part.error.value for part in by_class.values())


def test_errors_by_chance_are_those_of_classes_that_are_drawn():
    _, probabilities = drawn(500, seed=1)
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(300):
        truth = (rng.random((500, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
        one_hot = np.eye(3)[truth]
        errors.append(
            [
                float(fraction_calibration_error(one_hot[:, [k]], probabilities[:, [k]], bins=10))
                for k in range(3)
            ]
        )
    expected = chance_errors(probabilities, seed=3).mean(axis=0)
    assert np.mean(errors, axis=0) == pytest.approx(expected, rel=0.08)


def test_the_order_of_classes_and_galaxies_does_not_matter():
    truth, probabilities = drawn(600)
    order, rows = np.array([2, 0, 1]), np.random.default_rng(4).permutation(600)
    straight = measured(truth, probabilities)
    turned = measured(
        np.argsort(order)[truth][rows],
        probabilities[rows][:, order],
        [NAMES[k] for k in order],
    )
    for name in NAMES:
        assert turned[name].error.value == pytest.approx(straight[name].error.value)
        assert turned[name].curve.rows.tolist() == straight[name].curve.rows.tolist()


def test_galaxies_of_one_group_are_resampled_together():
    truth, probabilities = drawn(400)
    odds = probabilities * [1.0, 4.0, 1.0]
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(400), 4)
    alone = measured(truth[rows], probabilities[rows])["spiral"].error
    grouped = measured(truth[rows], probabilities[rows], groups=rows)["spiral"].error
    once = measured(truth, probabilities)["spiral"].error
    assert alone.value == pytest.approx(grouped.value)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.1)
    assert alone.high - alone.low < 0.7 * (grouped.high - grouped.low)


def test_a_class_without_galaxies_and_a_single_galaxy_have_plain_json():
    truth, probabilities = drawn(50)
    probabilities[:, 2] = 0.0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    truth = np.minimum(truth, 1)
    for rows in (50, 1):
        most = probabilities[:rows].argmax(axis=1)
        evaluation = evaluate_predictions(truth[:rows], probabilities[:rows], most, most, NAMES)
        result = evaluation.to_json()["reliability_by_class"]
        assert json.loads(json.dumps(result, allow_nan=False)) == result
        absent = result["edge-on"]
        assert (absent["galaxies"], absent["mean_probability"], absent["frequency"]) == (0, 0, 0)
        assert absent["calibration_error"] == {"value": 0.0, "low": 0.0, "high": 0.0}
        assert sum(absent["curve"]["galaxies"]) == rows


def test_the_text_lists_each_class():
    truth, probabilities = drawn(300)
    most = probabilities.argmax(axis=1)
    evaluation = evaluate_predictions(truth, probabilities, most, most, NAMES)
    text = evaluation_text(evaluation)
    for name, part in evaluation.by_class.items():
        (line,) = [line for line in text.splitlines() if line.startswith(name) and " to " in line]
        assert f"{part.mean_probability:.3f}" in line
        assert f"{part.frequency:.3f}" in line
        assert f"{part.error.low:.3f} to {part.error.high:.3f}" in line
