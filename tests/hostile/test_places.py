"""Odd environments: no home, closed streams, few files, odd locales and flags of Python."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import galfeat
from galfeat.cli import main
from galfeat.errors import ModelError, OutputError
from galfeat.model_io import add_trusted, is_trusted
from galfeat.model_io.trust import trust_list
from galfeat.storage import library_versions

ROOT = Path(galfeat.__file__).parents[1]


@pytest.fixture
def image(tmp_path):
    y, x = np.mgrid[-64:64, -64:64]
    grey = (20 + 200 * np.exp(-np.hypot(x, 2 * y) / 10)).astype(np.uint8)
    path = tmp_path / "galaxy.png"
    Image.fromarray(np.repeat(grey[:, :, None], 3, axis=2)).save(path)
    return path


def run(arguments, *, before="", python=(), redirect="", cwd=None, first=None, **variables):
    """Run a command from a shell that first executes other commands."""
    script = f'{before}\nexec "$@" {redirect}'
    command = [sys.executable, *python, "-m", "galfeat", *map(str, arguments)]
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command], cwd=cwd, preexec_fn=first,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True, timeout=120,
    )  # fmt: skip
    errors = done.stderr.decode(errors="surrogateescape")
    assert "Traceback" not in errors, errors
    assert "unexpected" not in errors, errors
    return done.returncode, done.stdout.decode(), errors


def test_it_classifies_with_odd_settings_of_python(image, tmp_path, without_override):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    code, output, errors = run(
        ["classify", "galaxy10", image], python=["-O"], cwd=folder, first=without_override,
        PYTHONWARNINGS="error", TMPDIR="/nonexistent", PYTHONUTF8="0", LC_ALL="C",
        PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    assert code == 0, errors
    assert output.count("\n") == 2


def test_it_classifies_with_few_files_no_input_and_an_odd_umask(image, tmp_path):
    code, output, errors = run(
        ["classify", "galaxy10", image, "-o", "out.csv"], cwd=tmp_path,
        before="ulimit -n 64; umask 0777", redirect="<&- 1>&-",
    )  # fmt: skip
    assert code == 0, errors
    assert output == ""
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0
    (tmp_path / "out.csv").chmod(0o600)
    assert (tmp_path / "out.csv").read_text().count("\n") == 2


def test_it_classifies_in_a_folder_that_was_removed(image, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code, output, errors = run(["classify", "galaxy10", image], cwd=gone, before='rmdir "$PWD"')
    assert code == 0, errors
    assert output.count("\n") == 2


def test_without_docstrings_one_line_tells_what_to_do():
    code, output, errors = run(["--version"], python=["-OO"])
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "use -O or PYTHONOPTIMIZE=1" in errors


def test_names_in_any_bytes_and_locales_can_be_printed(tmp_path):
    name = "\u2033".encode() + b"\xff"
    arguments = ["share", os.fsdecode(name), "-o", tmp_path / "out"]
    code, output, errors = run(arguments, PYTHONUTF8="1")
    assert (code, output) == (6, "")
    assert "\u2033\\xff" in errors
    code, output, errors = run(arguments, PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0")
    assert (code, output) == (6, "")
    assert errors.isascii()


@pytest.fixture
def no_home(monkeypatch):
    """An account that is unknown to the system, as in a container with any user number."""

    def fail(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for variable in ("HOME", "GALFEAT_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", fail)


def test_without_a_home_the_trust_list_names_the_variable(no_home, tmp_path, monkeypatch):
    for use, error in (
        (trust_list, ModelError),
        (lambda: is_trusted("0" * 64), ModelError),
        (lambda: add_trusted("0" * 64, tmp_path), OutputError),
    ):
        with pytest.raises(error, match=r"no home folder.*set GALFEAT_HOME to a writable folder"):
            use()
    done = CliRunner().invoke(main, ["--version", "--verbose"])
    assert done.exit_code == 0
    assert "set GALFEAT_HOME" in done.stdout
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path))
    add_trusted("0" * 64, tmp_path)
    assert is_trusted("0" * 64)


def test_without_a_home_shipped_models_work(no_home):
    assert len(galfeat.load_model("coarse").classes_) == 4


def test_a_home_that_cannot_be_read_is_no_list(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GALFEAT_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot read the list of trusted models"):
        is_trusted("0" * 64)


def test_a_library_that_is_missing_has_no_version(monkeypatch):
    from galfeat.storage import versions

    def fail(package):
        raise versions.PackageNotFoundError(package)

    monkeypatch.setattr(versions, "version", fail)
    assert set(library_versions()) == {"galfeat", "python"}
