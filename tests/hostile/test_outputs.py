"""Results survive odd file names, closed streams and spreadsheets."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main

#: A name that is not UTF-8, names that spreadsheets would run, an option, and a terminal's escape.
INVALID = os.fsdecode(b"m51-\xff.png")
NAMES = [INVALID, "=1+1.png", "@a.png", "-rf.png", "+b.png", "a\x1b[2Jb.png", "$x^$.png"]
VERBS = {
    "features": ["features"],
    "help": ["--help"],
    "info": ["data", "info", "images"],
    "classify": ["classify", "model", "images"],
    "explain": ["explain", "model", "images"],
    "evaluate": ["evaluate", "model", "images", "--json", "scores.json"],
}


@pytest.fixture(scope="module")
def folder(paint, quick_pipeline, tmp_path_factory):
    """A folder with a model, and a folder `images` of images with odd names and classes."""
    folder = tmp_path_factory.mktemp("odd")
    for number, name in enumerate(NAMES * 6):
        # Not of the same galaxies as the training images, which are named by their number.
        part = folder / ("images" if number < len(NAMES) else "training")
        path = part / ("=disc" if number % 2 else "round") / name
        if number >= len(NAMES):
            path = path.with_name(f"{number}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        image = paint(40, scale=4.0, q=0.3 if number % 2 else 1.0, noise=2.0, seed=number)
        try:
            Image.fromarray(image).save(path)
        except OSError:
            pytest.skip("this file system takes only names in UTF-8")
    run("fit", folder / "training", "--pipeline", quick_pipeline, "-o", folder / "model")
    return folder


def run(*arguments, code=0):
    """Run a command in this process."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def read_csv(path):
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
        return list(csv.DictReader(stream))


def names_of(paths):
    return sorted(str(path).rpartition("/")[2] for path in paths)


@pytest.mark.parametrize(
    ("verb", "options"), [("classify", ["model", "images"]), ("extract", ["images"])]
)
def test_csv_files_hold_the_bytes_of_names_and_no_formulas(
    folder, tmp_path, monkeypatch, verb, options
):
    monkeypatch.chdir(folder)
    run(verb, *options, "-o", tmp_path / "out.csv", "--jobs", 1)
    rows = read_csv(tmp_path / "out.csv")
    assert names_of(row["id"] for row in rows) == sorted(NAMES)
    column = "true_class" if verb == "classify" else "class"
    assert {row[column] for row in rows} == {"'=disc", "round"}
    run(verb, *options, "-o", tmp_path / "raw.csv", "--raw-cells", "--jobs", 1)
    assert {row[column] for row in read_csv(tmp_path / "raw.csv")} == {"=disc", "round"}


