"""``galfeat explain``: what speaks for and against a class."""

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


def test_what_is_printed_adds_up(galfeat, model, galaxies):
    printed = galfeat("explain", model, galaxies / "g0.png", "--jobs", 1).stdout
    name, of = re.match(r"(.+): (.+)\n", printed).groups()
    assert name.endswith("g0.png")
    assert f"why {of}, or why not:" in printed
    added = [float(one) for one in re.findall(r"^ +([+-]\d+\.\d\d)  ", printed, re.M)]
    assert sum(added[:-1]) == pytest.approx(added[-1], abs=0.06)
    among = r"\((colour|radial)\.\S+ \S+, (more|less) than in \d\d % of galaxies\)"
    assert re.search(among, printed)


def test_images_of_one_name_get_files_of_their_own(galfeat, model, galaxies, tmp_path):
    other = tmp_path / "g0.png"
    shutil.copy(galaxies / "g1.png", other)
    galfeat("explain", model, galaxies / "g0.png", other, "-o", tmp_path / "why", "--jobs", 1)
    said = [json.loads((tmp_path / f"why/{stem}.json").read_text()) for stem in ("g0", "g0-2")]
    assert said[0]["score"] != said[1]["score"]


def test_a_picture_and_a_file_for_each(galfeat, model, galaxies, tmp_path):
    output = tmp_path / "why"
    printed = galfeat("explain", model, galaxies, "-o", output, "--jobs", 2).stdout
    assert f"3 galaxies in {output}" in printed
    assert sorted(path.name for path in output.iterdir()) == [
        f"g{number}.{kind}" for number in range(3) for kind in ("json", "png")
    ]
    for number in range(3):
        said = json.loads((output / f"g{number}.json").read_text())
        assert said["explained"] == said["predicted"]
        total = said["start"] + sum(reason["added"] for reason in said["reasons"])
        assert total == pytest.approx(said["score"])
        assert set(said["families"]) == {"colour", "radial"}
        assert said["predicted"] in printed
        with Image.open(output / f"g{number}.png") as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.shape[1] > 1000
        assert (pixels[:, : pixels.shape[1] // 3] < 60).mean() > 0.2  # the sky is dark


def test_another_class_than_the_named_one(galfeat, model, galaxies):
    printed = galfeat("explain", model, galaxies / "g0.png", "--of", "Barred Spiral").stdout
    assert "why Barred Spiral, or why not:" in printed


def test_a_class_nobody_knows_is_one_line(galfeat, model, galaxies):
    failed = galfeat("explain", model, galaxies / "g0.png", "--of", "Ring", code=4)
    assert "the model knows no class 'Ring'" in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_what_cannot_be_read_is_left_out_and_told(galfeat, model, galaxies, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG but no picture")
    done = galfeat("explain", model, galaxies / "g1.png", tmp_path / "broken.png", code=3)
    assert "1 of 2 images cannot be read" in done.stderr
    assert "g1.png" in done.stdout


def test_where_no_galaxy_is_found_a_picture_is_made_all_the_same(galfeat, model, tmp_path):
    Image.fromarray(np.full((80, 80, 3), 20, np.uint8)).save(tmp_path / "blank.png")
    galfeat("explain", model, tmp_path / "blank.png", "-o", tmp_path / "why")
    assert (tmp_path / "why" / "blank.png").is_file()


def test_the_script_of_the_page_runs_and_says_the_same(
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


def test_the_page_states_the_thresholds_there_are():
    page = Path(__file__).resolve().parents[2] / "docs" / "guides" / "explain.md"
    words = " ".join(page.read_text("utf-8").split())
    assert f"strength of the bar of {overlay.FAINTEST_BAR} or more" in words
    assert f"of the arms {overlay.FAINTEST_ARMS}, in galaxies not flatter" in words
    assert f"than {overlay.FLATTEST}." in words
