"""``galfeat explain``: reasons for and against a class."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat import open_dataset
from galfeat.explain import overlay


@pytest.fixture(scope="module")
def galaxies(simulated, tmp_path_factory):
    """Three simulated galaxies as PNG files."""
    folder = tmp_path_factory.mktemp("galaxies")
    for number, image in enumerate(open_dataset(simulated).read([0, 60, 100])):
        Image.fromarray(image).save(folder / f"g{number}.png")
    return folder


def test_the_printed_contributions_add_up(galfeat, model, galaxies):
    printed = galfeat("explain", model, galaxies / "g0.png", "--jobs", 1).stdout
    name, of = re.match(r"(.+): (.+)\n", printed).groups()
    assert name.endswith("g0.png")
    assert f"reasons for and against {of}:" in printed
    added = [float(text) for text in re.findall(r"^ +([+-]\d+\.\d\d)  ", printed, re.M)]
    assert sum(added[:-1]) == pytest.approx(added[-1], abs=0.06)
    rank = r"\((colour|radial)\.\S+ \S+, (more|less) than in \d\d % of galaxies\)"
    assert re.search(rank, printed)


def test_images_with_the_same_name_get_separate_files(galfeat, model, galaxies, tmp_path):
    other = tmp_path / "g0.png"
    shutil.copy(galaxies / "g1.png", other)
    galfeat("explain", model, galaxies / "g0.png", other, "-o", tmp_path / "why", "--jobs", 1)
    first, second = (
        json.loads((tmp_path / f"why/{stem}.json").read_text()) for stem in ("g0", "g0-2")
    )
    assert first["score"] != second["score"]


def test_a_figure_and_a_json_file_per_galaxy(galfeat, model, galaxies, tmp_path):
    output = tmp_path / "why"
    printed = galfeat("explain", model, galaxies, "-o", output, "--jobs", 2).stdout
    assert f"3 galaxies in {output}" in printed
    assert sorted(path.name for path in output.iterdir()) == [
        f"g{number}.{kind}" for number in range(3) for kind in ("json", "png")
    ]
    for number in range(3):
        explanation = json.loads((output / f"g{number}.json").read_text())
        assert explanation["explained"] == explanation["predicted"]
        total = explanation["start"] + sum(reason["added"] for reason in explanation["reasons"])
        assert total == pytest.approx(explanation["score"])
        assert set(explanation["families"]) == {"colour", "radial"}
        assert explanation["predicted"] in printed
        with Image.open(output / f"g{number}.png") as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.shape[1] > 1000
        assert (pixels[:, : pixels.shape[1] // 3] < 60).mean() > 0.2  # the sky is dark


def test_a_class_other_than_the_predicted_one(galfeat, model, galaxies):
    printed = galfeat("explain", model, galaxies / "g0.png", "--of", "Barred Spiral").stdout
    assert "reasons for and against Barred Spiral:" in printed


def test_an_unknown_class_is_one_line(galfeat, model, galaxies):
    failed = galfeat("explain", model, galaxies / "g0.png", "--of", "Ring", code=4)
    assert "the model has no class 'Ring'" in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_an_unreadable_image_is_skipped_and_reported(galfeat, model, galaxies, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG but no picture")
    done = galfeat("explain", model, galaxies / "g1.png", tmp_path / "broken.png", code=3)
    assert "1 of 2 images cannot be read" in done.stderr
    assert "g1.png" in done.stdout


def test_a_figure_is_written_even_if_no_galaxy_is_found(galfeat, model, tmp_path):
    Image.fromarray(np.full((80, 80, 3), 20, np.uint8)).save(tmp_path / "blank.png")
    printed = galfeat("explain", model, tmp_path / "blank.png", "-o", tmp_path / "why").stdout
    assert "blank.png: no class\n  No galaxy stands out near the middle" in printed
    assert "reasons for" not in printed
    assert (tmp_path / "why" / "blank.png").is_file()
    explanation = json.loads((tmp_path / "why" / "blank.json").read_text())
    assert explanation["predicted"] is explanation["most_probable"] is explanation["score"] is None
    assert explanation["reasons"] == []


def test_a_class_that_is_not_the_most_probable_one_is_explained(galfeat, undecided, tmp_path):
    _, path = undecided
    (row,) = csv.DictReader(galfeat("classify", "simulated", path).stdout.splitlines())
    assert row["class"] != row["most_probable"]
    printed = galfeat("explain", "simulated", path, "-o", tmp_path / "why").stdout
    note = "The tempered rule, which favours rarer classes, predicts " + row["class"] + "."
    heading, second, first, *_ = printed.splitlines()
    assert heading.endswith(f": {row['class']}")
    assert second == f"  {note}"
    assert first.endswith(row["most_probable"])
    assert f"  {float(row['probability']):6.3f}  {row['class']}\n" in printed
    explanation = json.loads((tmp_path / "why" / "1.json").read_text())
    assert (explanation["note"], explanation["most_probable"]) == (note, row["most_probable"])


def test_the_script_on_the_page_agrees_with_the_command(
    galfeat, model, galaxies, tmp_path, monkeypatch, capsys
):
    page = Path(__file__).resolve().parents[2] / "docs" / "guides" / "explain.md"
    (script,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (tmp_path / "model").symlink_to(model)
    (tmp_path / "galaxy.png").symlink_to(galaxies / "g1.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(script, str(page), "exec"), {})
    first, *reasons = capsys.readouterr().out.splitlines()
    printed = galfeat("explain", "model", "galaxy.png", "--jobs", 1).stdout
    named, probability = first.split(": ")
    assert f"galaxy.png: {named}\n" in printed
    assert len(reasons) == 3
    for line in reasons:
        assert line in printed
    assert float(probability) > 0.1


def test_the_page_states_the_current_thresholds():
    page = Path(__file__).resolve().parents[2] / "docs" / "guides" / "explain.md"
    words = " ".join(page.read_text("utf-8").split())
    assert f"strength of the bar of {overlay.FAINTEST_BAR} or more" in words
    assert f"of the arms {overlay.FAINTEST_ARMS}, in galaxies not flatter" in words
    assert f"than {overlay.FLATTEST}." in words
