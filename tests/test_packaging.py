"""The contents of the wheel, and commands run from it."""

import ast
import configparser
import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = [
    "galfeat",
    "pipelines",
    "models",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
]
SHIPPED += ["README.md", "LICENSE", "cli.py"]


@pytest.fixture(scope="module")
def metadata():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """A wheel and an sdist, built from a copy of the sources to keep the checkout clean."""
    sources = tmp_path_factory.mktemp("sources")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, sources / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources / name)
    build = (
        "import sys; from setuptools import build_meta; target = sys.argv[1]; "
        "build_meta.build_wheel(target); build_meta.build_sdist(target)"
    )
    target = tmp_path_factory.mktemp("distributions")
    subprocess.run(
        [sys.executable, "-c", build, str(target)], cwd=sources, check=True, capture_output=True
    )
    return target


@pytest.fixture(scope="module")
def wheel(distributions):
    """The wheel."""
    (built,) = distributions.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel_metadata(wheel):
    """The metadata of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the contents of the wheel, as in site-packages."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed, cwd, *arguments):
    """Run Python in another folder, with the files of the wheel first on the path."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_only_top_level_package_of_the_wheel_is_galfeat(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"galfeat"}


def test_data_folders_contain_no_python():
    assert [*ROOT.glob("models/**/*.py"), *ROOT.glob("pipelines/**/*.py")] == []


def test_every_package_is_in_the_wheel(wheel):
    packages = {
        folder.parent.relative_to(ROOT).as_posix() for folder in ROOT.glob("galfeat/**/__init__.py")
    }
    with zipfile.ZipFile(wheel) as archive:
        listed = {name.rpartition("/")[0] for name in archive.namelist() if name.endswith(".py")}
    assert packages == listed


def test_every_source_file_is_in_the_wheel(wheel):
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.glob("galfeat/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    sources |= {f"galfeat/_data/{path.relative_to(ROOT)}" for path in ROOT.glob("pipelines/*.toml")}
    sources |= {
        f"galfeat/_data/{path.relative_to(ROOT)}"
        for path in ROOT.glob("models/**/*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        assert sources - set(archive.namelist()) == set()


@pytest.fixture(scope="module")
def declared(metadata):
    """The modules of the requirements in setup.cfg, by import name."""
    modules = {"scikit-learn": "sklearn", "scikit-image": "skimage", "imbalanced-learn": "imblearn"}
    modules |= {"xgboost-cpu": "xgboost", "Pillow": "PIL"}
    imported_indirectly = {"galfeat", "onnxscript", "python-multipart"}
    options, extras = metadata["options"], metadata["options.extras_require"]
    required = "\n".join(
        [
            options["install_requires"],
            *(extras[name] for name in ("fits", "pandas", "parquet", "statmorph", "cnn", "timm")),
        ]
    )
    names = re.findall(r"^([A-Za-z0-9_-]+)", required, re.MULTILINE)
    # Extras may require galfeat with another extra; torch imports onnxscript, and starlette
    # imports python-multipart.
    return {modules.get(name, name) for name in names} - imported_indirectly


def imported_by(file):
    """Return the top-level third-party modules that a source file imports."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules.add(node.module.split(".")[0])
    return modules - sys.stdlib_module_names - {"galfeat"}


def test_imported_and_declared_packages_agree(declared):
    imported = set().union(*map(imported_by, ROOT.glob("galfeat/**/*.py")))
    assert imported == declared


def test_the_licence_is_named_and_included_in_wheel_and_sdist(distributions, wheel, wheel_metadata):
    text = (ROOT / "LICENSE").read_bytes()
    assert text.startswith(b"BSD 3-Clause License")
    assert wheel_metadata["License-Expression"] == "BSD-3-Clause"
    assert wheel_metadata.get_all("License-File") == ["LICENSE"]
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
        assert archive.read(name) == text
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        (name,) = (name for name in archive.getnames() if name.endswith("/LICENSE"))
        assert archive.extractfile(name).read() == text


def test_the_wheel_does_not_require_test_and_lint_tools(wheel_metadata):
    required = [r for r in wheel_metadata.get_all("Requires-Dist") if "extra ==" not in r]
    assert not [r for r in required if re.match(r"pytest|hypothesis|ruff|mypy|setuptools", r)]


def test_help_works_from_the_wheel(installed, tmp_path):
    done = run_installed(installed, tmp_path, "-m", "galfeat", "--help")
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_pipelines_are_found_in_the_wheel(installed, tmp_path):
    code = (
        "import galfeat.storage.packaged as r; print(*sorted(r.data_folder('pipelines').iterdir()))"
    )
    done = run_installed(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    folder = installed / "galfeat" / "_data" / "pipelines"
    shipped = sorted(ROOT.glob("pipelines/*.toml"))
    assert done.stdout.split() == [str(folder / path.name) for path in shipped]


def test_modules_of_the_same_name_in_the_working_directory_do_no_harm(installed, tmp_path):
    for name in ["models", "pipelines"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not galfeat')")
    (tmp_path / "cli.py").write_text("raise RuntimeError('not galfeat')")
    done = run_installed(installed, tmp_path, "-m", "galfeat", "pipelines")
    assert done.returncode == 0, done.stderr
    assert "lightgbm" in done.stdout
