"""Conformal prediction sets: their coverage, their thresholds, and parity with MAPIE."""

from functools import partial

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import betabinom
from sklearn.base import BaseEstimator, ClassifierMixin

from galfeat.ensemble import Ensemble
from galfeat.ensemble.combination import Combination
from galfeat.ensemble.population import CalibrationRows, nonconformity, set_thresholds
from galfeat.ensemble.population.prediction_sets import (
    MIN_ROWS,
    SCORES,
    out_of_fold_rows,
    required_rows,
)
from galfeat.errors import DataError, GalfeatWarning, ModelError
from galfeat.pipeline import Member


def drawn(frequencies, n, seed, *, skill=1.5):
    """Classes, and probabilities that a model with these priors would give them."""
    rng = np.random.default_rng(seed)
    frequencies = np.asarray(frequencies)
    y = rng.choice(len(frequencies), size=n, p=frequencies)
    scores = skill * np.eye(len(frequencies))[y] + rng.normal(size=(n, len(frequencies)))
    return softmax(scores * skill + np.log(frequencies), axis=1), y


def rows_of(frequencies, n, seed, **options):
    return CalibrationRows.of(*drawn(frequencies, n, seed, **options), frequencies)


def bounds(n, m, coverage, share=0.001):
    """The central interval of the coverage of m galaxies by a threshold from n."""
    missed = int(np.floor((n + 1) * (1 - coverage) + 1e-9))
    return betabinom.ppf([share / 2, 1 - share / 2], m, n + 1 - missed, missed) / m


THREE = [0.5, 0.3, 0.2]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_each_class_is_covered_as_often_as_a_beta_binomial_allows(score, coverage):
    rows = rows_of(THREE, 600, seed=1)
    probabilities, y = drawn(THREE, 20_000, seed=2)
    in_set = set_thresholds(rows, coverage, score=score).contain(probabilities)
    for code, n in enumerate(rows.counts()):
        of_class = y == code
        low, high = bounds(n, of_class.sum(), coverage)
        found = in_set[of_class, code].mean()
        assert low <= found
        assert found <= high or score == "aps"  # equal sums of one count as covered


def test_the_sums_of_aps_are_those_of_the_more_probable_classes():
    probabilities, _ = drawn(THREE, 100, seed=27)
    for row, scores in zip(probabilities, nonconformity(probabilities, "aps"), strict=True):
        expected = [row[row >= p].sum() for p in row]
        assert scores == pytest.approx(expected, abs=1e-6)


def test_the_mean_coverage_over_many_calibrations_is_the_nominal_one():
    """The mean of the beta distribution is ceil((n + 1) coverage) / (n + 1), exactly."""
    found, expected = [], []
    for seed in range(300):
        rows = rows_of(THREE, 150, seed)
        probabilities, y = drawn(THREE, 400, seed + 1000)
        in_set = set_thresholds(rows, 0.8).contain(probabilities)
        first = y == 0
        found.append(in_set[first, 0].mean())
        n = rows.counts()[0]
        expected.append(np.ceil((n + 1) * 0.8 - 1e-9) / (n + 1))
    assert np.mean(found) == pytest.approx(np.mean(expected), abs=0.008)


@pytest.mark.parametrize(("n", "rank"), [(4, 4), (9, 8), (99, 80), (100, 81)])
def test_the_threshold_is_the_conformal_quantile(n, rank):
    p = np.random.default_rng(n).permutation(np.linspace(0.02, 0.98, n))
    rows = CalibrationRows.of(np.stack([p, 1 - p], axis=1), np.zeros(n, int), [0.5, 0.5])
    thresholds = set_thresholds(rows, 0.8)
    assert thresholds.values == pytest.approx(np.sort(1 - p)[rank - 1], abs=1e-6)