def in_images(folder, monkeypatch):
    """Change to a folder that has all images side by side, and return their names."""
    flat = folder / "flat"
    if not flat.exists():
        flat.mkdir()
        for path in sorted((folder / "images").rglob("*.png")):
            (flat / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(flat)
    return sorted(NAMES)


def test_ids_that_begin_like_formulas_or_options(folder, tmp_path, monkeypatch):
    names = in_images(folder, monkeypatch)
    run("classify", "-o", tmp_path / "out.csv", "--jobs", 1, "--", folder / "model", *names)
    ids = [row["id"] for row in read_csv(tmp_path / "out.csv")]
    assert ids == [f"'{name}" if name[0] in "=+-@" else name for name in names]
    run("explain", "-o", tmp_path / "why", "--jobs", 1, "--", folder / "model", "-rf.png")
    assert sorted(path.name for path in (tmp_path / "why").iterdir()) == ["-rf.json", "-rf.png"]
    run("extract", "-o", tmp_path / "one.csv", "--jobs", 1, "--", "-rf.png")
    assert read_csv(tmp_path / "one.csv")[0]["id"] == "'-rf.png"
    assert "1 image" in run("data", "info", "--", "-rf.png").stdout


def test_json_lines_and_parquet_are_valid_and_name_every_image(folder, tmp_path, monkeypatch):
    names = in_images(folder, monkeypatch)
    expected = sorted(r"m51-\xff.png" if name == INVALID else name for name in names)
    run("classify", "-o", tmp_path / "out.jsonl", "--", folder / "model", *names)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert sorted(row["id"] for row in rows) == expected
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    run("extract", folder / "images", "-o", tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert names_of(table["id"].to_pylist()) == expected
    assert set(table["class"].to_pylist()) == {"=disc", "round"}
    run("extract", folder / "images", "-o", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as arrays:
        assert names_of(arrays["ids"]) == sorted(names)


def test_explanations_of_odd_names(folder, tmp_path, monkeypatch):
    names = in_images(folder, monkeypatch)
    done = run("explain", "-o", tmp_path / "why", "--", folder / "model", *names)
    assert r"a\x1b[2Jb.png: " in done.stdout
    assert r"m51-\xff.png: " in done.stdout
    written = {path.name for path in (tmp_path / "why").glob("*.json")}
    assert written == {name.replace(".png", ".json") for name in names}
    text = (tmp_path / "why" / INVALID.replace(".png", ".json")).read_text("utf-8")
    assert json.loads(text)["id"] == r"m51-\xff.png"


def test_a_report_names_every_mistake(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    run("evaluate", "model", "images", "--report", tmp_path / "report", "--jobs", 1)
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert r"m51-\xff.png" in page
    assert "\x1b" not in page


def test_class_names_that_are_not_utf_8(paint, quick_pipeline, tmp_path):
    for number in range(12):
        part = tmp_path / "data" / (os.fsdecode(b"disc-\xe9") if number % 2 else "round")
        part.mkdir(parents=True, exist_ok=True)
        image = paint(40, scale=4.0, q=0.3 if number % 2 else 1.0, noise=2.0, seed=number)
        Image.fromarray(image).save(part / f"{number}.png")
    run("fit", tmp_path / "data", "--pipeline", quick_pipeline, "-o", tmp_path / "model")
    run("classify", tmp_path / "model", tmp_path / "data", "-o", tmp_path / "out.csv")
    (first, *_) = read_csv(tmp_path / "out.csv")
    assert os.fsdecode(b"p_disc-\xe9") in first
    run("classify", tmp_path / "model", tmp_path / "data", "-o", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert r"p_disc-\xe9" in json.loads(lines[0])
    scores, why = tmp_path / "scores.json", tmp_path / "why"
    arguments = (tmp_path / "model", tmp_path / "data", "--include-training", "--json", scores)
    done = run_process(tmp_path, "evaluate", *arguments, "--report", tmp_path / "report")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"disc-\xe9" in done.stdout
    assert r"disc-\xe9" in json.loads(scores.read_text("ascii"))["classes"]
    arguments = (tmp_path / "model", tmp_path / "data" / "round", "-o", why)
    assert run_process(tmp_path, "explain", *arguments).returncode == 0
    (explanation, *_) = (json.loads(path.read_text("utf-8")) for path in why.glob("*.json"))
    assert r"disc-\xe9" in explanation["probabilities"]


def run_process(folder, *arguments, redirect="", env=None, stdout=subprocess.PIPE):
    """Run galfeat as a process of its own in a folder, through a shell."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m galfeat "$@" {redirect}', sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=120,
    )


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_leaves_is_no_failure(folder, verb):
    read, write = os.pipe()
    os.close(read)
    done = run_process(folder, *VERBS[verb], stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    if verb == "evaluate":
        assert "accuracy" in json.loads((folder / "scores.json").read_text())


def test_tables_on_standard_output_are_utf_8_in_any_locale(folder):
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    env = {**locale, "PYTHONIOENCODING": "ascii"}
    done = run_process(folder, "classify", "model", "images", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"m51-\xff.png" in done.stdout
    assert len(done.stdout.splitlines()) == len(NAMES) + 1


def test_closed_standard_output(folder):
    refused = run_process(folder, "classify", "model", "images", redirect=">&-")
    assert refused.returncode == 7
    assert refused.stderr == b"galfeat: standard output is closed; specify a file with -o\n"
    arguments = ["classify", "model", "images", "-o", "closed.csv"]
    done = run_process(folder, *arguments, redirect=">&- 2>&- <&-")
    assert done.returncode == 0
    assert len(read_csv(folder / "closed.csv")) == len(NAMES)
