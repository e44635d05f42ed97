"""Models in the format that runs no code."""

import io
import json
import zipfile

import joblib
import numpy as np
import pytest
import skops.io

from galfeat import GalaxyClassifier, load_model
from galfeat.ensemble.fine_tuned import FineTunedNetwork
from galfeat.errors import GalfeatWarning, ModelError
from galfeat.features import FeatureTable, columns
from galfeat.features.shipped_networks import START, shipped_network
from galfeat.model_io.classifier_file import ALLOWED, read_classifier, write_classifier
from galfeat.model_io.folder import save_model, share_model
from galfeat.model_io.manifest import SAFE, manifest_digest, sealed
from galfeat.model_io.rows import read_rows
from galfeat.model_io.trust import trust_list
from galfeat.pipeline import pipeline_from_dict
from galfeat.pipeline.members import KINDS

_TREES = {"n_estimators": 4}
_PARAMS = {"logistic": {"max_iter": 500}, "svm": {}}
_PLAIN_KINDS = [kind for kind in KINDS if kind not in ("cnn", "network")]


def _pipeline(kinds, balance="none"):
    members = [{"kind": kind, "params": _PARAMS.get(kind, _TREES)} for kind in kinds]
    return pipeline_from_dict(
        {
            "schema": 1,
            "name": "small",
            "description": "a small one",
            "features": {"families": ["colour"]},
            "balance": {"method": balance},
            "ensemble": {"combine": "stack", "members": members},
            "calibrate": {"folds": 2},
        }
    )


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    names = tuple(column.name for column in columns(("colour",)))
    values = rng.normal(size=(90, len(names))).astype(np.float32)
    values[:, :3] += 3 * np.eye(3)[np.arange(90) % 3]
    values[:, -1] = 0
    return FeatureTable(values, names, rng.integers(0, 256, (90, 16), dtype=np.uint8), {})


def _fitted(table, kinds=("lightgbm", "logistic"), balance="none"):
    return GalaxyClassifier(_pipeline(kinds, balance), cache="somewhere").fit_table(
        table, np.arange(90) % 3, class_names=("spiral", "edge-on", "smooth")
    )


@pytest.fixture
def folder(table, tmp_path, monkeypatch):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "home"))
    return save_model(_fitted(table), tmp_path / "model", training_digests=table.digests)


@pytest.mark.parametrize(
    ("kinds", "balance"),
    [((kind,), "none") for kind in _PLAIN_KINDS] + [(("lightgbm",), "bagging")],
)
def test_every_kind_of_member_comes_back_the_same(kinds, balance, table, tmp_path):
    classifier = _fitted(table, (*kinds, "logistic"), balance)
    write_classifier(classifier, tmp_path / SAFE)
    back = read_classifier((tmp_path / SAFE).read_bytes(), SAFE)
    expected, restored = (one.classify_table(table) for one in (classifier, back))
    assert restored.probabilities.tobytes() == expected.probabilities.tobytes()
    assert back.classes_.tolist() == ["spiral", "edge-on", "smooth"]
    assert back.cache is None
    assert back.extractor_.cache is None


def test_a_network_comes_back_too():
    member = FineTunedNetwork()
    member.classes_, member.network_ = np.arange(128), shipped_network(START)
    rows = np.random.default_rng(0).normal(size=(2, 20481)).astype(np.float32)
    back = skops.io.loads(skops.io.dumps(member), trusted=list(ALLOWED))
    assert np.array_equal(back.predict_proba(rows), member.predict_proba(rows))


def test_what_is_shared_needs_no_trust_and_nothing_is_unpickled(
    folder, table, tmp_path, monkeypatch
):
    expected = load_model(folder).classify_table(table).probabilities
    shared = share_model(folder, tmp_path / "shared")
    assert sorted(path.name for path in shared.iterdir()) == sorted(
        ["model.skops", "manifest.json", "rows.npz", "metrics.json", "README.md"]
    )
    trust_list().unlink()
    monkeypatch.setattr(joblib, "load", lambda file: pytest.fail("unpickled"))
    assert np.array_equal(load_model(shared).classify_table(table).probabilities, expected)
    assert np.array_equal(read_rows(shared).training, table.digests)
    assert share_model(shared, tmp_path / "shared").is_dir()


def _with_file(shared, content):
    """Replace the model of a folder as somebody would who knows how a manifest is made."""
    (shared / SAFE).write_bytes(content)
    manifest = json.loads((shared / "manifest.json").read_text())
    manifest.pop("sha256")
    (shared / "manifest.json").write_text(json.dumps(sealed(manifest, shared, manifest["files"])))


def test_a_type_that_is_not_allowed_is_refused_by_name(folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    hostile = load_model(folder)
    hostile.after_ = np.vectorize(print)
    _with_file(shared, skops.io.dumps(hostile))
    with pytest.raises(ModelError, match=r"contains builtins.print|contains .*vectorize"):
        load_model(shared)


@pytest.mark.parametrize("name", ["../payload", "extra.txt"])
def test_files_that_are_no_models_are_neither_read_nor_written(name, folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    (shared / name).write_text("echo\n")
    manifest = json.loads((shared / "manifest.json").read_text())
    names = [*manifest["files"], name]
    manifest.pop("sha256")
    (shared / "manifest.json").write_text(json.dumps(sealed(manifest, shared, names)))
    for use in (load_model, lambda one: share_model(one, tmp_path / "deep" / "again")):
        with pytest.raises(ModelError, match="damaged"):
            use(shared)


@pytest.mark.parametrize("key", ["versions", "files", "classes", "label_column"])
def test_a_manifest_that_lacks_something_is_refused(key, folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    manifest = json.loads((shared / "manifest.json").read_text())
    del manifest[key], manifest["sha256"]
    manifest["sha256"] = manifest_digest(manifest)
    (shared / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="damaged"):
        load_model(shared)


def test_a_shared_model_names_the_versions_it_was_written_with(folder, tmp_path):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"] |= {"numpy": "1.0"}
    manifest["sha256"] = manifest_digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.warns(GalfeatWarning, match=r"numpy 1\.0"):
        shared = share_model(folder, tmp_path / "shared", trust=True)
    load_model(shared)


def test_what_is_no_classifier_is_refused(folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    _with_file(shared, skops.io.dumps({"classes_": np.arange(3)}))
    with pytest.raises(ModelError, match="is a dict; expected a GalaxyClassifier"):
        load_model(shared)


def test_a_pickle_under_the_name_of_the_safe_form_is_not_opened(folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    _with_file(shared, (folder / "model.joblib").read_bytes())
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(shared)


def test_no_folder_is_written_to_that_the_file_names(folder, tmp_path):
    shared, chosen = share_model(folder, tmp_path / "shared"), str(tmp_path / "chosen")
    hostile = load_model(folder)
    hostile.set_params(cache=chosen)
    hostile.extractor_.set_params(cache=chosen)
    _with_file(shared, skops.io.dumps(hostile))
    loaded = load_model(shared)
    assert (loaded.cache, loaded.extractor_.cache) == (None, None)


def test_the_safe_form_holds_no_pickle(folder, tmp_path):
    shared = share_model(folder, tmp_path / "shared")
    with zipfile.ZipFile(io.BytesIO((shared / SAFE).read_bytes())) as archive:
        for name in archive.namelist():
            assert name == "schema.json" or name.endswith((".npy", ".bin", ".npz")), name