@pytest.mark.parametrize("coverage", [0.5, 0.75, 0.8, 0.9, 0.95, 0.99])
def test_the_number_of_rows_a_coverage_needs(coverage):
    n = required_rows(coverage)
    rows = rows_of([0.5, 0.5], n, seed=3)
    assert np.isfinite(set_thresholds(rows, coverage).values).all()
    fewer = CalibrationRows.of(rows.probabilities[1:], rows.codes[1:], rows.priors)
    with pytest.raises(DataError, match=rf"at least {n} labelled galaxies, and there are {n - 1}"):
        set_thresholds(fewer, coverage)


def test_higher_coverage_gives_larger_sets():
    rows, (probabilities, _) = rows_of(THREE, 500, seed=4), drawn(THREE, 300, seed=5)
    smaller = np.zeros((300, 3), bool)
    for coverage in (0.5, 0.7, 0.9, 0.99):
        larger = set_thresholds(rows, coverage).contain(probabilities)
        assert (larger >= smaller).all()
        smaller = larger
    assert not larger.all()


def test_the_order_of_rows_and_of_classes_does_not_matter():
    rows, (probabilities, _) = rows_of(THREE, 300, seed=6), drawn(THREE, 200, seed=7)
    expected = set_thresholds(rows, 0.9).contain(probabilities)
    order = np.random.default_rng(8).permutation(300)
    again = CalibrationRows.of(rows.probabilities[order], rows.codes[order], THREE)
    assert np.array_equal(set_thresholds(again, 0.9).contain(probabilities), expected)
    turned = CalibrationRows.of(rows.probabilities[:, ::-1], 2 - rows.codes, THREE[::-1])
    found = set_thresholds(turned, 0.9).contain(probabilities[:, ::-1])
    assert np.array_equal(found[:, ::-1], expected)


def test_rare_classes_share_a_threshold_and_their_coverage():
    frequencies = [0.6, 0.3, 0.06, 0.04]
    rows = rows_of(frequencies, 250, seed=9)
    thresholds = set_thresholds(rows, 0.9)
    assert (rows.counts()[2:] < MIN_ROWS).all()
    assert thresholds.pooled.tolist() == [False, False, True, True]
    assert thresholds.values[2] == thresholds.values[3]
    probabilities, y = drawn(frequencies, 60_000, seed=10)
    rare = y >= 2
    hit = thresholds.contain(probabilities)[np.arange(len(y)), y]
    low, high = bounds(rows.counts()[2:].sum(), rare.sum(), 0.9)
    assert low <= hit[rare].mean() <= high


def test_a_rare_class_shares_with_the_next_rarer_ones_until_there_are_enough():
    codes = np.repeat(np.arange(4), [5, 40, 30, 0])
    probabilities = np.random.default_rng(11).dirichlet(np.ones(4), size=75)
    rows = CalibrationRows.of(probabilities, codes, [0.25] * 4)
    assert set_thresholds(rows, 0.9).pooled.tolist() == [True, False, True, True]
    assert set_thresholds(rows, 0.98).pooled.all()  # needs 49 rows
    assert set_thresholds(rows, 0.9, by_class=False).pooled.all()


def test_one_threshold_covers_galaxies_but_not_each_class():
    rows = rows_of([0.9, 0.1], 2000, seed=12, skill=1.0)
    probabilities, y = drawn([0.9, 0.1], 20_000, seed=13, skill=1.0)
    for by_class, rare in ((True, 0.9), (False, 0.6)):
        in_set = set_thresholds(rows, 0.9, by_class=by_class).contain(probabilities)
        hit = in_set[np.arange(len(y)), y]
        assert hit.mean() == pytest.approx(0.9, abs=0.02)
        assert (hit[y == 1].mean() > rare - 0.08) == by_class


def shifted(frequencies, n, seed):
    """Galaxies of another mix of classes, with the probabilities of the model for THREE."""
    rng = np.random.default_rng(seed)
    probabilities, y = drawn(THREE, 20 * n, seed)
    rows = rng.choice(len(y), size=n, p=(np.divide(frequencies, THREE) / len(y))[y] /
                      (np.divide(frequencies, THREE) / len(y))[y].sum())  # fmt: skip
    return probabilities[rows], y[rows]


