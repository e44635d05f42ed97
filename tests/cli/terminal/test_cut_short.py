"""Full disks, read-only folders and interrupts: one line, and no partial output."""

import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
# Background jobs of a shell and their children inherit ignored interrupts.
RESTORE_INTERRUPTS = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)


def start(*arguments, stdout=subprocess.PIPE, **options):
    """Start a command as a separate process."""
    return subprocess.Popen(
        [sys.executable, "-m", "galfeat", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def assert_ends(process, code, message):
    """Assert an exit code and a single line of galfeat on stderr that contains the message."""
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == code, stderr
    assert stderr.startswith("galfeat: ")
    assert stderr.count("\n") == 1
    assert message in stderr


def contents_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def written(galfeat, model, simulated, quick_pipeline, tmp_path_factory):
    """Return a maker of each command's arguments, and a folder with the output of each.

    All commands have run once, so all kernels are compiled and cached.
    """
    folder = tmp_path_factory.mktemp("written")

    def arguments(verb, folder):
        return {
            "fit": ["fit", simulated, "--pipeline", quick_pipeline, "-o", folder / "model"],
            "evaluate": ["evaluate", model, simulated, "--json", folder / "scores.json"],
            "classify": ["classify", model, simulated, "-o", folder / "classes.csv"],
            "extract npz": ["extract", simulated, "-o", folder / "features.npz"],
            "extract csv": ["extract", simulated, "-o", folder / "features.csv"],
            "extract parquet": ["extract", simulated, "-o", folder / "features.parquet"],
        }[verb] + ["--jobs", 1]

    for verb in VERBS:
        if verb == "extract parquet":
            pytest.importorskip("pyarrow", reason="writing .parquet needs pyarrow")
        galfeat(*arguments(verb, folder))
    return arguments, folder


VERBS = ["fit", "evaluate", "classify", "extract npz", "extract csv", "extract parquet"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_leaves_previous_output_intact(written, tmp_path, verb):
    arguments, previous = written
    shutil.copytree(previous, tmp_path, dirs_exist_ok=True)
    process = start(
        *arguments(verb, tmp_path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    if verb == "fit":
        assert process.stderr.readline().startswith(f"{tmp_path / 'model'} will be replaced: the")
    assert_ends(process, 7, "")
    assert contents_of(tmp_path) == contents_of(previous)


@pytest.mark.parametrize("verb", VERBS)
def test_a_read_only_folder_is_an_error_and_left_intact(written, tmp_path, without_override, verb):
    arguments, previous = written
    folder = tmp_path / "locked"
    shutil.copytree(previous, folder)
    folder.chmod(0o555)
    try:
        process = start(*arguments(verb, folder), preexec_fn=without_override)
        assert_ends(process, 7, "Permission denied")
    finally:
        folder.chmod(0o755)
    assert contents_of(folder) == contents_of(previous)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["classify", "classify --per-class 1", "features", "--help"])
def test_full_standard_output_is_one_line(model, simulated, command):
    verb, *options = command.split()
    arguments = [model, simulated, "--jobs", 1] if verb == "classify" else []
    with open("/dev/full", "w") as full:
        process = start(verb, *arguments, *options, stdout=full)
        assert_ends(process, 7, "No space left on device")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_old_model_intact(model, simulated, tmp_path, number):
    old = Path(shutil.copytree(model, tmp_path / "copy"))
    before = contents_of(old)
    labels = np.arange(120) // 12
    labels[0] = -1
    with h5py.File(simulated) as file, h5py.File(tmp_path / "data.h5", "w") as data:
        data["images"] = file["images"][:]
        data["label"] = labels
    process = start(
        *["fit", tmp_path / "data.h5", "-o", old, "--jobs", 1], preexec_fn=RESTORE_INTERRUPTS
    )
    # The line about unlabelled rows is printed before features are measured.
    assert "1 of 120 rows" in process.stderr.readline()
    process.send_signal(number)
    assert_ends(process, 130, "interrupted, nothing half-written was left")
    assert contents_of(old) == before
    assert sorted(tmp_path.iterdir()) == [old, tmp_path / "data.h5"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["classify", "extract"])
def test_an_interrupt_leaves_the_old_table_intact(model, tmp_path, verb, number):
    data, results = tmp_path / "data", tmp_path / "results"
    for folder in (data, results):
        folder.mkdir()
    Image.fromarray(np.zeros((256, 256, 3), np.uint8)).save(data / "galaxy.png")
    # Far more rows than are measured before the interrupt.
    (data / "labels.csv").write_text("filename\n" + "galaxy.png\n" * 50_000)
    (results / "out.csv").write_text("old")
    arguments = {"classify": ["classify", model, data], "extract": ["extract", data]}[verb]
    process = start(
        *arguments, "-o", results / "out.csv", "--jobs", 1, preexec_fn=RESTORE_INTERRUPTS
    )
    while len(list(results.iterdir())) < 2:  # the old table and the temporary one
        assert process.poll() is None, process.stderr.read()
    process.send_signal(number)
    assert_ends(process, 130, "interrupted, nothing half-written was left")
    assert [path.name for path in results.iterdir()] == ["out.csv"]
    assert (results / "out.csv").read_text() == "old"
