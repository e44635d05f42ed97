"""A runner for commands in this process, and a fitted model."""

import pytest
from click.testing import CliRunner
from PIL import Image

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
    for path, image in zip(paths, simulate(12, seed=34).images[1::-1], strict=True):
        Image.fromarray(image).save(path)
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