def test_shared_thresholds_keep_their_coverage_where_the_mix_of_classes_changes():
    from galfeat.ensemble.population import reweighted

    hard = [0.02, 0.08, 0.9]
    rows = rows_of(THREE, 4000, seed=14)
    probabilities, y = shifted(hard, 20_000, seed=15)
    moved = reweighted(probabilities, THREE, hard)
    hits = {}
    for name, table, priors in (("moved", moved, hard), ("as before", probabilities, None)):
        thresholds = set_thresholds(rows, 0.9, priors=priors, by_class=False)
        hits[name] = thresholds.contain(table)[np.arange(len(y)), y].mean()
    assert hits["moved"] == pytest.approx(0.9, abs=0.015)
    assert hits["as before"] < 0.86


def test_own_thresholds_keep_their_coverage_where_the_mix_of_classes_changes():
    hard = [0.02, 0.08, 0.9]
    rows = rows_of(THREE, 3000, seed=16)
    probabilities, y = shifted(hard, 20_000, seed=17)
    in_set = set_thresholds(rows, 0.9).contain(probabilities)
    for code in range(3):
        assert in_set[y == code, code].mean() == pytest.approx(0.9, abs=0.03)


def test_weights_do_not_matter_where_the_mix_is_that_of_the_calibration_rows():
    rows = rows_of(THREE, 200, seed=18)
    counted = rows.counts() / len(rows)
    same = CalibrationRows.of(rows.probabilities, rows.codes, counted)
    nearly = counted + np.array([1e-13, -1e-13, 0.0])
    expected = set_thresholds(same, 0.9, by_class=False).values
    found = set_thresholds(same, 0.9, priors=nearly, by_class=False).values
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_class_that_does_not_occur_is_in_no_set():
    rows, (probabilities, _) = rows_of(THREE, 200, seed=19), drawn(THREE, 50, seed=20)
    thresholds = set_thresholds(rows, 0.9, priors=[0.7, 0.3, 0.0])
    assert thresholds.values[2] == -np.inf
    assert not thresholds.contain(probabilities)[:, 2].any()
    assert not thresholds.pooled[2]
    pooled = set_thresholds(rows, 0.9, priors=[0.7, 0.3, 0.0], by_class=False)
    assert not pooled.contain(probabilities)[:, 2].any()


def test_rows_without_probabilities_have_empty_sets():
    thresholds = set_thresholds(rows_of(THREE, 200, seed=21), 0.9)
    assert not thresholds.contain([[np.nan] * 3]).any()


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 90, np.nan])
def test_a_coverage_that_is_no_probability(coverage):
    with pytest.raises(DataError, match="above 0 and below 1"):
        set_thresholds(rows_of(THREE, 200, seed=22), coverage)


def test_a_model_without_calibration_rows_is_told_what_to_do():
    with pytest.raises(ModelError, match=r"--calibrate DATA, GalaxyClassifier\.with_calibration"):
        set_thresholds(None, 0.9)
    with pytest.raises(ValueError, match="lac, aps"):
        nonconformity([[0.5, 0.5]], "raps")


class Given(ClassifierMixin, BaseEstimator):
    """A classifier with given probabilities: X holds row numbers."""

    def __init__(self, probabilities):
        self.probabilities, self.classes_ = probabilities, np.arange(probabilities.shape[1])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return self.probabilities[X[:, 0].astype(int)]

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)

    def __sklearn_is_fitted__(self):
        return True


def by_mapie(coverage, calibration, codes, probabilities):
    """The sets of MAPIE, from one threshold for all classes."""
    classification = pytest.importorskip("mapie.classification", reason="MAPIE is not installed")
    table = np.concatenate([calibration, probabilities])
    conformal = classification.SplitConformalClassifier(
        Given(table), confidence_level=coverage, conformity_score="lac"
    )
    numbers = np.arange(len(table))[:, None]
    conformal.conformalize(numbers[: len(codes)], codes)
    _, sets = conformal.predict_set(numbers[len(codes) :])
    return sets[:, :, 0]


