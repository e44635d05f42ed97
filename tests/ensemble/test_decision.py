import numpy as np
import pytest

from galfeat.ensemble import decide


def test_balanced_divides_by_the_prior_and_probable_does_not():
    probabilities = [[0.7, 0.3], [0.95, 0.05], [0.5, 0.5]]
    priors = [0.9, 0.1]
    assert decide(probabilities, priors, "probable").tolist() == [0, 0, 0]
    assert decide(probabilities, priors, "balanced").tolist() == [1, 0, 1]


def test_a_failed_row_has_no_class():
    probabilities = [[np.nan, np.nan], [0.2, 0.8]]
    for rule in ("balanced", "probable"):
        assert decide(probabilities, [0.5, 0.5], rule).tolist() == [-1, 1]


def test_no_rows_give_no_classes():
    assert decide(np.zeros((0, 3)), [0.2, 0.3, 0.5], "balanced").shape == (0,)


def test_balanced_is_the_bayes_rule_of_balanced_accuracy():
    rng = np.random.default_rng(0)
    priors = np.array([0.85, 0.12, 0.03])
    y = rng.choice(3, size=20000, p=priors)
    x = rng.normal(size=len(y)) + 1.5 * y
    likelihood = np.exp(-0.5 * (x[:, None] - 1.5 * np.arange(3)) ** 2)
    posterior = likelihood * priors
    posterior /= posterior.sum(axis=1, keepdims=True)
    recalls = {
        rule: [np.mean(decide(posterior, priors, rule)[y == code] == code) for code in range(3)]
        for rule in ("balanced", "probable")
    }
    hits = {rule: np.dot(recalls[rule], np.bincount(y) / len(y)) for rule in recalls}
    assert np.mean(recalls["balanced"]) > np.mean(recalls["probable"]) + 0.1
    assert hits["probable"] > hits["balanced"] + 0.1


def test_an_unknown_rule_is_an_error():
    with pytest.raises(ValueError, match="'fair' is not known"):
        decide([[0.5, 0.5]], [0.5, 0.5], "fair")


def test_tempered_beats_both_others_in_macro_f1_where_classes_are_very_unequal():
    rng = np.random.default_rng(1)
    priors = np.array([0.67, 0.17, 0.13, 0.03])
    y = rng.choice(4, size=40000, p=priors)
    x = rng.normal(size=len(y)) + 1.6 * y
    posterior = np.exp(-0.5 * (x[:, None] - 1.6 * np.arange(4)) ** 2) * priors
    posterior /= posterior.sum(axis=1, keepdims=True)
    scores = {}
    for rule in ("balanced", "tempered", "probable"):
        named = decide(posterior, priors, rule)
        hits = np.array([np.sum((named == c) & (y == c)) for c in range(4)])
        scores[rule] = np.mean(2 * hits / (np.bincount(named, minlength=4) + np.bincount(y)))
    assert scores["tempered"] > scores["balanced"] + 0.01
    assert scores["tempered"] > scores["probable"] + 0.01
