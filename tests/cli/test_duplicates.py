"""Copies of images and rows of one position are on one side of every split."""

import csv
import json

import h5py
import numpy as np
import pytest
from PIL import Image

from galfeat import GalaxyClassifier, open_dataset
from galfeat.cli.duplicates import find_duplicates
from galfeat.cli.inputs import sketch_all
from galfeat.data import pixel_digest
from galfeat.ensemble.folds import inner_folds
from galfeat.errors import DataError, GalfeatWarning
from galfeat.evaluate.splits import holdout
from galfeat.experiments.fits import LabelledRows
from galfeat.features import FeatureExtractor
from galfeat.features.selection import consistent_rows
from galfeat.model_io.rows import read_rows


def scaled(image, side):
    return Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS)


#: File name and how to save a copy of an image.
LEAKS = {
    "quality95.jpg": lambda image, path: Image.fromarray(image).save(path, quality=95),
    "quality60.jpg": lambda image, path: Image.fromarray(image).save(path, quality=60),
    "small.png": lambda image, path: scaled(image, 128).save(path),
    "large.jpg": lambda image, path: scaled(image, 400).save(path, quality=85),
    "turned.png": lambda image, path: Image.fromarray(np.rot90(image).copy()).save(path),
    "mirrored.jpg": lambda image, path: Image.fromarray(image[:, ::-1].copy()).save(path),
}


