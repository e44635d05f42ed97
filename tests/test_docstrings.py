"""The examples in docstrings run, and give what they show."""

import doctest
import importlib
import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

import galfeat

PACKAGE = Path(galfeat.__file__).parent
OPTIONAL = ("astropy", "onnx", "pandas", "pyarrow", "statmorph", "timm", "torch")
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
ROOMS = sorted(
    ".".join(path.parent.relative_to(PACKAGE.parent).parts) for path in PACKAGE.rglob("__init__.py")
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.network if name.startswith("galfeat.embedding") else ()
        )
        for name in MODULES
    ],
)
def test_examples_run(name, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    monkeypatch.chdir(tmp_path)
    messages = []
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert tests, "an example that no docstring shows"
    required = getattr(module, "__doctest_requires__", {})
    missing = set()
    for test in tests:
        packages = required.get(test.name.removeprefix(f"{name}."), [])
        missing |= {package for package in packages if find_spec(package) is None}
        if not missing.intersection(packages):
            runner.run(test, out=messages.append)
    assert not messages, "\n".join(messages)
    if missing:
        pytest.skip(f"all examples run but those that need {', '.join(sorted(missing))}")


@pytest.mark.parametrize("name", ROOMS)
def test_exported_names_have_examples(name):
    room = importlib.import_module(name)
    exported = {exported: getattr(room, exported) for exported in getattr(room, "__all__", ())}
    without = [
        exported
        for exported, thing in exported.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and not (inspect.isclass(thing) and issubclass(thing, Exception))
        and ">>> " not in inspect.getdoc(thing)
    ]
    assert not without
