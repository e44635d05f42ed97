"""Scores against fractions of votes."""

import json

import numpy as np
import pytest

from galfeat.errors import DataError
from galfeat.evaluate import evaluate_fractions
from galfeat.evaluate.metrics import log_loss
from galfeat.evaluate.soft import (
    entropy,
    fraction_calibration_error,
    fraction_curve,
    soft_cross_entropy,
)

NAMES = ["disc", "edge-on", "smooth"]


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    truth = rng.dirichlet(np.ones(3), 3000)
    votes = np.stack([rng.multinomial(40, p) for p in truth]) / 40
    return votes, truth


def test_certain_votes_give_the_log_loss(tables):
    _, p = tables
    y = p.argmax(axis=1)
    assert soft_cross_entropy(np.eye(3)[y], p) == pytest.approx(log_loss(y, p))
    counts = np.random.default_rng(1).integers(0, 3, (4, len(p))).astype(float)
    assert soft_cross_entropy(np.eye(3)[y], p, counts) == pytest.approx(log_loss(y, p, counts))


def test_the_fractions_themselves_score_best(tables):
    votes, p = tables
    best = soft_cross_entropy(votes, votes)
    assert best == pytest.approx(entropy(votes).mean())
    assert best < soft_cross_entropy(votes, p)
    assert fraction_calibration_error(votes, votes) == 0.0
    assert entropy(np.eye(3)).tolist() == [0, 0, 0]
    assert entropy(np.full((1, 4), 0.25)) == pytest.approx(np.log(4))


def test_curve_of_a_known_error():
    p = np.array([[0.3, 0.7], [0.3, 0.7], [0.9, 0.1], [1.0, 0.0]])
    votes = np.array([[0.1, 0.9], [0.3, 0.7], [0.9, 0.1], [1.0, 0.0]])
    curve = fraction_curve(votes, p, bins=4)
    assert curve.rows[0].tolist() == [0, 2, 0, 2]
    assert curve.fraction[0][[1, 3]] == pytest.approx([0.2, 0.95])
    assert np.isnan(curve.fraction[0][[0, 2]]).all()
    assert fraction_calibration_error(votes, p, bins=4) == pytest.approx(0.1 * 2 / 4)
    counts = np.array([[1.0, 1, 1, 1], [0, 1, 1, 1]])
    assert fraction_calibration_error(votes, p, counts, bins=4) == pytest.approx([0.05, 0.0])


def test_calibrated_predictions_have_a_small_error(tables):
    votes, p = tables
    assert fraction_calibration_error(votes, p) < 0.01
    sharper = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert fraction_calibration_error(votes, sharper) > 0.05


def test_evaluation_has_intervals_and_skips_unknown_rows(tables):
    votes, p = tables[0][:200].copy(), tables[1][:200].copy()
    votes[:5], p[10] = np.nan, np.nan
    result = evaluate_fractions(votes, p, NAMES, groups=np.arange(200) // 2)
    assert result.galaxies == 194
    for interval in result.scores.values():
        assert 0 <= interval.low <= interval.value <= interval.high
        assert interval.low < interval.high
    kept = np.setdiff1d(np.arange(200), [0, 1, 2, 3, 4, 10])
    assert result.scores["cross_entropy"].value == pytest.approx(
        soft_cross_entropy(votes[kept], p[kept])
    )
    assert result.scores["mean_difference"].value == pytest.approx(
        np.abs(votes[kept] - p[kept]).mean()
    )
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(content["calibration_curve"]) == NAMES
    assert sum(content["calibration_curve"]["disc"]["rows"]) == 194
    assert result.to_text().startswith("194 galaxies with vote fractions\n  cross-entropy")


@pytest.mark.parametrize(
    ("votes", "p", "message"),
    [
        (np.full((2, 3), 1 / 3), np.full((3, 3), 1 / 3), r"\(2, 3\).*\(3, 3\)"),
        (np.full((2, 2), 0.5), np.full((2, 2), 0.5), "3 classes"),
        (np.full((2, 3), 0.5), np.full((2, 3), 1 / 3), "row of the fractions does not sum"),
        (np.full((2, 3), 1 / 3), np.full((2, 3), 0.5), "row of the probabilities does not sum"),
        (np.full((2, 3), np.nan), np.full((2, 3), 1 / 3), "none of the 2 galaxies has both"),
    ],
)
def test_invalid_tables_are_errors(votes, p, message):
    with pytest.raises(DataError, match=message):
        evaluate_fractions(votes, p, NAMES)