@pytest.mark.filterwarnings("ignore:WARNING. your conformalization dataset has less labels")
@pytest.mark.parametrize("coverage", [0.6, 0.83, 0.9, 0.95])
def test_sets_equal_those_of_mapie(coverage):
    rows, (probabilities, _) = rows_of(THREE, 357, seed=23), drawn(THREE, 500, seed=24)
    codes = rows.codes.astype(int)
    table = rows.probabilities.astype(float)
    table /= table.sum(axis=1, keepdims=True)  # MAPIE wants sums of one in double precision
    exact = CalibrationRows(table, rows.codes, rows.priors)
    one = set_thresholds(exact, coverage, by_class=False).contain(probabilities)
    assert np.array_equal(one, by_mapie(coverage, table, codes, probabilities))
    of_class = set_thresholds(exact, coverage).contain(probabilities)
    for code in range(3):
        own = codes == code
        sets = by_mapie(coverage, table[own], codes[own], probabilities)
        assert np.array_equal(of_class[:, code], sets[:, code])


FOLDS = np.arange(120) % 5


def members(seed, n_members):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, size=120)
    scores = 1.5 * np.eye(3)[y][:, None] + rng.normal(size=(120, n_members, 3))
    return log_softmax(scores, axis=2), y


@pytest.mark.parametrize("combine", ["none", "average", "stack"])
@pytest.mark.parametrize("folds", [FOLDS, FOLDS // 3])
def test_out_of_fold_probabilities_do_not_depend_on_the_classes_of_their_fold(combine, folds):
    log_p, y = members(25, 1 if combine == "none" else 3)
    make = partial(Combination, combine, [np.zeros(3)] * log_p.shape[1], calibration="vector")
    before = out_of_fold_rows(make, log_p, y, folds, np.full(3, 1 / 3))
    inside = folds == 0
    swapped = np.where(inside, (y + 1) % 3, y)
    after = out_of_fold_rows(make, log_p, swapped, folds, np.full(3, 1 / 3))
    assert np.array_equal(before.probabilities[inside], after.probabilities[inside])
    assert not np.array_equal(before.probabilities[~inside], after.probabilities[~inside])
    assert before.out_of_fold
    assert before.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("folds", [2, 5])
def test_a_fit_keeps_probabilities_that_cover_other_rows(folds, make_table):
    X, y = make_table(900, THREE, distance=1.5)
    fresh, fresh_y = make_table(6000, THREE, distance=1.5, seed=26)
    forest = Member("extra-trees", {"n_estimators": 40})
    ensemble = Ensemble((forest, Member("logistic")), "stack", folds=folds).fit(X, y)
    rows = ensemble.calibration_rows_
    assert np.array_equal(rows.codes, y)
    assert rows.priors == pytest.approx(ensemble.priors_)
    in_set = set_thresholds(rows, 0.9).contain(ensemble.predict_proba(fresh))
    hit = in_set[np.arange(len(fresh_y)), fresh_y]
    # Not a guarantee: the model is fitted to more rows than those that calibrate its sets.
    assert hit.mean() == pytest.approx(0.9, abs=0.025)
    in_sample = CalibrationRows.of(ensemble.predict_proba(X), y, ensemble.priors_)
    naive = set_thresholds(in_sample, 0.9).contain(ensemble.predict_proba(fresh))
    assert naive[np.arange(len(fresh_y)), fresh_y].mean() < hit.mean() - 0.05


def test_fits_without_single_classes_or_folds_keep_none(make_table):
    X, y = make_table(60, [0.5, 0.5])
    logistic = (Member("logistic"),)
    assert Ensemble(logistic, folds=2).fit_soft(X, np.eye(2)[y]).calibration_rows_ is None
    assert Ensemble(logistic, calibration="none").fit(X, y).calibration_rows_ is None
    with pytest.warns(GalfeatWarning, match="share one group"):
        grouped = Ensemble(logistic, folds=2).fit(X, y, groups=np.array(["a", "b"])[y])
    assert grouped.calibration_rows_ is None
