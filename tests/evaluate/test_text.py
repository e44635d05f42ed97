import numpy as np

from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.repeats import summarise_repeats
from galfeat.evaluate.text import cross_validation_text, evaluation_text, table

NAMES = ("round", "spiral", "edge-on")
TRUTH = np.array([0, 0, 0, 0, 1, 1])
PROBABILITIES = np.eye(3)[[0, 0, 0, 1, 1, 1]] * 0.7 + 0.1
PREDICTED = np.array([0, 0, 0, 1, 1, 1])
ALTERNATIVE = np.array([0, 0, 0, 0, 1, 1])


def test_columns_are_aligned():
    assert table(["name", "n"], [["a", "10"], ["long name", "2"]]) == (
        "name        n\na          10\nlong name   2"
    )


def test_evaluation_text_shows_all_scores():
    sources = np.array(["sdss"] * 5 + ["decals"])
    text = evaluation_text(
        evaluate_predictions(TRUTH, PROBABILITIES, PREDICTED, ALTERNATIVE, NAMES, sources=sources)
    )
    lines = text.splitlines()
    assert lines[0].startswith("6 galaxies scored; decision: balanced")
    accuracy = next(line for line in lines if line.startswith("accuracy"))
    assert accuracy.split()[1] == "0.833"
    assert accuracy.split()[-1] == "1.000"
    assert "spiral       0.667   1.000  0.800         2" in lines
    assert "edge-on          -       -      -         0" in lines
    assert any(line.split() == ["0", "round", "3", "1", "."] for line in lines)
    assert any(line.startswith("decals") and line.split()[1] == "1" for line in lines)
    assert not any(line != line.rstrip() for line in lines)


def test_failed_images_are_mentioned():
    probabilities = PROBABILITIES.copy()
    probabilities[0] = np.nan
    text = evaluation_text(
        evaluate_predictions(TRUTH, probabilities, PREDICTED, ALTERNATIVE, NAMES)
    )
    assert text.startswith("5 galaxies scored, 1 failed;")


def test_cross_validation_text_shows_mean_and_spread():
    other = np.eye(3)[[0, 0, 1, 1, 1, 1]] * 0.7 + 0.1
    predicted = np.array([0, 0, 1, 1, 1, 1])
    result = summarise_repeats(
        TRUTH,
        [PROBABILITIES, other],
        [PREDICTED, predicted],
        [ALTERNATIVE, ALTERNATIVE],
        NAMES,
        rule="probable",
    )
    lines = cross_validation_text(result).splitlines()
    assert lines[0].startswith("6 galaxies, each predicted out of fold 2 times; decision: probable")
    accuracy = next(line for line in lines if line.startswith("accuracy"))
    assert accuracy.split()[1:3] == ["0.750", "0.118"]
    assert "if balanced" in lines[2]
