"""What several rooms' tests share."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_images():
    """The folder of real galaxy images that GALFEAT_TEST_DATA names."""
    folder = os.environ.get("GALFEAT_TEST_DATA")
    if not folder:
        pytest.skip("GALFEAT_TEST_DATA names no folder of real galaxy images")
    return Path(folder)


@pytest.fixture(scope="session")
def exit_codes():
    """The exit codes of docs/exit-codes.md with their meanings."""
    text = (ROOT / "docs" / "exit-codes.md").read_text()
    return {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| ([^|]+)", text, re.M)}


QUICK_RECIPE = """
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
def quick_recipe(tmp_path_factory):
    """A recipe file that is fitted in a second."""
    path = tmp_path_factory.mktemp("recipe") / "quick.toml"
    path.write_text(QUICK_RECIPE)
    return path


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """An HDF5 file of 120 simulated galaxies, 12 of each of the ten classes."""
    from galfeat.data.simulate import simulate_file

    path = tmp_path_factory.mktemp("simulated") / "galaxies.h5"
    simulate_file(path, 120, seed=7, class_counts=[12] * 10)
    return path
