"""What commands open: tables, splits, several inputs; and their messages."""

import csv
import json

import h5py
import numpy as np
import pytest
from PIL import Image


def table_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def pictures(simulated):
    """The simulated galaxies, and the name of the class of each."""
    with h5py.File(simulated) as file:
        names = file.attrs["class_names"]
        return file["images"][:], [str(names[number]) for number in file["ans"][:]]


@pytest.fixture(scope="module")
def divided(pictures, tmp_path_factory):
    """Class folders of 6 training and 2 test galaxies per class, and other files."""
    folder = tmp_path_factory.mktemp("divided")
    seen = {}
    for number, (image, name) in enumerate(zip(*pictures, strict=True)):
        rank = seen[name] = seen.get(name, 0) + 1
        if rank <= 8:
            split = "Train" if rank <= 6 else "test"
            path = folder / split / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    (folder / "notes.txt").touch()
    return folder


@pytest.fixture(scope="module")
def fitted(galfeat, divided, quick_pipeline, tmp_path_factory):
    """A model fitted to the training galaxies of `divided`, and the result of the command."""
    folder = tmp_path_factory.mktemp("fitted") / "model"
    result = galfeat("fit", divided, "--pipeline", quick_pipeline, "-o", folder, "--jobs", 1)
    return folder, result


