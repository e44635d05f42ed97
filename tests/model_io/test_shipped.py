"""The shipped models: complete, trusted, and reproducible with all supported libraries.

``python tests/model_io/test_shipped.py`` updates the expected probabilities of new models.
"""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from galfeat import load_model
from galfeat.data.readers.folder import TRAINING_FILE
from galfeat.features.quantiles import LEVELS
from galfeat.model_io.manifest import CARD, METRICS, read_manifest
from galfeat.model_io.shipped import DEFAULT, OF_SIMULATED, SHIPPED, model_folder, names_model
from galfeat.storage.packaged import data_folder

EXPECTED = Path(__file__).parent / "shipped_probabilities.json"
MAX_BYTES = 15_000_000
REAL = [name for name in SHIPPED if name != OF_SIMULATED]


def _probabilities(name):
    """Return probabilities for synthetic galaxies: random quantiles of each feature."""
    model, rng = load_model(name), np.random.default_rng(0)
    table = rng.normal(size=(20, len(model.feature_names_))).astype(np.float32)
    for column, feature in enumerate(model.feature_names_):
        if feature in model.quantiles_:
            table[:, column] = np.interp(rng.uniform(size=20), LEVELS, model.quantiles_[feature])
    return model.ensemble_.combined(model.ensemble_.member_log_probabilities(table))


@pytest.fixture(autouse=True)
def nothing_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "home"))


def test_all_shipped_folders_are_listed():
    with_model = {path.parent.name for path in data_folder("models").glob("*/manifest.json")}
    assert with_model == set(SHIPPED)
    assert {DEFAULT, OF_SIMULATED} <= set(SHIPPED)
    assert next(iter(SHIPPED)) == DEFAULT


@pytest.mark.parametrize("name", SHIPPED)
def test_its_digest_is_pinned_and_it_is_small(name):
    folder = model_folder(name)
    assert read_manifest(folder)["sha256"] == SHIPPED[name]
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES


@pytest.mark.parametrize("name", SHIPPED)
def test_it_predicts_the_same_with_every_library(name):
    expected = json.loads(EXPECTED.read_text())[name]
    assert _probabilities(name) == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_its_members_can_be_inspected_with_every_library(name):
    for member in load_model(name).ensemble_.members_:
        assert type(member).__name__ in repr(member)
        assert clone(member).get_params().keys() == member.get_params().keys()


@pytest.mark.parametrize("name", REAL)
def test_its_training_galaxies_are_listed(name):
    folder = model_folder(name)
    manifest = read_manifest(folder)
    with (folder / TRAINING_FILE).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == manifest["n_training"]
    assert len({row["object"] for row in rows}) == len(rows)
    column = "coarse" if manifest["label_column"] == "coarse" else "class_name"
    assert {row[column] for row in rows} == set(manifest["classes"])
    assert {row["survey"] for row in rows} <= {"SDSS", "DECaLS"}


@pytest.mark.parametrize("name", REAL)
def test_its_card_describes_data_and_scores(name):
    card = (model_folder(name) / CARD).read_text(encoding="utf-8")
    for heading in ("Data", "Known failures", "Classes", "Scores", "Use", "Limits"):
        assert re.search(rf"^## {heading}", card, re.MULTILINE), heading
    metrics = json.loads((model_folder(name) / METRICS).read_text())["cross_validation"]
    assert f"{metrics['macro_f1']['mean']:.3f}" in card
    for class_name in metrics["classes"]:
        scores = metrics["per_class"][class_name]
        assert re.search(rf"\| {class_name} \| {scores['support']:,} \| .* to .*\) \|", card)
        assert f"| {scores['f1']:.2f} (" in card


def test_a_model_of_the_same_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_folder(DEFAULT) == data_folder("models") / DEFAULT
    Path(DEFAULT).mkdir()  # of images, say
    assert model_folder(DEFAULT) == data_folder("models") / DEFAULT
    (Path(DEFAULT) / "manifest.json").touch()
    assert model_folder(DEFAULT) == Path(DEFAULT)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (DEFAULT, True), ("no-such-model", True), ("a.jpg", False), ("gone.jpg", False),
        ("cutouts", False), ("*.png", False), ("fitted", True), ("damaged", True),
    ],
)  # fmt: skip
def test_models_are_distinguished_from_images(text, is_one, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").touch()
    for folder in ("cutouts", "fitted", "damaged"):
        Path(folder).mkdir()
    Path("fitted/manifest.json").touch()
    Path("damaged/model.joblib").touch()
    assert names_model(text) == is_one


if __name__ == "__main__":
    probabilities = {name: np.round(_probabilities(name), 7).tolist() for name in SHIPPED}
    EXPECTED.write_text(json.dumps(probabilities) + "\n", encoding="utf-8")
