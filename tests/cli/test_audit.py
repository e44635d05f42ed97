"""``galfeat audit``: the table, the page and odd input."""

import csv

import h5py
import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def labelled(simulated, tmp_path_factory):
    """80 galaxies of four classes as files, 4 with another class, and some oddities."""
    folder = tmp_path_factory.mktemp("labelled")
    with h5py.File(simulated) as file:
        chosen = np.flatnonzero(np.isin(file["ans"][:], [2, 4, 7, 8]))
        images, classes = file["images"][:][chosen], file["ans"][:][chosen]
    names = {2: "round", 4: "cigar", 7: "spiral", 8: "=edge-on"}
    rows = []
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        Image.fromarray(image).save(folder / f"{number:02}.png")
        rows.append([f"{number:02}.png", names[label]])
    rows[0][1], rows[20][1] = rows[20][1], rows[0][1]
    Image.fromarray(images[30][::-1].copy()).save(folder / "copy.png")
    rows.append(["copy.png", "round"])  # of a spiral
    Image.fromarray(np.full((64, 64, 3), 20, np.uint8)).save(folder / "blank.png")
    rows.append(["blank.png", "round"])
    (folder / "damaged.png").write_bytes((folder / "05.png").read_bytes()[:300])
    rows.append(["damaged.png", "round"])
    Image.fromarray(images[0][:, ::-1].copy()).save(folder / "unlabelled.png")
    rows.append(["unlabelled.png", ""])
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([["filename", "label"], *rows])
    return folder


def table_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_all_labels_and_the_page_their_pictures(
    galfeat, labelled, quick_pipeline, tmp_path
):
    output = tmp_path / "audit.csv"
    arguments = ["audit", labelled, "--pipeline", quick_pipeline, "-o", output, "--folds", 4]
    result = galfeat(*arguments, "--jobs", 1, code=3)
    assert "1 of 52 rows have no 'label'" in result.stderr
    assert "damaged.png" in result.stderr
    assert "2 rows show a galaxy that other rows label differently" in result.stdout
    assert "labels are probably wrong" in result.stdout
    rows = {row["id"].rsplit("/", 1)[-1]: row for row in table_of(output)}
    assert len(rows) == 51
    probabilities = [name for name in rows["01.png"] if name.startswith("p_")]
    assert len(probabilities) == 4
    assert sum(float(rows["01.png"][name]) for name in probabilities) == pytest.approx(1, abs=1e-6)
    assert rows["30.png"]["conflict"] == rows["copy.png"]["conflict"] != ""
    assert rows["blank.png"]["flags"] == "no_source"
    assert rows["blank.png"]["rank"] == rows["damaged.png"]["rank"] == ""
    assert rows["damaged.png"]["error"]
    assert {row["label"] for row in rows.values()} == {"round", "cigar", "spiral", "'=edge-on"}
    page = output.with_suffix(".html").read_text()
    for anchor in ("mislabels", "conflicts", "images", "unreadable"):
        assert f'<section id="{anchor}"' in page
    assert page.count("data:image/jpeg") >= 49


def test_swapped_labels_are_the_most_doubtful(galfeat, labelled, quick_pipeline, tmp_path):
    output = tmp_path / "audit.csv"
    arguments = ["audit", labelled, "--pipeline", quick_pipeline, "-o", output, "--folds", 4]
    galfeat(*arguments, "--repeats", 2, "--jobs", 1, "--seed", 3, code=3)
    ranks = {row["id"].rsplit("/", 1)[-1]: row["rank"] for row in table_of(output)}
    assert max(int(ranks["00.png"]), int(ranks["20.png"])) <= 8


def test_without_output_the_ranking_is_printed_and_nothing_written(
    galfeat, simulated, quick_pipeline, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    arguments = ["audit", simulated, "--pipeline", quick_pipeline, "--folds", 3]
    result = galfeat(*arguments, "--jobs", 1)
    lines = result.stdout.splitlines()
    assert lines[-1].startswith(" 10. ")
    assert "of 120 labels" in lines[0]
    assert list(tmp_path.iterdir()) == []
    assert galfeat(*arguments, "--jobs", 2).stdout == result.stdout


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0] * 12, "only one class"),
        ([0] * 10 + [1] * 2, "class '1' has 2"),
        ([-1] * 12, "no row of"),
    ],
)
def test_labels_that_cannot_be_audited_are_refused_in_one_line(
    galfeat, simulated, tmp_path, labels, message
):
    with h5py.File(simulated) as file, h5py.File(tmp_path / "few.h5", "w") as few:
        few["images"] = file["images"][:12]
        few["kind"] = labels
    result = galfeat("audit", tmp_path / "few.h5", "--label", "kind", code=4)
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_no_readable_image_is_an_error(galfeat, tmp_path, quick_pipeline):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(5):
            (tmp_path / label / f"{number}.png").write_bytes(b"none")
    result = galfeat("audit", tmp_path, "--pipeline", quick_pipeline, "--jobs", 1, code=4)
    assert "none of the 10 images can be read" in result.stderr


def test_missing_data_and_a_page_for_a_table_are_refused(galfeat, simulated, tmp_path):
    galfeat("audit", tmp_path / "none", code=4)
    result = galfeat("audit", simulated, "-o", tmp_path / "audit.html", code=2)
    assert "name the CSV file" in result.stderr
    galfeat("audit", simulated, "-o", tmp_path / "missing" / "audit.csv", code=7)
