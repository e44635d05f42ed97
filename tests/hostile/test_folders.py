"""Folders with anything in them."""

import ctypes
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from galfeat.data import dataset, open_dataset, summarise
from galfeat.data.readers import folder as folder_module
from galfeat.errors import DataError, ImageError


@pytest.fixture
def galaxies(tmp_path, monkeypatch):
    """A folder with one image, beside the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "galaxies"
    folder.mkdir()
    save(folder / "good.png")
    return folder


def save(path, shade=0, size=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (size, size), shade).save(path, "png")


def results(source):
    """The result of each row by the name of its file."""
    data = open_dataset(source)
    images = data.read(np.arange(len(data)))
    return {os.path.basename(name): image for name, image in zip(data.ids, images, strict=True)}


def pipe(path):
    os.mkfifo(path)


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def device(path):
    path.symlink_to("/dev/zero")


def dangling(path):
    path.symlink_to("nowhere.png")


def circle(path):
    path.symlink_to(path.name)


def linked_folder(path):
    (path.parent.parent / "other").mkdir()
    path.symlink_to("../other")


def empty(path):
    path.touch()


@pytest.mark.parametrize("name", ["odd.png", "odd.fits", "odd.fits.gz"])
@pytest.mark.parametrize("source", ["folder", "pattern", "list", "table", "file"])
@pytest.mark.parametrize(
    "make", [pipe, unix_socket, device, dangling, circle, linked_folder, empty]
)
def test_what_is_no_file_is_an_error_of_its_row(galaxies, make, source, name):
    make(galaxies / name)
    if source == "file" and make in (circle, linked_folder):
        with pytest.raises(DataError, match=r"cannot be opened|contains no images"):
            open_dataset(galaxies / name)
        return
    if source == "table":
        (galaxies / "labels.csv").write_text(f"filename\ngood.png\n{name}\n")
    if source == "list" and make is linked_folder:
        save(galaxies.parent / "other" / "x.png")
    found = results(
        {
            "folder": galaxies,
            "pattern": f"{galaxies}/*",
            "list": [galaxies / "good.png", galaxies / name],
            "table": galaxies,
            "file": galaxies / name,
        }[source]
    )
    if source == "list" and make is linked_folder:
        assert set(found) == {"good.png", "x.png"}, "a folder among inputs is read"
        return
    assert isinstance(found.pop(name), ImageError)
    if source != "file":
        assert found.pop("good.png").shape == (8, 8, 3)
    assert found == {}


def test_a_pipe_does_not_stop_the_command_line(galaxies, run_limited):
    pipe(galaxies / "pipe.png")
    device(galaxies / "device.png")
    done = run_limited("data", "info", galaxies)
    assert done.returncode == 3
    assert "2 unreadable" in done.stdout


@pytest.mark.parametrize("name", ["data.h5", "data.npz", "data.csv", "galaxies/labels.csv"])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipe, "is a named pipe; expected a folder"),
        (unix_socket, "is a socket; expected a folder"),
        (device, "is a device; expected a folder"),
        (dangling, "is a link that leads nowhere|found neither a data set nor images"),
        (circle, "cannot be opened"),
    ],
)
def test_data_sets_must_be_files(galaxies, make, message, name):
    make(galaxies.parent / name)
    with pytest.raises(DataError, match=message):
        open_dataset(galaxies if name.endswith("labels.csv") else name)


def test_a_folder_named_like_a_table_is_not_ignored(galaxies):
    (galaxies / "labels.csv").mkdir()
    with pytest.raises(DataError, match=r"labels\.csv is a folder"):
        open_dataset(galaxies)


def test_folders_named_like_images_are_folders(galaxies):
    save(galaxies / "x.png" / "a.png", 1)
    save(galaxies / "y.png" / "b.png", 2)
    data = open_dataset(galaxies)
    names = ["good.png", "x.png/a.png", "y.png/b.png"]
    assert data.ids.tolist() == [str(galaxies / name) for name in names]
    assert data.class_names == ("x.png", "y.png")
    assert [image[0, 0, 0] for image in data.read([0, 1, 2])] == [0, 1, 2]


def test_circles_of_folders_end(galaxies):
    for name in ("a", "b"):
        (galaxies / name).symlink_to(".")
        (galaxies / "deep" / name).parent.mkdir(exist_ok=True)
        (galaxies / "deep" / name).symlink_to("..")
    save(galaxies / "deep" / "image.png")
    expected = [str(galaxies / name) for name in ("deep/image.png", "good.png")]
    assert open_dataset(galaxies).ids.tolist() == expected
    for pattern in ("**/*.png", "**", "**/**/**/*.png", "**/./**/[dgi]*.png"):
        assert open_dataset(f"{galaxies}/{pattern}").ids.tolist() == expected


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.png", ["a/b/c.png", "a/d.png", "e.png"]),
        ("**/b/*.png", ["a/b/c.png"]),
        ("a/**/*.png", ["a/b/c.png", "a/d.png"]),
        ("?/**/c.png", ["a/b/c.png"]),
        ("a/b/**/c.png", ["a/b/c.png"]),
        ("**/d.*", ["a/d.png"]),
        ("./a/**", ["a/b/c.png", "a/d.png"]),
        ("**/a/**/[!x].png", ["a/b/c.png", "a/d.png"]),
    ],
)
def test_patterns_match_any_folders(tmp_path, monkeypatch, pattern, names):
    monkeypatch.chdir(tmp_path)
    for name in ("a/b/c.png", "a/d.png", "e.png", ".hidden/x.png", "a/.x.png"):
        save(tmp_path / name)
    assert open_dataset(pattern).ids.tolist() == names


def test_folders_that_cannot_be_listed_are_errors(galaxies, monkeypatch):
    (galaxies / "closed").mkdir()
    scan = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for source in (galaxies, f"{galaxies}/**/*.png"):
        with pytest.raises(DataError, match=r"closed cannot be listed \(Permission denied\)"):
            open_dataset(source)


def test_a_folder_that_cannot_be_entered_is_an_error(galaxies, without_override):
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if os.geteuid() == 0 else None
    drop_from_bounding_set, dac_read_search = 24, 2

    def without_root():
        without_override()
        if prctl is not None:
            prctl(drop_from_bounding_set, dac_read_search)

    os.chmod(galaxies, 0)
    try:
        for source in (galaxies, galaxies / "good.png"):
            done = subprocess.run(
                [sys.executable, "-m", "galfeat", "data", "info", source],
                preexec_fn=without_root,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 4, done.stderr
            assert "Permission denied" in done.stderr
            assert len(done.stderr.splitlines()) == 1
    finally:
        os.chmod(galaxies, 0o755)


def test_names_of_any_length_are_errors_of_their_rows(galaxies):
    for name in ("x" * 300 + ".png", "/".join(["x" * 200] * 20) + ".png"):
        good, long = open_dataset([galaxies / "good.png", galaxies / name]).read([0, 1])
        assert good.shape == (8, 8, 3)
        assert isinstance(long, ImageError)
        with pytest.raises(DataError, match=r"cannot be opened \(File name too long\)"):
            open_dataset(galaxies / name)
        (galaxies / "labels.csv").write_text(f"filename\ngood.png\n{name}\n")
        good, long = open_dataset(galaxies).read([0, 1])
        assert good.shape == (8, 8, 3)
        assert isinstance(long, ImageError)


@pytest.mark.parametrize(
    "name",
    ["-rf.png", "--help.png", " .png", "a\nb.png", "*.png", "a[1].png", "é.png", b"\xe9.png"],
)
def test_files_of_any_name_are_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(name)
    save(tmp_path / name, 5)
    for source in (tmp_path, name, [name], f"{tmp_path}/**/*", "./*"):
        data = open_dataset(source)
        assert [os.path.basename(id_) for id_ in data.ids] == [name]
        assert data.read([0])[0][0, 0, 0] == 5


def test_names_of_files_are_within_the_limit(galaxies):
    for number in range(50):
        (galaxies / f"{number}.png").touch()
    assert len(open_dataset(galaxies, max_bytes=10**6)) == 51
    with pytest.raises(DataError, match=r"images in .*galaxies would take"):
        open_dataset(galaxies, max_bytes=5000)


def test_names_in_a_table_that_no_file_can_have_are_errors_of_their_rows(galaxies):
    names = ["good.png", "/dev/zero", "../galaxies", "con.png/x.png", "good.png/x.png", "~", "."]
    (galaxies / "labels.csv").write_text("\n".join(["filename", *names]))
    images = open_dataset(galaxies).read(np.arange(len(names)))
    assert [isinstance(image, ImageError) for image in images] == [False] + [True] * 6


@pytest.mark.parametrize("jobs", [1, 4])
def test_batches_of_large_images_are_small(tmp_path, monkeypatch, jobs):
    for number in range(7):
        save(tmp_path / f"{number}.png", number, size=100 if number in (1, 2) else 8)
    monkeypatch.setattr(dataset, "BATCH_BYTES", 30_000)
    data = open_dataset(tmp_path)
    for view in (data, data.select(np.arange(7))):
        batches = list(view.batches(4, jobs=jobs))
        assert [rows.tolist() for rows, _ in batches] == [[0, 1], [2, 3], [4, 5, 6]]
        shades = [image[0, 0, 0] for _, images in batches for image in images]
        assert shades == list(range(7))


def test_images_that_take_too_much_memory_are_errors_of_their_rows(galaxies, monkeypatch):
    save(galaxies / "large.png")
    decode = folder_module.decode_file

    def limited(path, **options):
        if "large" in str(path):
            raise MemoryError
        return decode(path, **options)

    monkeypatch.setattr(folder_module, "decode_file", limited)
    found = results(galaxies)
    assert found["good.png"].shape == (8, 8, 3)
    assert "large.png: not enough memory" in str(found["large.png"])


def test_a_summary_of_many_equal_images_is_short(galaxies):
    for number in range(200):
        save(galaxies / f"{number}.png")
    summary = summarise(open_dataset(galaxies))
    assert len(summary.duplicates[0]) == 201
    assert summary.to_text().count(".png") < 40
    assert " and 181 more\n" in summary.to_text()
