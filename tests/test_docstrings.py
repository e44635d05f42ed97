"""The examples in docstrings run, and give what they show."""

import doctest
import importlib
import inspect
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


@pytest.mark.parametrize("name", MODULES)
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
    for test in tests:
        runner.run(test, out=messages.append)
    assert not messages, "\n".join(messages)


@pytest.mark.parametrize("name", [name for name in galfeat.__all__ if name != "__version__"])
def test_public_names_have_examples(name):
    assert ">>> " in inspect.getdoc(getattr(galfeat, name))
