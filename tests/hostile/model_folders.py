"""Small models, whole and taken apart, for the tests of hostile model folders."""

import io
import json
import shutil
import warnings
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat import GalaxyClassifier, load_model
from galfeat.cli import main
from galfeat.errors import ModelError
from galfeat.features import FeatureTable, columns
from galfeat.model_io import read_manifest, read_rows, save_model
from galfeat.model_io.folder import share_model
from galfeat.model_io.manifest import manifest_digest, read_metrics, sealed
from galfeat.pipeline import pipeline_from_dict
from galfeat.web.model_info import model_info

KINDS = ("lightgbm", "xgboost", "extra-trees", "svm", "logistic")
PARAMS = {"svm": {}, "logistic": {}, "lightgbm": {"n_estimators": 3, "min_child_samples": 3}}
CLASSES = ["spiral", "edge-on", "smooth"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a folder with the model `own`, which runs code, and `safe`, which does not."""
    pipeline = pipeline_from_dict(
        {
            "schema": 1,
            "name": "small",
            "description": "a small one",
            "features": {"families": ["colour"]},
            "ensemble": {
                "combine": "stack",
                "members": [
                    {"kind": kind, "params": PARAMS.get(kind, {"n_estimators": 3})}
                    for kind in KINDS
                ],
            },
            "calibrate": {"folds": 2},
        }
    )
    rng = np.random.default_rng(0)
    names = tuple(column.name for column in columns(("colour",)))
    values = rng.normal(size=(60, len(names))).astype(np.float32)
    values[:, :3] += 3 * np.eye(3)[np.arange(60) % 3]
    values[:, -1] = 0
    table = FeatureTable(values, names, rng.integers(0, 256, (60, 16), dtype=np.uint8), {})
    classifier = GalaxyClassifier(pipeline).fit_table(table, np.arange(60) % 3, class_names=CLASSES)
    folder = tmp_path_factory.mktemp("models")
    score = {"value": 0.9, "low": 0.8, "high": 0.95}
    save_model(
        classifier,
        folder / "own",
        training_digests=table.digests[:40],
        held_out_digests=table.digests[40:],
        metrics={
            "accuracy": score, "macro_f1": score, "n": 20, "classes": CLASSES,
            "confusion": np.eye(3) * 5,
        },
        label_column="class_id",
    )  # fmt: skip
    share_model(folder / "own", folder / "safe")
    return folder


@pytest.fixture
def own(models, tmp_path):
    return shutil.copytree(models / "own", tmp_path / "own")


@pytest.fixture
def safe(models, tmp_path):
    return shutil.copytree(models / "safe", tmp_path / "safe")


def reseal(folder, **changes):
    """Change a manifest, and make all digests right."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    manifest.pop("sha256", None)
    names = manifest["files"]
    manifest = sealed(manifest, folder, [name for name in names if (folder / name).is_file()])
    if "files" in changes:
        manifest = with_digest(manifest | {"files": changes["files"]})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return manifest["sha256"]


def with_digest(manifest):
    return manifest | {"sha256": manifest_digest(manifest)}


def use(folder):
    """Use a model in all ways; anything but success or a ModelError fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            manifest, metrics = read_manifest(folder), read_metrics(folder)
            model_info("model", manifest, metrics)
            read_rows(folder)
            classifier = load_model(folder)
            names = (*classifier.feature_names_, "flags")
            values = np.zeros((2, len(names)), np.float32)
            table = FeatureTable(values, names, np.zeros((2, 16), np.uint8), {})
            classifier.classify_table(table)
        except ModelError as error:
            return str(error)
    return None


def command(*arguments):
    """Return the one line of an error and the exit code of a command."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "unexpected" not in done.stderr, done.stderr
    return done.stderr.strip(), done.exit_code


def archive(members, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return stream.getvalue()


def members_of(path):
    with zipfile.ZipFile(path) as read:
        return {name: read.read(name) for name in read.namelist()}


def npy_header(shape):
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def with_schema(safe, change):
    """Change the tree of types of a model, and make all digests right."""
    members = members_of(safe / "model.skops")
    schema = json.loads(members["schema.json"])
    change(schema)
    (safe / "model.skops").write_bytes(
        archive(members | {"schema.json": json.dumps(schema).encode()})
    )
    reseal(safe)


def nodes(value):
    """Yield the objects of parsed JSON."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from nodes(item)


def arrays(schema):
    return [node for node in nodes(schema) if str(node.get("file")).endswith(".npy")]
