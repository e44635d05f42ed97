"""The guide from data to classes: every command on the page runs on small files."""

import csv
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "your-data.md"
PARTS = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.M)
#: The text of each section by its title.
SECTIONS = dict(zip(PARTS[1::2], PARTS[2::2], strict=True))


def blocks(title, language=""):
    fenced = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", SECTIONS[title], re.M)
    return [text for name, text in fenced if name == language]


def commands(title):
    lines = [line for text in blocks(title) for line in text.splitlines()]
    return [line for line in lines if line.startswith("galfeat ")]


def galaxies(simulated, per_class=6):
    """Images of the first classes, and the names of the classes."""
    with h5py.File(simulated) as file:
        labels = file["ans"][:]
        rows = np.sort(np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in (1, 2, 6)]))
        names = file.attrs["class_names"]
        return file["images"][:][rows], [str(names[label]) for label in labels[rows]]


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, quality=95)


def galaxy10(simulated, folder):
    with h5py.File(simulated) as source, h5py.File(folder / "Galaxy10_DECals.h5", "w") as file:
        order = np.argsort(source["ans"][:], kind="stable")
        chunks = (len(order), 16, 16, 1)
        images = source["images"][:][order]
        file.create_dataset("images", data=images, chunks=chunks, compression="gzip")
        for name in ("ans", "ra", "dec", "redshift", "pxscale"):
            file[name] = source[name][:][order]


def jpegs(simulated, folder):
    for number, image in enumerate(galaxies(simulated)[0][:8]):
        save(folder / "cutouts" / f"{number}.jpg", image[: 256 - number])
    for name in ("notes.txt", "more.txt"):
        (folder / "cutouts" / name).touch()


def class_folders(simulated, folder):
    for number, (image, name) in enumerate(zip(*galaxies(simulated), strict=True)):
        split = "test" if number % 3 == 0 else "Train"
        save(folder / "sorted" / split / name / f"{number}.jpg", image)


def table(simulated, folder):
    images, names = galaxies(simulated, per_class=10)
    for number, image in enumerate(images):
        save(folder / "stamps" / f"{number}.JPG", image)
    rows = [f"{number};{name}" for number, name in enumerate([*names[:-1], "NA"])]
    (folder / "catalogue.csv").write_text("\n".join(["GalaxyID;kind", *rows]) + "\n")


def fits(simulated, folder):
    fits = pytest.importorskip("astropy.io.fits", reason="FITS needs astropy")

    (folder / "fits").mkdir()
    y, x = np.mgrid[-32:32, -32:32]
    for number in (1, 2):
        noise = np.random.default_rng(number).normal(0, 0.2, x.shape)
        flux = 50 * np.exp(-np.hypot(x, 2 * y) / 6) + noise
        fits.PrimaryHDU(flux.astype(np.float32)).writeto(folder / "fits" / f"{number}.fits")


def arrays(simulated, folder):
    images, classes = galaxies(simulated)
    (code,) = blocks("Arrays in an npz file", "python")
    exec(code, {"images": images, "classes": classes})


KINDS = {
    "Galaxy10 as published": galaxy10,
    "A folder of JPEGs": jpegs,
    "Class folders with train and test": class_folders,
    "A table, and images elsewhere": table,
    "FITS cut-outs": fits,
    "Arrays in an npz file": arrays,
}
#: What the page promises of the output of each section.
EXPECTED = {
    "Galaxy10 as published": [
        "Barred Spiral: 12",
        "120 galaxies in packed.h5",
        " held out; score them",
    ],
    "A folder of JPEGs": ["skipped 2 .txt files", "8 galaxies in cutouts.csv"],
    "Class folders with train and test": [
        "taking the 12 images of train (splits: test, train)",
        "taking the 6 images of test (splits: test, train)",
        "6 galaxies in sorted.csv",
    ],
    "A table, and images elsewhere": [
        "1 of 30 rows have no 'kind' and are skipped",
        "30 galaxies in catalogue-classes.csv",
    ],
    "FITS cut-outs": ["`galfeat measure` gives statistics of their flux"],
    "Arrays in an npz file": ["18 images", "18 galaxies in arrays.csv"],
}


#: Files that the page names.
WRITTEN = {
    "Galaxy10 as published": ["packed.h5", "galaxy10-report/index.html"],
    "A folder of JPEGs": ["explained/7.png"],
}


def test_the_page_has_these_kinds_of_data():
    assert list(SECTIONS) == list(KINDS) == list(EXPECTED)
    assert all(
        f"(#{title.lower().replace(' ', '-').replace(',', '')})" in PARTS[0] for title in KINDS
    )


@pytest.mark.parametrize("title", KINDS)
def test_every_command_of_the_page_runs(
    galfeat, simulated, quick_pipeline, tmp_path, monkeypatch, title
):
    monkeypatch.chdir(tmp_path)
    KINDS[title](simulated, tmp_path)
    assert commands(title)
    printed = ""
    for command in commands(title):
        _, *arguments = shlex.split(command)
        if arguments[0] == "fit":
            arguments += ["--pipeline", quick_pipeline]
        result = galfeat(*arguments)
        printed += result.stdout + result.stderr
        if "-o" in arguments:
            assert (tmp_path / arguments[arguments.index("-o") + 1]).exists()
    for text in EXPECTED[title]:
        assert text in printed
    for name in WRITTEN.get(title, []):
        assert name in SECTIONS[title]
        assert (tmp_path / name).is_file()
    for path in tmp_path.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as stream:
            assert not any(row.get("error") for row in csv.DictReader(stream))


def test_the_table_of_the_page_is_opened_as_shown(galfeat, simulated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(simulated, tmp_path)
    shown, _ = blocks("A table, and images elsewhere")
    Path("catalogue.csv").write_text(shown)
    done = galfeat("data", "info", "catalogue.csv", "--images-in", "stamps", "--label", "kind")
    assert "labels from 'kind'; 1 rows without label" in done.stdout
    assert "0 unreadable" in done.stdout
