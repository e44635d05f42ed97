import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest

import galfeat
from galfeat import GalaxyClassifier, load_model
from galfeat.errors import GalfeatWarning, ModelError, OutputError
from galfeat.features import FeatureTable, columns
from galfeat.model_io.folder import save_model
from galfeat.model_io.manifest import SCHEMA, manifest_digest, read_manifest
from galfeat.model_io.rows import read_rows
from galfeat.model_io.trust import add_trusted, is_trusted, trust_list
from galfeat.pipeline import pipeline_from_dict

FILES = ("model.joblib", "manifest.json", "rows.npz", "metrics.json", "README.md")

PIPELINE = pipeline_from_dict(
    {
        "schema": 1,
        "name": "small",
        "description": "a small one",
        "features": {"families": ["colour"]},
        "ensemble": {
            "combine": "stack",
            "members": [
                {"kind": "lightgbm", "params": {"n_estimators": 5, "min_child_samples": 3}},
                {"kind": "xgboost", "params": {"n_estimators": 5}},
                {"kind": "balanced-forest", "params": {"n_estimators": 5}},
                {"kind": "svm"},
            ],
        },
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
    digests = rng.integers(0, 256, size=(90, 16), dtype=np.uint8)
    return FeatureTable(values, names, digests, {})


@pytest.fixture(scope="module")
def classifier(table):
    names = ("spiral", "edge-on", "smooth")
    return GalaxyClassifier(PIPELINE, cache="somewhere").fit_table(
        table, np.arange(90) % 3, class_names=names
    )


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("GALFEAT_HOME", str(folder))
    return folder


@pytest.fixture
def folder(classifier, table, tmp_path):
    return save_model(
        classifier,
        tmp_path / "model",
        training_digests=table.digests[:70],
        held_out_digests=table.digests[70:],
        data_digest="abc",
        seed=3,
        metrics={"accuracy": {"value": 0.91234, "low": 0.85, "high": np.float64(0.95)}},
        label_column="class_id",
    )


def rewrite_manifest(folder, **changes):
    """Change the manifest as somebody would who knows how it is made."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    manifest["sha256"] = manifest_digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    add_trusted(manifest["sha256"], folder)


def test_a_loaded_model_predicts_bit_identically(folder, classifier, table):
    expected = classifier.classify_table(table)
    for loaded in (load_model(folder), joblib.load(folder / "model.joblib")):
        predictions = loaded.classify_table(table)
        assert predictions.probabilities.tobytes() == expected.probabilities.tobytes()
        assert predictions.classes.tolist() == ["spiral", "edge-on", "smooth"]


def test_the_folder_contains_the_files_of_the_manifest(folder, classifier, table):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    manifest = read_manifest(folder)
    assert set(manifest["files"]) == {*FILES} - {"manifest.json"}
    assert manifest["classes"] == ["spiral", "edge-on", "smooth"]
    assert manifest["priors"] == pytest.approx([1 / 3] * 3)
    assert tuple(manifest["feature_names"]) == classifier.feature_names_
    assert pipeline_from_dict(manifest["pipeline"]) == PIPELINE
    assert manifest["decision"] == "balanced"
    assert manifest["label_column"] == "class_id"
    assert (manifest["seed"], manifest["data_digest"]) == (3, "abc")
    assert (manifest["n_training"], manifest["n_held_out"]) == (70, 20)
    assert manifest["versions"]["galfeat"] == galfeat.__version__
    assert {"scikit-learn", "lightgbm", "xgboost", "numpy"} <= set(manifest["versions"])
    assert json.loads((folder / "metrics.json").read_text())["accuracy"]["high"] == 0.95


def test_the_rows_come_back(folder, table):
    rows = read_rows(folder)
    assert np.array_equal(rows.training, table.digests[:70])
    assert np.array_equal(rows.held_out, table.digests[70:])
    assert rows.training.dtype == np.uint8


def test_fingerprints_are_stored_and_their_shape_is_checked(classifier, table, tmp_path):
    marks = np.arange(70 * 184).astype(np.uint8).reshape(70, 184)
    digests = table.digests[:70]
    folder = save_model(
        classifier, tmp_path / "m", training_digests=digests, training_fingerprints=marks
    )
    assert np.array_equal(read_rows(folder).fingerprints, marks)
    folder = save_model(
        classifier, tmp_path / "m", training_digests=digests, training_fingerprints=marks[:, :9]
    )
    with pytest.raises(ModelError, match="fingerprints"):
        read_rows(folder)
    rows = read_rows(save_model(classifier, tmp_path / "m", training_digests=digests))
    assert rows.fingerprints is None
    assert not rows.copied(np.zeros((2, 1216), np.uint8)).any()


def test_the_card_names_classes_scores_and_how_to_load(folder):
    card = (folder / "README.md").read_text()
    for text in ("spiral", "0.3333", "accuracy | 0.912 (0.850 to 0.950)", "load_model", "svm"):
        assert text in card


def test_numbers_that_json_cannot_represent_become_null(classifier, table, tmp_path):
    metrics = {"ece": float("nan"), "confusion": np.eye(2, dtype=int), "n": np.int64(3)}
    folder = save_model(classifier, tmp_path / "m", training_digests=table.digests, metrics=metrics)
    saved = json.loads((folder / "metrics.json").read_text())
    assert saved == {"ece": None, "confusion": [[1, 0], [0, 1]], "n": 3}


def test_saving_leaves_the_classifier_as_it_was_and_its_cache_out(folder, classifier):
    assert classifier.cache == "somewhere"
    assert classifier.extractor_.cache == "somewhere"
    loaded = load_model(folder)
    assert (loaded.cache, loaded.extractor_.cache, loaded.n_jobs) == (None, None, 1)
    assert loaded.pipeline == PIPELINE


def test_a_model_takes_the_place_of_another_whole(folder, classifier, table):
    save_model(classifier, folder, training_digests=table.digests[:5])
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert len(read_rows(folder).training) == 5


@pytest.mark.parametrize("name", ["notes.txt", "index.html"])
def test_a_folder_with_other_files_is_not_replaced(name, folder, classifier, table):
    (folder / name).write_text("precious")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OutputError, match="holds other things"):
        save_model(classifier, folder, training_digests=table.digests[:5])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_somebody_elses_manifest_makes_no_model(tmp_path, classifier, table):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match="holds other things"):
        save_model(classifier, tmp_path / "web", training_digests=table.digests[:5])


def test_the_old_model_stays_where_the_trust_list_cannot_be_written(
    folder, classifier, table, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "file" / "home"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OutputError):
        save_model(classifier, folder, training_digests=table.digests[:5])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_anywhere_is_found_before_anything_is_unpickled(name, folder, monkeypatch):
    contents = bytearray((folder / name).read_bytes())
    contents[len(contents) // 2] ^= 1
    (folder / name).write_bytes(contents)
    monkeypatch.setattr(joblib, "load", lambda file: pytest.fail("unpickled"))
    with pytest.raises(ModelError, match="is damaged"):
        load_model(folder, trust=True)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name, folder):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"incomplete: cannot read {name}"):
        load_model(folder)


def test_a_missing_folder(tmp_path):
    with pytest.raises(ModelError, match="there is no model folder"):
        load_model(tmp_path / "absent")


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_model_of_somebody_else_runs_no_code_unless_trusted(folder, home, tmp_path):
    crater = tmp_path / "crater"
    (folder / "model.joblib").write_bytes(pickle.dumps(Bomb(crater)))
    digest = hashlib.sha256((folder / "model.joblib").read_bytes()).hexdigest()
    files = read_manifest(folder)["files"] | {"model.joblib": digest}
    rewrite_manifest(folder, files=files)
    trust_list().unlink()
    with pytest.raises(ModelError, match="not in your list of trusted models"):
        load_model(folder)
    assert not crater.exists()


def test_trust_once_is_trust_from_then_on(folder, classifier, table):
    trust_list().unlink()
    with pytest.raises(ModelError, match="--trust"):
        load_model(folder)
    load_model(folder, trust=True)
    assert load_model(folder).classes_.tolist() == ["spiral", "edge-on", "smooth"]


@pytest.mark.parametrize("version", ["0.0.9", "0.9.0", "1.1.0"])
def test_another_minor_version_of_galfeat_is_refused(version, folder):
    rewrite_manifest(folder, versions=read_manifest(folder)["versions"] | {"galfeat": version})
    with pytest.raises(ModelError, match=rf"saved by galfeat {version}"):
        load_model(folder)


def test_another_patch_of_galfeat_is_not(folder):
    rewrite_manifest(folder, versions=read_manifest(folder)["versions"] | {"galfeat": "0.2.99"})
    load_model(folder)


def test_another_schema_is_refused(folder):
    rewrite_manifest(folder, schema=SCHEMA + 1)
    with pytest.raises(ModelError, match=f"schema {SCHEMA + 1}; this galfeat reads {SCHEMA}"):
        load_model(folder)


def test_a_changed_library_version_is_reported(folder):
    versions = read_manifest(folder)["versions"] | {"lightgbm": "3.0.0"}
    rewrite_manifest(folder, versions=versions)
    with pytest.warns(GalfeatWarning, match=r"saved with lightgbm 3.0.0 \(installed: "):
        load_model(folder)


def test_a_model_the_libraries_cannot_read_names_their_versions(folder):
    broken = b"cgalfeat.ensemble.forests\nVanishedForest\n."  # a class of another version
    (folder / "model.joblib").write_bytes(broken)
    manifest = read_manifest(folder)
    digest = hashlib.sha256(broken).hexdigest()
    rewrite_manifest(
        folder,
        files=manifest["files"] | {"model.joblib": digest},
        versions=manifest["versions"] | {"scikit-learn": "1.0.0"},
    )
    with pytest.raises(ModelError, match=r"cannot be read.*scikit-learn 1.0.0"):
        load_model(folder)


@pytest.mark.parametrize("contents", ["not json", "[]", "3"])
def test_a_manifest_that_is_none(contents, folder):
    (folder / "manifest.json").write_text(contents)
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_every_pickled_class_is_galfeats_or_a_librarys(classifier):
    modules = set()

    class Recorder(pickle.Unpickler):
        def find_class(self, module, name):
            modules.add(module.split(".")[0])
            return super().find_class(module, name)

    Recorder(io.BytesIO(pickle.dumps(classifier))).load()
    libraries = {"numpy", "sklearn", "lightgbm", "xgboost", "imblearn"}
    assert modules - libraries - {*sys.stdlib_module_names} == {"galfeat"}


def test_it_loads_where_other_modules_have_our_folders_names(folder, tmp_path):
    hostile = tmp_path / "hostile"
    for name in ("models", "pipelines", "cli"):
        (hostile / name).mkdir(parents=True)
        (hostile / name / "__init__.py").write_text("raise SystemExit('wrong module')")
    (hostile / "cli.py").write_text("raise SystemExit('wrong module')")
    code = (
        "import joblib, galfeat, sys;"
        f"a = joblib.load({str(folder / 'model.joblib')!r});"
        f"b = galfeat.load_model({str(folder)!r});"
        "print(a.classes_.tolist() == b.classes_.tolist(), galfeat.load_pipeline('lightgbm').name)"
    )
    root = os.path.dirname(os.path.dirname(galfeat.__file__))
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=hostile,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.strip() == "True lightgbm", process.stderr


def test_trusting_keeps_other_entries_and_many_at_once(home):
    add_trusted("first", "/somewhere")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add_trusted(f"digest {number}", "/m"), range(40)))
    entries = json.loads(trust_list().read_text())
    assert set(entries) == {"first", *(f"digest {number}" for number in range(40))}
    assert is_trusted("first")
    assert not is_trusted("other")


def test_the_default_location_of_the_list(monkeypatch, tmp_path):
    monkeypatch.delenv("GALFEAT_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert trust_list() == tmp_path / ".config" / "galfeat" / "trusted.json"


@pytest.mark.parametrize("contents", ["{", "[1]"])
def test_a_broken_list_is_an_error_and_not_modified(contents, home):
    home.mkdir()
    trust_list().write_text(contents)
    with pytest.raises(ModelError, match="repair or delete it"):
        add_trusted("digest", "/m")
    assert trust_list().read_text() == contents


def test_a_home_that_cannot_be_written(home, monkeypatch):
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="GALFEAT_HOME"):
        add_trusted("digest", "/m")