@pytest.fixture
def listed(pictures, tmp_path):
    """A table with semicolons of 12 galaxies in another folder, and that folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    images, names = (values[::10] for values in pictures)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    rows = "".join(f"{number};{name}\n" for number, name in enumerate(names))
    (tmp_path / "table.csv").write_text("GalaxyID;Kind\n" + rows)
    return tmp_path / "table.csv", folder


def test_fit_takes_train_and_evaluate_takes_test(galfeat, divided, fitted, tmp_path):
    model, result = fitted
    assert "taking the 60 images of train (splits: test, train); see --split" in result.stderr
    assert result.stderr.count("skipped 1 .txt file") == 1
    assert "10 classes, fitted to 60 galaxies" in result.stdout
    scores = tmp_path / "scores.json"
    result = galfeat("evaluate", model, divided, "--json", scores, "--jobs", 1)
    assert "taking the 20 images of test" in result.stderr
    assert json.loads(scores.read_text())["n"] == 20
    result = galfeat("evaluate", model, divided, "--split", "train", "--jobs", 1, code=4)
    assert "60 of 60 images" in result.stderr


def test_held_out_images_are_scored_whatever_their_split(
    galfeat, divided, quick_pipeline, tmp_path
):
    held_out = ("--split", "all", "--test-size", 0.25, "-o", tmp_path / "model", "--jobs", 1)
    galfeat("fit", divided, "--pipeline", quick_pipeline, *held_out)
    result = galfeat("evaluate", tmp_path / "model", divided, "--json", tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["n"] == 20
    assert "taking all 80 images" in result.stderr


def test_other_commands_take_all_splits_or_the_named_one(galfeat, divided, tmp_path):
    result = galfeat("data", "info", divided)
    assert "taking all 80 images (splits: test, train); see --split" in result.stderr
    assert "80 images" in result.stdout
    result = galfeat("extract", divided, "--split", "test", "-o", tmp_path / "f.csv", "--jobs", 1)
    assert "20 rows" in result.stdout
    assert "taking" not in result.stderr


def test_a_table_of_other_columns_is_fitted_to(galfeat, listed, quick_pipeline, tmp_path):
    table, folder = listed
    pipeline = ("--pipeline", quick_pipeline, "-o", tmp_path / "model")
    missing = galfeat("fit", table, *pipeline, code=4).stderr
    assert "specify the column of classes with --label; the columns are: GalaxyID, Kind" in missing
    elsewhere = galfeat("data", "info", table, "--label", "kind", code=3).stdout
    assert "--images-in" in elsewhere
    result = galfeat("data", "info", table, "--label", "kind", "--images-in", folder)
    assert "labels from 'Kind'; 0 rows without label" in result.stdout
    assert "0 unreadable" in result.stdout


def test_a_table_is_classified(galfeat, listed, fitted, tmp_path):
    table, folder = listed
    output = tmp_path / "out.csv"
    galfeat("classify", fitted[0], table, "--images-in", folder, "-o", output, "--jobs", 1)
    rows = table_of(output)
    assert [row["id"] for row in rows] == [str(number) for number in range(12)]
    assert not any(row["error"] for row in rows)
    result = galfeat("classify", fitted[0], table, "-o", output, "--jobs", 1, code=3)
    assert "'0' is missing (looked in" in result.stderr


def test_evaluate_finds_the_labels_as_classify_does(galfeat, model, listed, tmp_path):
    table, folder = listed
    table.write_text(table.read_text().replace("Kind", "Class"))
    scores = tmp_path / "scores.json"
    options = ("--images-in", folder, "--include-training", "--json", scores, "--jobs", 1)
    galfeat("evaluate", model, table, *options)  # the model was fitted to 'ans'
    assert json.loads(scores.read_text())["n"] == 12


def test_a_folder_is_classified_whatever_its_table(galfeat, listed, fitted, tmp_path):
    _, folder = listed
    (folder / "labels.csv").write_text("name;kind\na;b\n")
    output = tmp_path / "out.csv"
    result = galfeat("classify", fitted[0], folder, "-o", output, "--jobs", 1)
    assert "has no column 'filename' (columns: name, kind)" in result.stderr
    assert "--file-column" in result.stderr
    assert len(table_of(output)) == 12


def test_extract_takes_many_images(galfeat, divided, tmp_path):
    files = sorted(divided.glob("test/*/*.png"))[:3]
    galfeat("extract", *files, "-o", tmp_path / "f.csv", "--jobs", 1)
    assert [row["id"] for row in table_of(tmp_path / "f.csv")] == list(map(str, files))


@pytest.mark.parametrize("command", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.png"], "has a label; expected a table of labels such as labels.csv, or at least two"),
        (["disc/a.png", "disc/b.png"], "has a label (all are in one folder, 'disc'); expected"),
    ],
)
def test_data_without_labels_are_explained(
    galfeat, model, quick_pipeline, tmp_path, command, names, message
):
    for name in names:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(path)
    arguments = {
        "fit": ("fit", tmp_path / "data", "--pipeline", quick_pipeline, "-o", tmp_path / "m"),
        "evaluate": ("evaluate", model, tmp_path / "data"),
    }[command]
    assert message in galfeat(*arguments, code=4).stderr


def test_an_empty_column_of_labels_is_named(galfeat, quick_pipeline, tmp_path):
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,NA\n")
    arguments = ("fit", tmp_path, "--pipeline", quick_pipeline, "-o", tmp_path / "model")
    message = galfeat(*arguments, code=4).stderr
    assert "the column 'label' is empty; fill it, or specify another" in message


def test_a_wrong_label_lists_what_there_is(galfeat, model, tmp_path):
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "a.png")
    result = galfeat("evaluate", model, tmp_path, "--label", "ans", code=4)
    assert "no column 'ans', as the images have no labels; give a table of labels" in result.stderr
    (tmp_path / "labels.csv").write_text("file,kind\na.png,b\n")
    result = galfeat("evaluate", model, tmp_path, "--label", "ans", code=4)
    assert "the columns are: file, kind" in result.stderr
    result = galfeat("evaluate", model, tmp_path, code=4)
    assert "with --label; the columns are: file, kind" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fit", "x", "--cv", "three"), "'three' is not a valid integer."),
        (("fit", "x", "--jobs", "1.5"), "'1.5' is not a valid integer."),
        (("fit", "x", "--test-size", "half"), "'half' is not a valid number."),
        (("classify", "x", "--seed", "x"), "'x' is not a valid integer."),
        (("data", "sample", "x", "--per-class", ""), "'' is not a valid integer."),
        (("data", "label-votes", "x", "--threshold", "y"), "'y' is not a valid number."),
        (("fit", "x", "--cv", "1"), "1 is not in the range x>=2."),
    ],
)
def test_numbers_that_are_none_are_explained(galfeat, arguments, message):
    assert message in galfeat(*arguments, code=2).stderr
