import dataclasses

import numpy as np
import pytest

from galfeat import FeatureExtractor, GalaxyClassifier
from galfeat.data import simulation
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation import simulate
from galfeat.embedding import samples
from galfeat.ensemble import Ensemble
from galfeat.ensemble import simulated as rows_module
from galfeat.ensemble.balance import prior_shift
from galfeat.ensemble.simulated import (
    SimulatedRows,
    simulated_classes,
    simulated_counts,
    simulated_rows,
)
from galfeat.errors import PipelineError
from galfeat.pipeline import Member, Pipeline, SimulatedGalaxies

FEW = SimulatedGalaxies(number=40, weight=0.3)
EXTRACTOR = FeatureExtractor(["radial", "colour"], n_jobs=2)
MEMBERS = (Member("lightgbm"),)
NAMES = EXTRACTOR.get_feature_names_out().tolist()[:-1]


def rows_of(X, codes, weight=0.3):
    columns = np.arange(X.shape[1])
    return SimulatedRows(np.asarray(X, np.float32), columns, np.asarray(codes), weight)


def test_fine_and_coarse_classes_get_simulated_galaxies():
    assert simulated_classes(GALAXY10_DECALS).tolist() == list(range(10))
    coarse = simulated_classes(["Edge-on", "smooth", "star", "merger"])
    assert coarse.tolist() == [-1, 3, 1, 1, 1, -1, -1, -1, 0, 0]
    # A class of its own comes before the coarse class.
    assert simulated_classes(["smooth", "round smooth"])[2:5].tolist() == [1, 0, 0]
    assert simulated_counts(FEW, ["smooth", "star", "Disturbed"]).tolist() == [12, 0, 4]


def test_classes_without_a_simulated_counterpart_are_an_error():
    with pytest.raises(PipelineError, match=r"classes star, 3 cannot be simulated.*choose another"):
        simulated_classes(["star", "3"])


def test_each_class_has_the_same_total_weight_whatever_its_number_of_rows():
    rows = rows_of(np.zeros((6, 1)), [0, 0, 0, 0, 0, 2], weight=0.4)
    weights = rows.row_weights(90.0, 3)
    assert np.bincount(rows.codes, weights) == pytest.approx([12.0, 0.0, 12.0])


