import numpy as np
import pytest

from galfeat.errors import DataError
from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions
from galfeat.evaluate.metrics import METRICS
from galfeat.evaluate.repeats import summarise_repeats

CLASSES = ("smooth", "spiral", "merger")


def predictions_of(truth, skill, repeats=2, seed=0):
    """Predictions that are right for a share `skill` of the galaxies, otherwise random."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    known = rng.random((repeats, n)) < skill
    named = np.where(known, truth, rng.integers(0, 3, (repeats, n)))
    probabilities = np.full((repeats, n, 3), 0.2)
    np.put_along_axis(probabilities, named[..., None], 0.6, axis=2)
    return OutOfFold(probabilities, named)


@pytest.fixture
def truth():
    return np.random.default_rng(9).integers(0, 3, 600)


def compared(truth, **predictions):
    return compare_predictions(truth, predictions, CLASSES)


def test_scores_match_a_cross_validation(truth):
    groups = np.arange(600) // 2
    predictions = predictions_of(truth, 0.5)
    found = compare_predictions(truth, {"a": predictions}, CLASSES, groups=groups, seed=3).scores[
        "a"
    ]
    expected = summarise_repeats(
        truth, predictions.probabilities, predictions.predicted, predictions.predicted, CLASSES,
        groups=groups, seed=3,
    )  # fmt: skip
    assert found == expected.scores


def test_a_clear_difference_is_significant_with_the_right_sign(truth):
    found = compared(
        truth, poor=predictions_of(truth, 0.4), good=predictions_of(truth, 0.8, seed=1)
    )
    (difference,) = found.differences
    assert (difference.first, difference.second) == ("poor", "good")
    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
        value, low, high = difference.scores[metric]
        assert low < value < high < 0
        poor, good = (found.scores[name][metric].mean for name in ("poor", "good"))
        assert value == pytest.approx(poor - good)
    assert difference.scores["log_loss"].low > 0
    assert [difference.better(metric) for metric in METRICS[:4]] == ["good"] * 4
    assert found.ranked() == found.ranked("log_loss") == ["good", "poor"]
    assert found.tied_with_best() == []


def test_pipelines_of_equal_skill_are_not_significantly_different(truth):
    found = compared(
        truth,
        one=predictions_of(truth, 0.6),
        other=predictions_of(truth, 0.6, seed=1),
        poor=predictions_of(truth, 0.1, seed=2),
    )
    best, second, _ = found.ranked()
    assert {best, second} == {"one", "other"}
    assert found.difference("one", "other").better() is None
    assert found.tied_with_best() == [second]


def test_equal_predictions_do_not_differ(truth):
    predictions = predictions_of(truth, 0.6)
    (difference,) = compared(truth, one=predictions, other=predictions).differences
    for metric, interval in difference.scores.items():
        assert interval == (0, 0, 0)
        assert difference.better(metric) is None


def test_a_difference_is_paired(truth):
    one = predictions_of(truth, 0.6)
    named = one.predicted.copy()
    named[:, :15] = (truth[:15] + 1) % 3  # 15 galaxies worse, all others the same
    (found,) = compared(truth, one=one, other=OutOfFold(one.probabilities, named)).differences
    assert found.better("accuracy") == "one"
    alone = compared(truth, one=one).scores["one"]["accuracy"]
    paired = found.scores["accuracy"]
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)


def test_the_luck_of_the_split_is_in_the_interval(truth):
    """Two repeats with opposite differences are not significant."""
    good, poor = predictions_of(truth, 0.7, 1), predictions_of(truth, 0.4, 1, seed=1)

    def repeated(*parts):
        return OutOfFold(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.predicted for part in parts]),
        )

    found = compared(
        truth, one=repeated(good, poor, good), other=repeated(poor, good, poor)
    ).differences[0]
    assert found.scores["accuracy"].value > 0.05
    assert found.better("accuracy") is None


def test_a_difference_can_be_turned_round(truth):
    found = compared(truth, a=predictions_of(truth, 0.4), b=predictions_of(truth, 0.7, seed=1))
    forth, back = found.difference("a", "b"), found.difference("b", "a")
    for metric in METRICS:
        assert back.scores[metric].value == -forth.scores[metric].value
        assert back.scores[metric].low == -forth.scores[metric].high
        assert back.better(metric) == forth.better(metric)
    with pytest.raises(KeyError):
        found.difference("a", "c")


def test_json_has_every_number_and_who_is_better(truth):
    found = compared(
        truth, a=predictions_of(truth, 0.4), b=predictions_of(truth, 0.8, seed=1)
    ).to_json()
    assert found["pipelines"]["a"]["accuracy"].keys() == {"mean", "sd", "low", "high", "values"}
    assert len(found["pipelines"]["b"]["macro_f1"]["values"]) == 2
    assert np.sum(found["pipelines"]["a"]["confusion"]) == pytest.approx(600)
    (difference,) = found["differences"]
    assert difference["macro_f1"].keys() == {"value", "low", "high", "better"}
    assert difference["macro_f1"]["better"] == "b"


def test_a_galaxy_without_prediction_is_refused(truth):
    predictions = predictions_of(truth, 0.5)
    predictions.probabilities[1, 7] = np.nan
    with pytest.raises(DataError, match="1 of 600 galaxies have no prediction"):
        compared(truth, a=predictions)
