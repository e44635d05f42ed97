import numpy as np
import pytest
from sklearn import metrics as reference

from galfeat.evaluate.metrics import (
    chance_ece,
    confusion_matrix,
    expected_calibration_error,
    label_metrics,
    log_loss,
    per_class,
    reliability,
)


def simulated(n=700, k=5, seed=0):
    """Classes, informative softmax probabilities, and predicted classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k))
    logits[np.arange(n), truth] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, probabilities, np.argmax(probabilities * rng.uniform(0.5, 2, k), axis=1)


def test_confusion_matrix_is_scikit_learns():
    truth, _, predicted = simulated()
    np.testing.assert_array_equal(
        confusion_matrix(truth, predicted, 5), reference.confusion_matrix(truth, predicted)
    )


def test_label_metrics_are_scikit_learns():
    truth, _, predicted = simulated()
    scores = label_metrics(confusion_matrix(truth, predicted, 5))
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted))
    assert scores["balanced_accuracy"] == pytest.approx(
        reference.balanced_accuracy_score(truth, predicted)
    )
    assert scores["macro_f1"] == pytest.approx(
        reference.f1_score(truth, predicted, average="macro")
    )


def test_macro_f1_of_classes_missing_on_one_side_is_scikit_learns():
    truth, predicted = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 2, 3])
    scores = label_metrics(confusion_matrix(truth, predicted, 6))
    assert scores["macro_f1"] == pytest.approx(
        reference.f1_score(truth, predicted, average="macro")
    )
    assert scores["balanced_accuracy"] == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_per_class_scores_are_scikit_learns():
    truth, _, predicted = simulated()
    ours = per_class(confusion_matrix(truth, predicted, 5))
    theirs = reference.precision_recall_fscore_support(truth, predicted)
    for mine, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, their)


def test_undefined_per_class_scores_are_nan():
    truth, predicted = np.array([0, 0, 1]), np.array([0, 2, 2])
    scores = per_class(confusion_matrix(truth, predicted, 4))
    np.testing.assert_array_equal(np.isnan(scores.precision), [False, True, False, True])
    np.testing.assert_array_equal(np.isnan(scores.recall), [False, False, True, True])
    np.testing.assert_array_equal(np.isnan(scores.f1), [False, False, False, True])


def test_counts_are_the_same_as_repeating_rows():
    truth, probabilities, predicted = simulated(101)
    counts = np.random.default_rng(1).integers(0, 4, (3, 101)).astype(float)
    confusions = confusion_matrix(truth, predicted, 5, counts)
    losses = log_loss(truth, probabilities, counts)
    errors = expected_calibration_error(truth, probabilities, counts)
    for number, times in enumerate(counts.astype(int)):
        rows = np.repeat(np.arange(101), times)
        np.testing.assert_array_equal(
            confusions[number], confusion_matrix(truth[rows], predicted[rows], 5)
        )
        assert losses[number] == pytest.approx(log_loss(truth[rows], probabilities[rows]))
        assert errors[number] == pytest.approx(
            expected_calibration_error(truth[rows], probabilities[rows])
        )


def test_log_loss_is_scikit_learns_and_stays_finite():
    truth, probabilities, _ = simulated()
    probabilities[0] = np.eye(5)[(truth[0] + 1) % 5]
    assert log_loss(truth, probabilities) == pytest.approx(reference.log_loss(truth, probabilities))
    assert log_loss(truth[:1], probabilities[:1]) == pytest.approx(36.04, abs=0.01)


def test_log_loss_of_uniform_probabilities_is_the_log_of_the_number_of_classes():
    assert log_loss(np.array([0, 1, 2]), np.full((3, 4), 0.25)) == pytest.approx(np.log(4))


def straightforward_ece(truth, probabilities, bins):
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    return sum(
        len(part) / len(truth) * abs(confidence[part].mean() - correct[part].mean())
        for part in parts
        if len(part)
    )


@pytest.mark.parametrize("n", [7, 15, 50, 700])
def test_ece_is_the_textbook_sum_over_array_split_bins(n):
    truth, probabilities, _ = simulated(n)
    assert expected_calibration_error(truth, probabilities) == pytest.approx(
        straightforward_ece(truth, probabilities, 15)
    )


def test_ece_of_certain_and_right_is_zero_and_of_certain_and_wrong_is_one():
    truth = np.array([0, 1, 2] * 10)
    assert expected_calibration_error(truth, np.eye(3)[truth]) == pytest.approx(0)
    assert expected_calibration_error(truth, np.eye(3)[(truth + 1) % 3]) == pytest.approx(1)


def test_ece_of_one_confidence_is_its_distance_from_the_accuracy():
    probabilities = np.tile([0.7, 0.2, 0.1], (40, 1))
    truth = np.repeat([0, 1], [24, 16])
    assert expected_calibration_error(truth, probabilities) == pytest.approx(0.1)


def test_ece_does_not_depend_on_the_order_of_tied_rows():
    truth, probabilities, _ = simulated(100)
    probabilities = np.round(probabilities, 1)
    order = np.argsort(probabilities.argmax(axis=1) == truth)
    assert expected_calibration_error(truth, probabilities) == pytest.approx(
        float(expected_calibration_error(truth[order], probabilities[order])), abs=1e-12
    )


def test_reliability_bins_hold_equal_counts_in_rising_confidence():
    truth, probabilities, _ = simulated(50)
    curve = reliability(truth, probabilities)
    np.testing.assert_allclose(curve.rows, [4] * 5 + [3] * 10)
    assert np.all(np.diff(curve.confidence) > 0)
    top = probabilities.argmax(axis=1) == truth
    assert (curve.accuracy * curve.rows).sum() == pytest.approx(top.sum())


def test_bins_without_rows_are_nan():
    truth, probabilities, _ = simulated(4)
    curve = reliability(truth, probabilities)
    np.testing.assert_array_equal(np.isnan(curve.accuracy), [False] * 4 + [True] * 11)


def test_chance_ece_matches_a_calibrated_model():
    _, probabilities, _ = simulated(300)
    rng = np.random.default_rng(5)
    drawn = [np.array([rng.choice(5, p=row) for row in probabilities]) for _ in range(20)]
    measured = [expected_calibration_error(truth, probabilities) for truth in drawn]
    assert chance_ece(probabilities).mean() == pytest.approx(np.mean(measured), rel=0.15)
    assert chance_ece(np.eye(3)[[0, 1, 2]]).max() == pytest.approx(0)
