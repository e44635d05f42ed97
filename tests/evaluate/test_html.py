"""Evaluations and comparisons in a notebook."""

import re

import numpy as np
import pytest

from galfeat.evaluate import evaluate_predictions, summarise_repeats
from galfeat.evaluate.comparison import OutOfFold, compare_predictions
from galfeat.evaluate.metrics import METRIC_NAMES, METRICS

NAMES = ("round", "<b>spiral</b>", "edge-on")


def scored(skill, n=240, seed=0):
    """True classes, probabilities and predicted classes that are right in a share of the rows."""
    truth = np.arange(n) % 3
    rng = np.random.default_rng(seed)
    predicted = np.where(rng.random(n) < skill, truth, rng.integers(0, 3, n))
    probabilities = np.full((n, 3), 0.2)
    probabilities[np.arange(n), predicted] = 0.6
    return truth, probabilities, predicted


@pytest.fixture
def evaluation():
    truth, probabilities, predicted = scored(0.7)
    probabilities[5] = np.nan
    return evaluate_predictions(truth, probabilities, predicted, predicted, NAMES)


def compared(**skills):
    outputs = {}
    for seed, (name, skill) in enumerate(skills.items()):
        truth, probabilities, predicted = scored(skill, seed=seed)
        outputs[name] = OutOfFold(probabilities[None], predicted[None])
    return compare_predictions(truth, outputs, NAMES)


def test_every_score_of_an_evaluation_has_a_name(evaluation):
    assert METRIC_NAMES.keys() == evaluation.scores.keys()


def test_an_evaluation_shows_scores_intervals_and_classes(evaluation):
    shown = evaluation._repr_html_()
    assert "<b>Evaluation</b> 239 galaxies, 1 failed; decision: balanced" in shown
    for metric in METRICS:
        value, low, high = evaluation.scores[metric]
        assert METRIC_NAMES[metric] in shown
        assert f"<td>{value:.3f}</td><td>{low:.3f} to {high:.3f}</td><td>" in shown
    assert shown.count("<svg") == 4, "log loss is not confined to 0 to 1"
    recall = evaluation.per_class.recall[0]
    assert re.search(rf'<th scope="row">round</th><td>[\d.]+</td><td>{recall:.3f}</td>', shown)


def test_a_cross_validation_shows_means():
    truth, probabilities, predicted = scored(0.7)
    result = summarise_repeats(truth, [probabilities] * 2, [predicted] * 2, [predicted] * 2, NAMES)
    shown = result._repr_html_()
    assert "<b>CrossValidation</b> 240 galaxies, 2 repeats; decision: balanced" in shown
    assert f"<td>{result.scores['accuracy'].mean:.3f}</td>" in shown


def test_a_class_without_galaxies_shows_a_dash():
    truth, probabilities, predicted = scored(1.0)
    kept = truth < 2
    result = evaluate_predictions(
        truth[kept], probabilities[kept], predicted[kept], predicted[kept], NAMES
    )
    assert '<th scope="row">edge-on</th><td>–</td><td>–</td>' in result._repr_html_()


def test_a_comparison_shows_differences_and_their_significance():
    comparison = compared(poor=0.3, good=0.9, alike=0.88)
    shown = comparison._repr_html_()
    assert comparison.ranked()[:2] == ["good", "alike"]
    assert "3 pipelines, 240 galaxies of 3 classes" in shown
    assert "good minus" in shown
    value, low, high = comparison.difference("good", "poor").scores["macro_f1"]
    assert (
        f'<th scope="row">poor</th><td>+{value:.3f}</td><td>+{low:.3f} to +{high:.3f}</td>'
        '<td class="text">significant</td>' in shown
    )
    assert re.search(r'>alike</th>(<td>[^/]+</td>){2}<td class="text">not significant</td>', shown)


def test_one_pipeline_has_no_differences():
    assert "minus" not in compared(lonely=0.5)._repr_html_()


def test_names_are_escaped_and_nothing_is_loaded(evaluation):
    for shown in (evaluation._repr_html_(), compared(**{"<b>a</b>": 0.5})._repr_html_()):
        assert shown.count("<b>") == 1, "the title alone"
        assert not re.search(r"<script|https?:|<link|url\(", shown)
