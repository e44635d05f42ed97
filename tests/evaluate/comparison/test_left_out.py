"""Losses of models fitted without a feature family."""

import re

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.data import ArrayDataSet
from galfeat.data.duplicates import find_groups
from galfeat.errors import DataError, PipelineError
from galfeat.evaluate.comparison.left_out import SCORES, measure_ablation
from galfeat.evaluate.comparison.paired import OutOfFold
from galfeat.experiments.ablation import ablate, check_ablation, without
from galfeat.experiments.scoring import report, score
from galfeat.features import FeatureTable
from galfeat.pipeline import Pipeline
from galfeat.pipeline.members import Member

NAMES = (
    "shape.axis_ratio",
    "radial.brightness.r3",
    "colour.bulge_disc",
    "hog.aligned.r0.o0",
    "flags",
)
CLASSES = ("flat", "oval", "round")
TREES = Member("lightgbm", {"n_estimators": 20, "min_child_samples": 5})
LINEAR = Member("logistic", {"C": 1.0})


def galaxies(n, seed):
    """Three classes: shape and radial redundant, one class by colour only; hog is noise."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    values = np.zeros((n, 5), np.float32)
    flatness = (y == 0) + 0.15 * random.normal(size=n)
    values[:, 0] = flatness
    values[:, 1] = 1.0 - flatness + 0.02 * random.normal(size=n)
    values[:, 2] = (y == 1) + 0.25 * random.normal(size=n)
    values[:, 3] = random.normal(size=n)
    table = FeatureTable(values, NAMES, random.integers(0, 256, (n, 16)).astype(np.uint8), {})
    images = np.zeros((n, 4, 4, 3), np.uint8)
    return ArrayDataSet(images, labels=[CLASSES[code] for code in y]), table


def pipeline(*members, families=("shape", "radial", "colour", "hog"), combine="none"):
    return Pipeline("test", "", families, members, combine=combine, folds=2)


def fitted(*members, n_jobs=1, **settings):
    dataset, table = galaxies(300, seed=0)
    classifier = GalaxyClassifier(pipeline(*members, **settings), n_jobs=n_jobs)
    groups = find_groups(table.digests).groups  # as `galfeat fit` does
    return classifier.fit_table(table, dataset.labels, groups, dataset.class_names)


def ablated(classifier, **options):
    scored = score(classifier, *galaxies(240, seed=1))
    return ablate(scored, *galaxies(300, seed=0), **options)


@pytest.fixture(scope="module")
def planted():
    return ablated(fitted(LINEAR))


def test_the_loss_without_an_irreplaceable_family(planted):
    for lost in planted.families["colour"].values():
        assert lost.low > 0
    assert planted.families["colour"]["balanced_accuracy"].value > 0.2
    assert planted.is_needed("colour")
    assert next(iter(planted.families)) == "colour"


def test_noise_is_not_missed(planted):
    for name in ("balanced_accuracy", "macro_f1"):
        lost = planted.families["hog"][name]
        assert lost.low <= 0 <= lost.high
        assert abs(lost.value) < 0.02
    assert not planted.is_needed("hog")


def test_redundant_families_are_not_needed_individually(planted):
    for family in ("shape", "radial"):
        assert abs(planted.families[family]["balanced_accuracy"].value) < 0.02
        assert not planted.is_needed(family)


def test_the_report_sorts_the_families_by_both_tests(planted, tmp_path):
    scored = score(fitted(LINEAR), *galaxies(240, seed=1))
    page = report(tmp_path, scored, n_training=300, ablation=planted).read_text("utf-8")
    listed = re.findall(r"<li><b>([a-z, ]+)</b>: ([a-z ]+)", page)
    assert {words: set(families.split(", ")) for families, words in listed} == {
        "needed": {"colour"},
        "used": {"shape", "radial"},
        "not needed": {"hog"},
    }


def test_losses_match_models_fitted_without_the_family(planted):
    """Compare with models fitted and scored by hand on tables without the family."""
    (dataset, known), (unseen, new) = galaxies(300, seed=0), galaxies(240, seed=1)
    classifier, kept = fitted(LINEAR), [0, 1, 3, 4]
    whole = score(classifier, unseen, new).evaluation
    known, new = (
        FeatureTable(table.values[:, kept], tuple(NAMES[k] for k in kept), table.digests, {})
        for table in (known, new)
    )
    groups = find_groups(known.digests).groups
    less = GalaxyClassifier(pipeline(LINEAR, families=("shape", "radial", "hog")))
    less.fit_table(known, dataset.labels, groups, dataset.class_names)
    rest = score(less, unseen, new).evaluation
    for name in SCORES:
        sign = 1 if name == "log_loss" else -1
        lost = sign * (rest.scores[name].value - whole.scores[name].value)
        assert planted.families["colour"][name].value == pytest.approx(lost, abs=1e-12)


def test_the_number_of_threads_changes_nothing():
    stack = {"combine": "stack"}
    one, three = (ablated(fitted(TREES, LINEAR, n_jobs=jobs, **stack)) for jobs in (1, 3))
    assert one == three


def test_progress_counts_the_fits():
    seen = []
    ablated(fitted(LINEAR), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 5) for done in range(6)]


def test_members_that_lose_all_their_columns_are_left_out_with_them():
    bound = Member("logistic", {}, ("colour",))
    both = Member("svm", {}, ("colour", "shape"))
    rest = without(pipeline(TREES, bound, both, combine="stack"), "colour")
    assert rest.families == ("shape", "radial", "hog")
    assert rest.members == (TREES, Member("svm", {}, ("shape",)))
    assert without(pipeline(bound), "colour") is None
    assert without(pipeline(TREES, families=("hog",)), "hog") is None


def test_a_stack_with_bound_members_is_fitted_without_them():
    bound = Member("logistic", {}, ("colour",))
    found = ablated(fitted(Member("logistic", {}, ("shape",)), bound, combine="stack"))
    assert found.is_needed("colour")
    assert found.is_needed("shape")
    # No member is given these.
    for family in ("radial", "hog"):
        assert set(found.families[family].values()) == {(0.0, 0.0, 0.0)}


def test_a_family_that_cannot_be_left_out_is_named():
    found = ablated(fitted(Member("logistic", {}, ("colour",))))
    assert found.indispensable == ("colour",)
    assert "colour" not in found.families
    assert found.to_json()["cannot_be_left_out"] == ["colour"]


def test_a_pipeline_of_one_family_is_refused():
    dataset, _ = galaxies(300, seed=0)
    with pytest.raises(PipelineError, match="cannot be fitted without colour"):
        check_ablation(fitted(TREES, families=("colour",)), dataset, 300)


def test_missing_and_other_training_galaxies_are_refused():
    classifier, (dataset, _) = fitted(TREES), galaxies(300, seed=0)
    check_ablation(classifier, dataset, 300)
    with pytest.raises(DataError, match=r"have 90 of the 300 .* needs all of them"):
        check_ablation(classifier, dataset.select(np.arange(90)), 300)
    with pytest.raises(
        DataError, match="labels of the galaxies the model was fitted to have changed"
    ):
        check_ablation(classifier, dataset.select(np.arange(300) // 3 * 3), 300)


def out_of_fold(probabilities):
    return OutOfFold(probabilities[None], probabilities.argmax(axis=1)[None])


def wrong_every(probabilities, step):
    """Invert the prediction for every `step`-th galaxy."""
    turned = probabilities.copy()
    turned[::step] = 1.0 - turned[::step]
    return turned


def test_a_loss_no_larger_than_that_of_refitting_is_not_significant():
    y = np.arange(600) % 2
    right = np.where(np.eye(2)[y] > 0, 0.9, 0.1)
    sure, less, least = (wrong_every(right, step) for step in (50, 20, 10))
    options = {"class_names": ("a", "b"), "n_training": 10}
    lucky = measure_ablation(
        y, out_of_fold(sure), out_of_fold(least), {"x": out_of_fold(less)}, **options
    )
    assert lucky.families["x"]["macro_f1"].low > 0
    assert not lucky.is_needed("x")
    steady = measure_ablation(
        y, out_of_fold(sure), out_of_fold(sure), {"x": out_of_fold(less)}, **options
    )
    assert steady.is_needed("x")
    assert not steady.is_harmful("x")
    turned = measure_ablation(
        y, out_of_fold(less), out_of_fold(less), {"x": out_of_fold(sure)}, **options
    )
    assert turned.is_harmful("x")
    assert not turned.is_needed("x")


def test_failed_images_are_left_out_of_the_scores():
    y = np.arange(60) % 2
    probabilities = np.where(np.eye(2)[y] > 0, 0.9, 0.1)
    probabilities[:10] = np.nan
    found = measure_ablation(
        y,
        out_of_fold(probabilities),
        out_of_fold(probabilities),
        {"x": out_of_fold(probabilities)},
        ("a", "b"),
        n_training=10,
    )
    assert found.n == 50
    assert found.families["x"]["log_loss"].value == 0