def test_probabilities_return_to_the_natural_frequencies():
    """From features that carry no information, only frequencies can be learned."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [300, 75, 25])
    X = rng.normal(size=(400, 4)).astype(np.float32)
    rows = rows_of(rng.normal(size=(300, 4)), np.repeat([1, 2], 150), weight=1.0)
    for member in (Member("logistic", {"C": 1e-4}), Member("random-forest", {"max_depth": 1})):
        shift = prior_shift(member, "simulate", natural := np.bincount(y) / 400, rows)
        ensemble = Ensemble((member,), balance="simulate", calibration="none")
        ensemble.fit(X, y, simulated=rows)
        assert ensemble.predict_proba(X).mean(axis=0) == pytest.approx(natural, abs=0.03)
        trained = (natural + np.array([0, 1 / 3, 1 / 3])) / (1 + 2 / 3)
        assert np.exp(shift) == pytest.approx(natural / trained)


def test_a_class_with_few_galaxies_is_learned_from_simulated_ones(make_table, log_loss):
    weights = [0.80, 0.18, 0.02]
    X, y = make_table(200, weights, distance=2.5)
    fresh, truth = make_table(3000, weights, distance=2.5, seed=1)
    drawn, codes = make_table(600, [1 / 3] * 3, distance=2.5, seed=2)
    members = (Member("lightgbm", {"n_estimators": 60, "min_child_samples": 5}),)
    plain = Ensemble(members).fit(X, y)
    helped = Ensemble(members, balance="simulate").fit(X, y, simulated=rows_of(drawn, codes))
    rare = truth == 2
    assert log_loss(helped.predict_proba(fresh), truth) < log_loss(
        plain.predict_proba(fresh), truth
    )
    recall = [np.mean(model.predict(fresh)[rare] == 2) for model in (plain, helped)]
    assert recall[1] > recall[0] + 0.1


def test_combination_and_calibration_never_see_simulated_rows(make_table):
    """Simulated rows with wrong labels mislead the member, but calibration on real rows tells."""
    X, y = make_table(400, [0.5, 0.5], distance=4.0)
    drawn, codes = make_table(400, [0.5, 0.5], distance=4.0, seed=1)
    wrong = rows_of(drawn, 1 - codes, weight=30.0)
    member = Member("logistic", {"C": 1.0})
    ensemble = Ensemble((member,), balance="simulate").fit(X, y, simulated=wrong)
    assert ensemble.predict_proba(X).max() < 0.6
    assert ensemble.priors_ == pytest.approx([0.5, 0.5])


def test_networks_and_balanced_forests_get_real_rows_only(make_table):
    X, y = make_table(200, [0.7, 0.3])
    rows = rows_of(np.full((10, X.shape[1]), 50.0), np.zeros(10, int), weight=5.0)
    member = Member("balanced-forest", {"n_estimators": 20})
    plain = Ensemble((member,)).fit(X, y).predict_proba(X)
    same = Ensemble((member,), balance="simulate").fit(X, y, simulated=rows).predict_proba(X)
    assert np.array_equal(plain, same)


def test_simulated_rows_are_required_and_used_by_this_method_only(make_table):
    X, y = make_table(200, [0.7, 0.3])
    with pytest.raises(PipelineError, match="no simulated rows; give them to fit"):
        Ensemble(balance="simulate").fit(X, y)
    rows = rows_of(np.zeros((10, X.shape[1])), np.zeros(10, int))
    member = (Member("logistic"),)
    plain = Ensemble(member).fit(X, y).predict_proba(X)
    assert np.array_equal(plain, Ensemble(member).fit(X, y, simulated=rows).predict_proba(X))


def test_soft_labels_take_simulated_rows(make_table):
    X, y = make_table(200, [0.7, 0.3])
    fractions = np.where(np.eye(2)[y] > 0, 0.9, 0.1)
    rows = rows_of(X[:20] + 50, np.ones(20, int), weight=0.5)
    ensemble = Ensemble((Member("logistic"),), balance="simulate", calibration="none")
    ensemble.fit_soft(X, fractions, simulated=rows)
    assert ensemble.predict_proba(X[:5] + 50).argmax(axis=1).tolist() == [1] * 5


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    return drawn_rows(_extractor(folder))


def _extractor(folder, jobs=1):
    return FeatureExtractor(["radial", "colour"], n_jobs=jobs, cache=folder)


def drawn_rows(extractor, settings=FEW, seed=3):
    return simulated_rows(settings, GALAXY10_DECALS, extractor, NAMES, MEMBERS, seed=seed)


def test_rows_are_equally_many_of_each_class_and_finite(rows):
    assert np.bincount(rows.codes).tolist() == [4] * 10
    assert rows.columns.tolist() == list(range(len(NAMES)))
    assert np.isfinite(rows.features).mean() > 0.99
    assert len(np.unique(rows.features, axis=0)) == 40


@pytest.mark.parametrize("fault", [None, b"", b"PK\x03\x04 not a zip file", "cut"])
def test_a_stored_or_damaged_file_gives_the_same_rows(rows, tmp_path, fault):
    def drawn(jobs):
        rows_module._stored_rows.cache_clear()
        return simulated_rows(
            FEW, GALAXY10_DECALS, _extractor(tmp_path, jobs), NAMES, MEMBERS, seed=3
        )

    first = drawn(2)
    (file,) = tmp_path.glob("simulated-*.npz")
    if fault is not None:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if fault == "cut" else fault)
    for again in (first, drawn(1)):
        assert np.array_equal(again.features, rows.features, equal_nan=True)
        assert again.codes.tolist() == rows.codes.tolist()


def test_another_seed_number_or_rendering_gives_other_rows(rows, tmp_path):
    for settings, seed in ((FEW, 4), (dataclasses.replace(FEW, renderings=("sdss",)), 3)):
        other = simulated_rows(
            settings, GALAXY10_DECALS, _extractor(tmp_path), NAMES, MEMBERS, seed=seed
        )
        assert len(other.features) == 40
        assert not np.array_equal(other.features, rows.features, equal_nan=True)
    assert len(list(tmp_path.glob("simulated-*.npz"))) == 2


def test_without_a_writable_cache_rows_are_drawn_anew(rows, tmp_path):
    rows_module._stored_rows.cache_clear()
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "cache"
    again = drawn_rows(_extractor(folder))
    assert np.array_equal(again.features, rows.features, equal_nan=True)


def test_no_galaxy_is_one_that_a_shipped_network_learned_from(monkeypatch):
    """Networks draw theirs from 32-bit seeds; these are larger."""
    drawn, learned = [], []

    def record(into):
        def draw(n, *, seed, **settings):
            into.append(seed)
            raise StopIteration

        return draw

    monkeypatch.setattr(rows_module, "simulate", record(drawn))
    monkeypatch.setattr(samples, "simulate", record(learned))
    for seed in range(20):
        with pytest.raises(RuntimeError):
            next(rows_module._drawn(FEW, seed, 1))
        with pytest.raises(StopIteration):
            samples._simulated_block([seed, 0], "sdss", 1)
    assert min(drawn) >= 2**32 > max(learned)
    assert len(set(drawn)) == 20


def test_only_columns_that_members_need_are_measured(tmp_path):
    extractor = FeatureExtractor(["radial", "colour", "pixels"], cache=tmp_path)
    names = extractor.get_feature_names_out().tolist()[:-1]
    members = (Member("svm", families=("colour",)), Member("cnn"))
    rows = simulated_rows(FEW, GALAXY10_DECALS, extractor, names, members, seed=3)
    used = [names[column] for column in rows.columns]
    assert used == [name for name in names if name.startswith("colour.")]
    everything = simulated_rows(FEW, GALAXY10_DECALS, extractor, names, MEMBERS, seed=3)
    assert everything.columns.tolist() == list(range(len(names)))
    part = everything.restricted(rows.columns)
    assert np.array_equal(part.features, rows.features, equal_nan=True)


def test_a_pipeline_whose_members_take_no_simulated_galaxies_is_an_error(tmp_path):
    with pytest.raises(PipelineError, match="no member takes simulated galaxies"):
        simulated_rows(
            FEW, GALAXY10_DECALS, _extractor(tmp_path), NAMES, (Member("network"),), seed=3
        )


@pytest.mark.parametrize("labels", [GALAXY10_DECALS, simulation.Simulation.__name__])
def test_a_classifier_draws_galaxies_by_the_names_of_its_classes(labels, tmp_path):
    drawn = simulate(20, seed=5, class_counts=[4, 0, 4, 0, 0, 4, 0, 0, 4, 4])
    if labels == GALAXY10_DECALS:
        y = np.array(GALAXY10_DECALS)[drawn.labels]
    else:
        y = drawn.labels  # numbers are not names of classes
    member = Member("logistic")
    pipeline = Pipeline("few", "", ("radial",), (member,), balance="simulate", simulated=FEW)
    classifier = GalaxyClassifier(pipeline, cache=tmp_path)
    if labels != GALAXY10_DECALS:
        with pytest.raises(PipelineError, match="classes 0, 2, 5, 8, 9 cannot be simulated"):
            classifier.fit(list(drawn.images), y)
        return
    one = classifier.fit(list(drawn.images), y).predict_proba(drawn.images)
    two = classifier.set_params(n_jobs=2).fit(list(drawn.images), y).predict_proba(drawn.images)
    assert np.array_equal(one, two)
    real = dataclasses.replace(pipeline, balance="none")
    plain = GalaxyClassifier(real).fit(list(drawn.images), y).predict_proba(drawn.images)
    assert not np.array_equal(one, plain)
