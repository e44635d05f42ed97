import configparser
import subprocess
import sys
from pathlib import Path

import pytest

import galfeat

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", [name for name in galfeat.__all__ if name != "__version__"])
def test_a_public_name_is_what_its_room_defines(name):
    thing = getattr(galfeat, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("galfeat.")
    assert thing.__doc__
    assert name in dir(galfeat)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Galaxy'"):
        _ = galfeat.Galaxy


def test_type_checkers_see_the_same_names():
    stub = (ROOT / "galfeat" / "__init__.pyi").read_text()
    for name in galfeat.__all__:
        assert f" as {name}\n" in stub or f"{name}: str" in stub


def test_the_version_is_that_of_the_metadata():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["version"] in (galfeat.__version__, "attr: galfeat.__version__")


def test_importing_galfeat_waits_for_nothing_heavy():
    heavy = "{'numpy', 'scipy', 'sklearn', 'numba', 'lightgbm', 'xgboost', 'matplotlib'}"
    code = f"import sys, galfeat; print({heavy} & {{*sys.modules}})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_images_are_measured_without_waiting_for_scikit_learn():
    code = (
        "import sys, numpy, galfeat.cli.extract, galfeat.cli.warmup\n"
        "from galfeat.features import measure_images\n"
        "measure_images(numpy.zeros((1, 8, 8, 3), 'uint8'), ('pixels',), frame=False)\n"
        "print({'sklearn', 'pandas', 'lightgbm', 'scipy.stats'} & {*sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