def write_table(folder, rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def leaky(simulated, tmp_path_factory):
    """A folder of 120 galaxies of ten classes, and a copy of every fifth."""
    folder = tmp_path_factory.mktemp("leaky")
    with h5py.File(simulated) as file:
        images, classes = file["images"][:], file["ans"][:]
    rows = []
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        Image.fromarray(image).save(folder / f"{number:03}.png")
        rows.append({"filename": f"{number:03}.png", "label": f"class {label}"})
    for number in range(0, 120, 5):
        kind = list(LEAKS)[number // 5 % len(LEAKS)]
        name = f"{number:03}-{kind}"
        LEAKS[kind](images[number], folder / name)
        rows.append({"filename": name, "label": rows[number]["label"]})
    write_table(folder, rows)
    return folder


def original(name):
    return str(name).rsplit("/", 1)[-1][:3]


def originals(dataset):
    return np.array([original(name) for name in dataset.ids])


def digest(path):
    with Image.open(path) as image:
        return pixel_digest(np.asarray(image))


def test_no_copy_is_held_out_while_another_is_fitted(galfeat, leaky, quick_pipeline, tmp_path):
    folder = tmp_path / "model"
    result = galfeat(
        "fit", leaky, "--pipeline", quick_pipeline, "-o", folder, "--test-size", 0.3, "--jobs", 1
    )
    assert "24 pairs of near-identical images" in result.stderr
    rows = read_rows(folder)
    sides = {}
    for path in sorted(leaky.glob("*.[pj]*g")):
        side = digest(path) in {known.tobytes() for known in rows.training}
        sides.setdefault(original(path), set()).add(side)
    assert set(map(len, sides.values())) == {1}
    duplicates = json.loads((folder / "metrics.json").read_text())["duplicates"]
    assert len(duplicates["near_identical"]) == len(duplicates["groups"]) == 24
    for pair in duplicates["near_identical"]:
        assert original(pair["rows"][0]) == original(pair["rows"][1])
        assert pair["correlation"] > 0.5
    # The scores of the held-out rows are those of the fit.
    galfeat("evaluate", folder, leaky, "--json", tmp_path / "scores.json", "--jobs", 1)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores == json.loads((folder / "metrics.json").read_text())


def test_copies_are_in_one_part_of_all_splits(leaky):
    readable, table = sketch_all(open_dataset(leaky).labelled(), 1)
    grouped = find_duplicates(readable, table, keep_conflicts=False)
    dataset = grouped.dataset
    assert len(np.unique(grouped.grouping.groups)) == 120
    for seed in range(3):
        train, test = holdout(dataset.labels, dataset.groups, 0.3, seed)
        assert not set(originals(dataset)[train]) & set(originals(dataset)[test])
    labelled = LabelledRows.of(dataset, table.digests, folds=4, repeats=2, seed=0)
    for _, _, train, test in labelled.splits:
        assert not set(originals(dataset)[train]) & set(originals(dataset)[test])


def test_copies_are_in_one_inner_fold_of_a_classifier(leaky):
    dataset = open_dataset(leaky)
    table = FeatureExtractor((), frame=False).extract(dataset, sketches=True)
    _, groups = consistent_rows(dataset, table)
    folds = inner_folds(dataset.labels, groups, 5, seed=0)
    assert all(len(set(folds[originals(dataset) == name])) == 1 for name in originals(dataset))
    apart = inner_folds(dataset.labels, None, 5, seed=0)
    assert any(len(set(apart[originals(dataset) == name])) > 1 for name in originals(dataset))


def test_a_classifier_joins_the_groups_of_a_data_set(leaky, quick_pipeline):
    dataset = open_dataset(leaky)
    table = FeatureExtractor(("colour", "radial")).extract(dataset, sketches=True)
    fitted = GalaxyClassifier(quick_pipeline).fit(dataset)
    _, groups = consistent_rows(dataset, table)
    joined = GalaxyClassifier(quick_pipeline).fit_table(
        table, dataset.labels, groups, dataset.class_names
    )
    expected = joined.classify_table(table).probabilities
    np.testing.assert_array_equal(fitted.classify(dataset).probabilities, expected)


def test_a_classifier_leaves_out_copies_with_another_class(leaky, quick_pipeline):
    dataset = open_dataset(leaky)
    copy = np.flatnonzero(np.char.find(dataset.ids, "-") >= 0)[0]
    fitted = []
    for wrong in (1, 2):
        labels = dataset.labels.copy()
        labels[copy] = (labels[copy] + wrong) % 10
        planted = dataset.relabelled(labels, dataset.class_names)
        with pytest.warns(GalfeatWarning, match="2 rows show a galaxy that other rows give"):
            fitted.append(GalaxyClassifier(quick_pipeline).fit(planted))
    # Neither wrong class had any influence.
    np.testing.assert_array_equal(*(model.classify(dataset).probabilities for model in fitted))


def test_a_classifier_refuses_data_in_which_every_galaxy_has_two_classes(leaky, quick_pipeline):
    pair = open_dataset(leaky).select([0, 0]).relabelled([0, 1], ["a", "b"])
    with pytest.raises(DataError, match="every galaxy has several rows with different classes"):
        GalaxyClassifier(quick_pipeline).fit(pair)


def test_copies_of_training_images_are_not_scored_or_classified_as_held_out(
    galfeat, leaky, quick_pipeline, tmp_path
):
    """As after a fit that did not know of them."""
    folder, data = tmp_path / "model", tmp_path / "data"
    data.mkdir()
    with open(leaky / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:120]:
        (data / row["filename"]).symlink_to(leaky / row["filename"])
    write_table(data, rows[:120])
    galfeat("fit", data, "--pipeline", quick_pipeline, "-o", folder, "--test-size", 0.3)
    training = {known.tobytes() for known in read_rows(folder).training}
    names = [row["filename"] for row in rows[:120]]
    copied = next(
        row for row in rows[120:] if digest(leaky / (row["filename"][:3] + ".png")) in training
    )
    (data / copied["filename"]).symlink_to(leaky / copied["filename"])
    write_table(data, [*rows[:120], copied])
    result = galfeat("evaluate", folder, data, "--jobs", 1)
    held_out = len(names) - len(training)
    assert f"scoring the {held_out} of 121 galaxies that were held out" in result.stdout
    result = galfeat("classify", folder, data, "--held-out", "-o", tmp_path / "classes.csv")
    assert f"{121 - held_out} of 121 images are training rows" in result.stderr
    assert copied["filename"] not in (tmp_path / "classes.csv").read_text()


def test_copies_are_recognised_without_their_originals(galfeat, leaky, quick_pipeline, tmp_path):
    folders = {"originals": tmp_path / "originals", "copies": tmp_path / "copies"}
    with open(leaky / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    parts = {"originals": rows[:120], "copies": rows[120:]}
    for name, folder in folders.items():
        folder.mkdir()
        for row in parts[name]:
            (folder / row["filename"]).symlink_to(leaky / row["filename"])
        write_table(folder, parts[name])
    model = tmp_path / "model"
    galfeat("fit", folders["originals"], "--pipeline", quick_pipeline, "-o", model, "--jobs", 1)
    result = galfeat("evaluate", model, folders["copies"], "--jobs", 1, code=4)
    assert "24 of 24 images were used to fit this model, or show the same galaxy" in result.stderr
    result = galfeat("evaluate", model, folders["copies"], "--include-training", "--jobs", 1)
    assert "caution: 24 of these 24 galaxies are training galaxies" in result.stdout


@pytest.fixture(scope="module")
def contradictory(leaky, tmp_path_factory):
    """The same data with one copy of another class, and two rows of one position and two."""
    folder = tmp_path_factory.mktemp("contradictory")
    with open(leaky / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        (folder / row["filename"]).symlink_to(leaky / row["filename"])
        row |= {"ra": 10 + number / 10, "dec": 3, "group_id": ""}
    rows[120]["label"] = "class 9"  # a copy of row 0, of class 0
    rows[50]["ra"] = rows[1]["ra"] + 1 / 3600
    assert rows[50]["label"] != rows[1]["label"]
    write_table(folder, rows)
    return folder


def test_rows_with_two_classes_are_left_out(galfeat, contradictory, quick_pipeline, tmp_path):
    arguments = ["fit", contradictory, "--pipeline", quick_pipeline, "--test-size", 0.3]
    result = galfeat(*arguments, "-o", tmp_path / "model", "--jobs", 1)
    assert "1 row at the position of an earlier row" in result.stderr
    assert "5 rows show 2 galaxies with different classes, and are left out" in result.stderr
    assert "000.png (class 0)" in result.stderr
    assert "--keep-conflicts" in result.stderr
    rows = read_rows(tmp_path / "model")
    assert len(rows.training) + len(rows.held_out) == 144 - 5
    duplicates = json.loads((tmp_path / "model" / "metrics.json").read_text())["duplicates"]
    left_out = set(duplicates["left_out"])
    # Row 50 has a copy, which is left out with it.
    assert left_out == {
        "000.png", "000-quality95.jpg", "001.png", "050.png", f"050-{list(LEAKS)[10 % 6]}",
    }  # fmt: skip
    # The rows left out are not taken for new ones.
    galfeat("evaluate", tmp_path / "model", contradictory, "--jobs", 1)


def test_rows_with_two_classes_can_be_kept(galfeat, contradictory, quick_pipeline, tmp_path):
    arguments = ["fit", contradictory, "--pipeline", quick_pipeline, "--keep-conflicts"]
    result = galfeat(*arguments, "-o", tmp_path / "model", "--jobs", 1)
    assert "with different classes, and are kept" in result.stderr
    assert len(read_rows(tmp_path / "model").training) == 144


def test_a_comparison_writes_what_it_left_out(galfeat, contradictory, quick_pipeline, tmp_path):
    output = tmp_path / "comparison"
    arguments = ["compare", contradictory, "--pipelines", quick_pipeline, "-o", output]
    galfeat(*arguments, "--folds", 2, "--repeats", 1, "--jobs", 1)
    plain = json.loads((output / "compare.json").read_text())
    assert len(plain["duplicates"]["left_out"]) == 5
    assert plain["n"] == 139
    assert "left out" in plain["facts"]["Conflicts"]
    assert "24 pairs of near-identical images" in (output / "compare.html").read_text()
