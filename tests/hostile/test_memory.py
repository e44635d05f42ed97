"""Memory does not grow with the number of images by more than their ids and probabilities."""

import runpy
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Bytes by which memory may grow per image; the planes of a galaxy alone are 82 kB.
GROWTH = 10_000
#: Numbers of images, and limits that the smaller number exceeds: bytes of an array in memory, and
#: galaxies that are classified, and kept for importances, and numbers that are drawn at a time.
SIZES = 1000, 3000
LIMITS = """
import galfeat.classifier, galfeat.evaluate.importances, galfeat.storage.scratch
import galfeat.evaluate.intervals
galfeat.evaluate.intervals._COUNTS_AT_ONCE = 100_000
galfeat.classifier._BATCH = galfeat.evaluate.importances.MAX_ROWS = 100
galfeat.storage.scratch.MINIMUM = 2**20
"""
#: Peak memory allowed, in bytes, with any shipped model.
MOST = 800e6
#: Runs a command, and prints its peak of memory that is not a file.
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "memory.py"))["RUN_AND_PRINT_PEAK"]
PLANES = """
schema = 1
name = "planes"
description = "Trees on colours; planes are measured and carried along"

[features]
families = ["colour", "planes"]

[ensemble]
combine = "none"

[[ensemble.members]]
kind = "lightgbm"
families = ["colour"]
params = { n_estimators = 5, num_leaves = 3 }

[calibrate]
folds = 2
"""
NETWORK = PLANES.replace(
    """kind = "lightgbm"
families = ["colour"]
params = { n_estimators = 5, num_leaves = 3 }""",
    """kind = "network"
families = ["planes"]
params = { epochs = 1 }""",
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="memory is read from /proc, which Linux has"
)


def write(path, n, side=32):
    """Write n small images of two classes, each one different."""
    images = np.random.default_rng(n).integers(0, 60, (n, side, side, 3), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        file["images"] = images
        file["label"] = np.arange(n) % 2
        file["label"].attrs["class_names"] = ["disc", "smooth"]
    return path


def peak(*arguments, limits=LIMITS):
    """Return the peak memory of a command in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", limits + SCRIPT, *map(str, arguments), "--jobs", "2"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def growth(few, many, *peaks):
    return (peaks[1] - peaks[0]) / (many - few)


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """Pipelines whose features include the planes, with and without a network."""
    folder = tmp_path_factory.mktemp("pipelines")
    for name, text in {"planes": PLANES, "network": NETWORK}.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def fits(pipelines, tmp_path_factory):
    """Peak memory of cross-validated fits to `SIZES` images, and the second model."""
    folder = tmp_path_factory.mktemp("fits")
    arguments = ["--pipeline", pipelines / "planes.toml", "--cv", 2, "-o", folder / "model"]
    data = [write(folder / f"{n}.h5", n) for n in SIZES]
    return [peak("fit", path, *arguments) for path in data], folder / "model"


def test_fits_and_cross_validation_keep_planes_on_disk(fits):
    assert growth(*SIZES, *fits[0]) < GROWTH


@pytest.mark.network
def test_a_fit_of_a_network_reads_its_planes_from_disk(pipelines, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    arguments = ["--pipeline", pipelines / "network.toml", "-o", tmp_path / "model"]
    peaks = [peak("fit", write(tmp_path / f"{n}.h5", n), *arguments) for n in (256, 1024)]
    # One copy of the planes would be 82 kB per image; PyTorch's own memory varies.
    assert growth(256, 1024, *peaks) < 60_000


@pytest.mark.parametrize(("verb", "option"), [("classify", "-o"), ("evaluate", "--json")])
def test_probabilities_are_kept_but_no_features(fits, tmp_path, verb, option):
    data = [write(tmp_path / f"{n}.h5", n + 1) for n in SIZES]
    peaks = [peak(verb, fits[1], path, option, tmp_path / "out.csv") for path in data]
    assert growth(*SIZES, *peaks) < GROWTH


@pytest.mark.parametrize("model", ["galaxy10", "coarse", "simulated"])
def test_shipped_models_classify_within_the_stated_memory(model, tmp_path):
    data = write(tmp_path / "images.h5", 600)
    assert peak("classify", model, data, "-o", tmp_path / "out.jsonl", limits="") < MOST
