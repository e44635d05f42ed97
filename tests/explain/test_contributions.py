"""Contributions are exact and assigned to the right features."""

import numpy as np
import pytest

from galfeat import GalaxyClassifier, load_model, open_dataset
from galfeat.errors import DataError
from galfeat.explain import contributions_of, explain
from galfeat.explain.concepts import CONCEPTS, concept_of
from galfeat.explain.contributions import ISOTONIC, UNNAMED
from galfeat.features import FeatureTable
from galfeat.pipeline import Pipeline
from galfeat.pipeline.members import KINDS, Member

TREES = Member("lightgbm", {"n_estimators": 20, "min_child_samples": 5})
LINEAR = Member("logistic", {"C": 0.1})
VECTORS = Member("svm", {"C": 1.0})
BAR = "fourier.deprojected.bar.strength"
NAMES = (BAR, "shape.axis_ratio", "colour.bulge_disc", "hog.aligned.r0.o0", "flags")


def table(n=240, seed=0):
    """Galaxies of three kinds: barred, flat, and neither."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    values = random.normal(size=(n, 5)).astype(np.float32)
    values[:, 0] += 3.0 * (y == 0)
    values[:, 1] -= 3.0 * (y == 1)
    values[random.random(n) < 0.1, 2] = np.nan
    values[:, 4] = 0.0
    digests = random.integers(0, 256, (n, 16)).astype(np.uint8)
    return FeatureTable(values, NAMES, digests, {}), y


def fitted(*members, combine="none", **settings):
    pipeline = Pipeline(
        "test", "", ("shape", "fourier", "colour", "hog"), members,
        combine=combine, folds=3, **settings,
    )  # fmt: skip
    known, y = table()
    return GalaxyClassifier(pipeline).fit_table(known, y, class_names=["barred", "flat", "plain"])


def accounted(classifier, new):
    return contributions_of(classifier, new, classifier.classify_table(new))


def explained(classifier, new, **options):
    return explain(classifier, new, classifier.classify_table(new), **options)


ENSEMBLES = {
    "one": lambda: fitted(TREES),
    "balanced": lambda: fitted(TREES, balance="class-weight", decision="probable"),
    "bagged": lambda: fitted(TREES, balance="bagging"),
    "stack": lambda: fitted(TREES, LINEAR, VECTORS, combine="stack"),
    "average": lambda: fitted(TREES, LINEAR, combine="average"),
    "not calibrated": lambda: fitted(TREES, calibration="none"),
    "isotonic": lambda: fitted(TREES, calibration="isotonic"),
    "isotonic stack": lambda: fitted(TREES, LINEAR, combine="stack", calibration="isotonic"),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_all_that_is_listed_adds_up_to_the_probabilities(name):
    classifier, (new, _) = ENSEMBLES[name](), table(30, seed=1)
    found = accounted(classifier, new)
    total = found.start + found.features.sum(axis=2) + sum(found.others.values(), 0.0)
    np.testing.assert_allclose(total, found.score, atol=1e-9)
    odds = np.exp(total)
    wanted = classifier.classify_table(new).probabilities
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), wanted, atol=1e-6)
    np.testing.assert_allclose(found.features.sum(axis=1), 0.0, atol=1e-9)
    families = found.by_family()
    assert list(families) == ["fourier", "shape", "colour", "hog"]
    np.testing.assert_allclose(sum(families.values()), found.features.sum(axis=2), atol=1e-9)


@pytest.mark.parametrize("name", ["one", "stack"])
def test_the_start_is_constant_apart_from_calibration(name):
    found = accounted(ENSEMBLES[name](), table(30, seed=1)[0])
    assert found.start.std(axis=0).max() < 0.05 * found.score.std(axis=0).max()


def test_members_without_contributions_by_feature_are_listed_by_kind():
    found = accounted(ENSEMBLES["stack"](), table(30, seed=1)[0])
    assert set(found.others) == {"svm"}
    assert np.abs(found.others["svm"]).max() > 0.1


def test_an_isotonic_calibration_is_a_reason_of_its_own():
    classifier, (new, _) = ENSEMBLES["isotonic stack"](), table(30, seed=1)
    found = accounted(classifier, new)
    assert set(found.others) == {ISOTONIC}
    curves = found.others[ISOTONIC]
    assert np.abs(curves).max() > 0.05
    # The remainder is constant, as without curves, but for slopes that differ between classes.
    assert found.start.std(axis=0).max() < 0.05 * found.score.std(axis=0).max()
    for row, one in enumerate(explained(classifier, new)):
        (reason,) = [reason for reason in one.reasons if reason.concept == ISOTONIC]
        assert reason.words == "correction of the probability by isotonic calibration"
        assert reason.added == curves[row, classifier.classes_.tolist().index(one.of)]
        assert one.start + sum(part.added for part in one.reasons) == pytest.approx(one.score)


def test_every_kind_of_member_has_a_name_and_bagged_ones_use_it():
    assert set(UNNAMED) == set(KINDS)
    (one,) = explained(ENSEMBLES["bagged"](), table(1, seed=1)[0])
    assert one.reasons[0].words == "bags of boosted trees (no reasons available)"
    assert one.reasons[0].added + one.start == pytest.approx(one.score)


@pytest.mark.parametrize(
    ("column", "thing"),
    [
        ("fourier.aligned.w3.s0.weak", "lopsidedness"),
        ("fourier.aligned.w2.s5.strong", "outline"),
        ("fourier.deprojected.w3.s0.weak", "winding"),
        ("fourier.aligned.a4.r2", "outline"),
        ("fourier.context.a1.r0", "lopsidedness"),
    ],
)
def test_odd_orders_are_no_part_of_the_outline(column, thing):
    (index,) = concept_of((column,))
    assert CONCEPTS[index].name == thing


def test_the_main_reason_is_the_planted_property():
    classifier, (new, y) = ENSEMBLES["one"](), table(60, seed=1)
    for one, code in zip(explained(classifier, new), y, strict=True):
        if one.of == "barred" and code == 0:
            assert one.reasons[0].words == "a strong bar"
            assert one.reasons[0].feature == BAR
            assert one.reasons[0].share_below > 0.5
        if one.of == "flat" and code == 1:
            assert one.reasons[0].words == "an elongated outline"
            assert one.reasons[0].share_below < 0.5


def test_descriptions_agree_with_their_columns():
    classifier, (new, _) = ENSEMBLES["stack"](), table(60, seed=1)
    concepts = {concept.name: concept for concept in CONCEPTS}
    seen = set()
    for one in explained(classifier, new):
        for reason in one.reasons:
            concept = concepts.get(reason.concept)
            if reason.share_below is None or reason.feature not in concept.leads:
                continue
            little, much = reason.share_below < 0.35, reason.share_below > 0.65
            wanted = concept.much if much else concept.little if little else concept.some
            assert reason.words == wanted
            seen.add((concept.name, wanted))
    assert len(seen) == 9  # bar, outline and colour, each large, ordinary and small


def test_any_class_can_be_explained():
    classifier, (new, y) = ENSEMBLES["one"](), table(30, seed=1)
    barred = explained(classifier, new.select(np.flatnonzero(y == 1)), of="barred")
    assert {one.of for one in barred} == {"barred"}
    assert np.mean([one.predicted == "flat" for one in barred]) > 0.8
    for one in barred:
        listed = one.start + sum(reason.added for reason in one.reasons)
        assert listed == pytest.approx(one.score)
        assert sum(one.families.values()) == pytest.approx(one.score - one.start)
        assert list(one.probabilities.values()) == sorted(one.probabilities.values(), reverse=True)


def test_an_unknown_class():
    with pytest.raises(DataError, match="no class 'round'; choose from barred, flat, plain"):
        explained(ENSEMBLES["one"](), table(3)[0], of="round")


def test_pixels_that_only_a_network_sees_are_not_listed_and_all_adds_up(simulated):
    model = load_model("galaxy10")
    table = model.extractor_.extract(open_dataset(simulated).read([0, 50]))
    found = contributions_of(model, table, model.classify_table(table))
    assert any(name.startswith("planes.") for name in model.feature_names_)
    assert set(found.by_family()) == set(model.pipeline_.families) - {"planes"}
    total = found.start + found.features.sum(axis=2) + sum(found.others.values())
    np.testing.assert_allclose(total, found.score, atol=1e-9)
    assert np.abs(found.others["network"]).max() > 0
