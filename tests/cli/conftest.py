"""A runner for commands in this process, and a fitted model."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat import load_model
from galfeat.cli import main
from galfeat.data.simulation import simulate


@pytest.fixture(scope="session")
def galfeat():
    """Return a function that runs a command; its result has `exit_code`, `stdout` and `stderr`."""

    def run(*arguments, code=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture(scope="session")
def undecided(tmp_path_factory):
    """Two galaxies as files; the class of the second is not its most probable one."""
    paths = [tmp_path_factory.mktemp("undecided") / f"{number}.png" for number in range(2)]
    model = load_model("simulated")
    for seed in range(34, 60):  # which galaxies are undecided depends on versions of libraries
        images = simulate(12, seed=seed).images
        differs = model.classify(images).differs
        if differs.any():
            break
    for path, wanted in zip(paths, (False, True), strict=True):
        Image.fromarray(images[np.flatnonzero(differs == wanted)[0]]).save(path)
    return paths


@pytest.fixture(scope="session")
def model(galfeat, simulated, quick_pipeline, tmp_path_factory):
    """A model fitted to the simulated galaxies, with a quarter held out."""
    folder = tmp_path_factory.mktemp("fitted") / "model"
    galfeat(
        "fit",
        simulated,
        "--pipeline",
        quick_pipeline,
        "--test-size",
        0.25,
        "-o",
        folder,
        "--jobs",
        1,
    )
    return folder
