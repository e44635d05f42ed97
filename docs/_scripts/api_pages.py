"""Write the pages of the Python API from what each room exports; docs/conf.py calls it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import galfeat

#: Modules at the top of the package, with the classes that users meet.
MODULES = ("errors", "predictions")


#: Methods that scikit-learn adds to estimators, with text that refers to its own documentation.
FROM_SCIKIT_LEARN = "set_fit_request, set_score_request, set_transform_request"


def write(folder: Path) -> None:
    """Write a page for galfeat itself, for each room, and for the modules beside them.

    Files that would not change are left alone, so that Sphinx need not read them again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"galfeat.rst": page("galfeat")}
    pages |= {f"{name}.rst": page(f"galfeat.{name}") for name in (*rooms(), *MODULES)}
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()


def rooms() -> list[str]:
    """Return the names of the packages in galfeat."""
    return [item.name for item in pkgutil.iter_modules(galfeat.__path__) if item.ispkg]


def page(module_name: str) -> str:
    """Return the page of a module: a table of its public names, then each of them."""
    module = importlib.import_module(module_name)
    exported = public_names(module)
    at_the_top = [] if module is galfeat else public_names(galfeat)
    names = [name for name in exported if name not in at_the_top]
    table = [f"   {name}" for name in names if callable(getattr(module, name))]
    lines = [module_name, "=" * len(module_name), "", f".. py:module:: {module_name}", ""]
    lines += [inspect.cleandoc(module.__doc__ or ""), ""]
    if table:
        lines += [f".. currentmodule:: {module_name}", "", ".. autosummary::", "", *table, ""]
    for name in names:
        lines += [*entry(module, name), ""]
    for name in (name for name in exported if name not in names):
        lines += [f"``{module_name}.{name}`` is :py:obj:`galfeat.{name}`.", ""]
    return "\n".join(lines)


def public_names(module: ModuleType) -> list[str]:
    """Return what a module exports, or the classes and functions that it defines itself."""
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if not name.startswith("__")]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def entry(module: ModuleType, name: str) -> list[str]:
    """Return the directive that documents one public name."""
    value, full = getattr(module, name), f"{module.__name__}.{name}"
    if inspect.isclass(value):
        options = ["   :members:", f"   :exclude-members: {FROM_SCIKIT_LEARN}"]
        bases = value.__mro__[1:]
        others = [base for base in bases if not base.__module__.startswith("galfeat.")]
        if len(others) < len(bases):  # show what galfeat's own base classes add
            names = ", ".join(base.__name__ for base in others)
            options.append(f"   :inherited-members: {names}")
        return [f".. autoclass:: {full}", *options]
    if full == "galfeat.cli.main":
        text = "The command line as a click group; see :doc:`/reference/commands`."
        return [f".. py:function:: {full}()", "", f"   {text}"]
    if callable(value):
        return [f".. autofunction:: {full}"]
    kind = type(value).__name__
    return [f".. py:data:: {full}", f"   :type: {kind}", "", f"   {constant_comment(module, name)}"]


def constant_comment(module: ModuleType, name: str) -> str:
    """Return the ``#:`` comment above a constant in the file that defines it.

    Raises
    ------
    ValueError
        If no file of the room has such a comment: every public name is documented.
    """
    (folder,) = module.__path__
    for path in sorted(Path(folder).rglob("*.py")):
        comment = re.search(rf"((?:^#: .*\n)+){name}\b.* = ", path.read_text("utf-8"), re.MULTILINE)
        if comment:
            return " ".join(line.removeprefix("#: ") for line in comment[1].splitlines())
    raise ValueError(f"{module.__name__}.{name} has no comment; write '#: ...' above it")
