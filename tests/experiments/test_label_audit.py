"""Planted mislabels are ranked first, and nothing predicts itself."""

import numpy as np
import pytest

from galfeat.classifier import GalaxyClassifier
from galfeat.data import ArrayDataSet
from galfeat.data.duplicates import find_groups
from galfeat.data.simulation import simulate
from galfeat.errors import DataError, ImageError
from galfeat.experiments import audit
from galfeat.experiments.label_audit import check_audit
from galfeat.features import FeatureTable, columns, measure_images
from galfeat.frame import Flag
from galfeat.pipeline import load_pipeline


def flipped(labels, share, seed):
    """Return labels of which a share is replaced by another class, and the rows changed."""
    rng = np.random.default_rng(seed)
    present, y = np.unique(labels, return_inverse=True)
    rows = rng.choice(len(y), round(share * len(y)), replace=False)
    y[rows] = (y[rows] + rng.integers(1, len(present), len(rows))) % len(present)
    return present[y], rows


def audited(labels, table, quick_pipeline, **options):
    dataset = ArrayDataSet(np.zeros((len(labels), 16, 16, 3), np.uint8), labels=labels)
    grouping = options.pop("grouping", None) or find_groups(table.digests, labels=dataset.labels)
    return audit(GalaxyClassifier(quick_pipeline), dataset, table, grouping, **options)


@pytest.fixture(scope="module")
def galaxies(quick_pipeline):
    """320 simulated galaxies of three classes, and their features."""
    simulation = simulate(320, seed=17, class_counts=[0, 0, 100, 0, 0, 0, 0, 100, 120, 0])
    pipeline = load_pipeline(quick_pipeline)
    table = measure_images(simulation.images, pipeline.families)
    return np.array([f"class {label}" for label in simulation.labels]), table


@pytest.mark.parametrize("seed", [0, 1])
def test_most_of_the_first_tenth_are_planted_mislabels(galaxies, quick_pipeline, seed):
    truth, table = galaxies
    labels, planted = flipped(truth, 0.1, seed)
    result = audited(labels, table, quick_pipeline, seed=seed)
    first = result.ranked[: len(planted)]
    assert np.isin(first, planted).mean() >= 0.7
    assert np.isin(planted, np.flatnonzero(result.probable)).mean() >= 0.7


def random_table(n, families, seed=0):
    names = tuple(column.name for column in columns(families))
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, len(names))).astype(np.float32)
    values[:, -1] = 0
    return FeatureTable(values, names, rng.integers(1, 256, (n, 16), dtype=np.uint8), {})


def two_classes(n):
    return np.where(np.arange(n) % 2, "disc", "smooth")


def test_copies_do_not_predict_each_other(quick_pipeline):
    """Each galaxy occurs twice, with random labels: without groups its copy would reveal them."""
    pipeline = load_pipeline(quick_pipeline)
    pairs = np.repeat(np.arange(80), 2)
    table = random_table(80, pipeline.families).select(pairs)
    labels = np.where(np.random.default_rng(5).random(80) < 0.5, "disc", "smooth")[pairs]
    result = audited(labels, table, quick_pipeline)
    assert 0.3 < (result.quality > 0.5).mean() < 0.7
    apart = find_groups(random_table(160, pipeline.families, seed=1).digests)
    leaking = audited(labels, table, quick_pipeline, grouping=apart)
    assert (leaking.quality > 0.5).mean() > 0.8


def test_conflicting_rows_are_predicted_but_not_fitted(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    table, labels = random_table(60, pipeline.families), two_classes(60)
    table.values[:, 0] = labels == "disc"
    table.digests[[0, 1]] = table.digests[0]
    result = audited(labels, table, quick_pipeline)
    assert result.grouping.conflicting.nonzero()[0].tolist() == [0, 1]
    assert np.isfinite(result.probabilities).all()
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, atol=1e-6)
    # With other features, the conflicting rows would change the others if they were fitted.
    table.values[[0, 1], 0] = 100
    again = audited(labels, table, quick_pipeline)
    np.testing.assert_array_equal(again.probabilities[2:], result.probabilities[2:])


def test_small_classes_and_unreadable_images_are_listed_and_not_ranked(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    table, labels = random_table(63, pipeline.families), two_classes(63).astype("U8")
    labels[60:] = "rare"
    table.values[5] = np.nan
    table.errors[5] = ImageError("cut short")
    table.values[61, -1] = Flag.NO_SOURCE
    result = audited(labels, table, quick_pipeline)
    assert dict(result.unranked) == {"rare": 3}
    assert set(range(63)) - set(result.ranked.tolist()) == {5, 60, 61, 62}
    assert list(result.unreadable) == [5]
    assert list(result.not_galaxies) == [61]


@pytest.mark.parametrize("folds", [2, 3])
def test_few_folds_need_no_more_than_four_galaxies_of_a_class(quick_pipeline, folds):
    pipeline = load_pipeline(quick_pipeline)
    labels = np.array(["disc"] * 4 + ["smooth"] * 9)
    result = audited(labels, random_table(13, pipeline.families), quick_pipeline, folds=folds)
    assert len(result.ranked) == 13


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["disc"] * 20, "only one class"),
        (["disc"] * 20 + ["rare"] * 3, "class 'rare' has 3"),
        (["disc"] * 2 + ["rare"] * 3, "class 'disc' has 2"),
    ],
)
def test_fewer_than_two_classes_are_refused_early(labels, message):
    dataset = ArrayDataSet(np.zeros((len(labels), 16, 16, 3), np.uint8), labels=labels)
    with pytest.raises(DataError, match=message):
        check_audit(dataset, 5)


def test_repeats_are_averaged_and_reproducible(quick_pipeline):
    pipeline = load_pipeline(quick_pipeline)
    table, labels = random_table(60, pipeline.families), two_classes(60)
    one = audited(labels, table, quick_pipeline, folds=2)
    two = audited(labels, table, quick_pipeline, folds=2, repeats=2)
    assert not np.array_equal(one.probabilities, two.probabilities)
    same = audited(labels, table, quick_pipeline, folds=2, repeats=2)
    np.testing.assert_array_equal(same.probabilities, two.probabilities)
