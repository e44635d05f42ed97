import csv
import io

import numpy as np
import pytest

from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions
from galfeat.evaluate.comparison.text import brief, comparison_csv, comparison_text, verdict

COSTS = {
    name: {"fit_seconds": 1.25, "ms_per_galaxy": 2.5, "peak_memory_mb": 300.0, "model_mb": 0.5}
    for name in ("good", "poor", "twin")
}


def right_in(truth, share):
    named = np.where(np.arange(len(truth)) % 10 < 10 * share, truth, 1 - truth)
    return OutOfFold(np.where(np.eye(2)[named] > 0, 0.9, 0.1)[None], named[None])


@pytest.fixture
def comparison():
    truth = np.arange(300) // 7 % 2
    predictions = {"poor": right_in(truth, 0.5), "good": right_in(truth, 0.9)}
    return compare_predictions(
        truth, predictions | {"twin": predictions["good"]}, ("smooth", "spiral")
    )


def test_the_text_states_which_differences_are_significant(comparison):
    text = comparison_text(comparison, COSTS)
    assert "300 galaxies in 2 classes, each predicted out of fold once" in text
    lines = {line.split()[0]: line for line in text.splitlines() if line}
    assert "good is better" in lines["poor"]
    assert "not significant" in lines["twin"]
    assert text.endswith("but is not significantly different from twin.")
    assert "1.25" in text
    assert "300" in text


def test_a_single_pipeline_has_no_differences(comparison):
    truth = np.arange(40) % 2
    alone = compare_predictions(truth, {"good": right_in(truth, 0.9)}, ("smooth", "spiral"))
    text = comparison_text(alone, COSTS)
    assert "minus" not in text
    assert verdict(alone) == "good has the best macro-F1 of these pipelines."


def test_the_csv_has_a_row_for_each_pipeline_the_best_first(comparison):
    shift = {name: compare_shift(name) for name in COSTS}
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison, COSTS, shift))))
    assert [row["pipeline"] for row in rows] == ["good", "twin", "poor"]
    assert float(rows[0]["accuracy"]) == pytest.approx(0.9)
    assert float(rows[0]["accuracy_low"]) < 0.9 < float(rows[0]["accuracy_high"])
    assert float(rows[2]["fit_seconds"]) == 1.25
    assert float(rows[0]["shift_accuracy"]) == pytest.approx(0.6)
    assert float(rows[0]["shift_accuracy_change"]) == pytest.approx(-0.3)


def compare_shift(name):
    truth = np.arange(300) // 7 % 2
    before, after = right_in(truth, 0.9), right_in(truth, 0.6)
    return compare_predictions(truth, {"original": before, "re-rendered": after}, ("a", "b"))


@pytest.mark.parametrize(
    ("number", "text"), [(1234.5, "1,234"), (99.4, "99.4"), (2.345, "2.35"), (0.0, "0.00")]
)
def test_numbers_are_brief(number, text):
    assert brief(number) == text
