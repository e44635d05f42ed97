"""What several rooms' tests share."""

import ctypes
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Old versions of Polars warn of any fork after their import, even to start another program.
os.environ.setdefault("POLARS_ALLOW_FORKING_THREAD", "1")

# The same examples in every run; `pytest --hypothesis-profile explore` draws others, and more.
settings.register_profile("repeat", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=1000)
settings.load_profile("repeat")


#: Tests that no library's version changes: they are run once, with the newest.
ONCE = (
    "benchmarks/",
    "cli/test_commands.py",
    "data/fetch/",
    "evaluate/report/test_report_style.py",
    "features/test_features_page.py",
    "storage/",
    "test_architecture.py",
    "test_dockerfile.py",
    "test_packaging.py",
    "web/test_browser.py",
    "web/test_everybody.py",
)


def pytest_collection_modifyitems(items):
    """Mark the tests that need no other versions of the libraries."""
    for item in items:
        path = item.path
        if path.is_relative_to(ROOT / "tests"):
            name = path.relative_to(ROOT / "tests").as_posix()
            if name.startswith(ONCE):
                item.add_marker("once")


@pytest.fixture(scope="session")
def real_images():
    """The folder of real galaxy images that GALFEAT_TEST_DATA names."""
    folder = os.environ.get("GALFEAT_TEST_DATA")
    if not folder:
        pytest.skip("GALFEAT_TEST_DATA names no folder of real galaxy images")
    return Path(folder)


@pytest.fixture(scope="session")
def exit_codes():
    """The exit codes of docs/reference/exit-codes.md with their meanings."""
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    return {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| ([^|]+)", text, re.M)}


@pytest.fixture(scope="session")
def without_override():
    """Return what a child process calls first so that file modes bind it, root or not."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if os.geteuid() == 0 else None
    drop_from_bounding_set, dac_override = 24, 1
    return (lambda: None) if prctl is None else lambda: prctl(drop_from_bounding_set, dac_override)


QUICK_PIPELINE = """
schema = 1
name = "quick"
description = "Few features and few trees, for tests"

[features]
families = ["colour", "radial"]

[ensemble]
combine = "none"

[[ensemble.members]]
kind = "lightgbm"
params = { n_estimators = 20, num_leaves = 7, min_child_samples = 3 }

[calibrate]
folds = 2
"""


@pytest.fixture(scope="session", autouse=True)
def own_trust_list(tmp_path_factory):
    """Models that tests fit are no business of the user's list of trusted models."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GALFEAT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def quick_pipeline(tmp_path_factory):
    """A pipeline file that is fitted in a second."""
    path = tmp_path_factory.mktemp("pipeline") / "quick.toml"
    path.write_text(QUICK_PIPELINE)
    return path


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """An HDF5 file of 120 simulated galaxies, 12 of each of the ten classes."""
    from galfeat.data.simulation.simulator import simulate_file

    path = tmp_path_factory.mktemp("simulated") / "galaxies.h5"
    simulate_file(path, 120, seed=7, class_counts=[12] * 10)
    return path


@pytest.fixture(scope="session")
def paint():
    """Return the painter of one galaxy on a sky."""
    return _paint


def _paint(
    size=128, *, scale=10.0, q=1.0, pa=0.0, offset=(0.0, 0.0), peak=180.0, sky=20.0, noise=0.0,
    gaussian=False, seed=0,
):  # fmt: skip
    """Return 8-bit RGB with a galaxy of elliptical isophotes.

    `scale` is the exponential scale length, or the sigma of a Gaussian, along the major axis;
    `pa` in radians from x towards rising rows; `offset` of the centre from the image's, (y, x).
    """
    height, width = (size, size) if np.isscalar(size) else size
    y, x = np.mgrid[:height, :width].astype(float)
    y -= 0.5 * (height - 1) + offset[0]
    x -= 0.5 * (width - 1) + offset[1]
    u = x * np.cos(pa) + y * np.sin(pa)
    v = (y * np.cos(pa) - x * np.sin(pa)) / q
    r = np.hypot(u, v) / scale
    light = peak * np.exp(-0.5 * r**2 if gaussian else -r)
    image = np.asarray(sky) + light[:, :, None] * np.ones(3)
    if noise:
        image = image + np.random.default_rng(seed).normal(0.0, noise, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
