"""The rooms of the package: which may know which, and that no two files import each other."""

import ast
import importlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "galfeat"
#: A room imports from those before it, never from those behind it.
ROOMS = (
    "storage",
    "data",
    "frame",
    "features",
    "embedding",
    "pipeline",
    "ensemble",
    "evaluate",
    "experiments",
    "model_io",
    "explain",
    "web",
    "cli",
)
AT_THE_TOP = {"__init__", "__main__", "errors", "kernels", "classifier", "predictions"}
#: These put the rooms down to the ensemble together; the rooms behind it may know them.
WHOLE = {"classifier", "predictions"}
MOST_FILES = 25


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module):
    """Return the modules of galfeat that one imports, anywhere in it, lazily or for types."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & MODULES.keys()) - {module}


IMPORTS = {module: imports(module) for module in MODULES}


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def test_every_room_is_in_the_order():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(ROOMS)
    assert {path.stem for path in PACKAGE.glob("*.py")} == AT_THE_TOP


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_nothing_from_those_behind_it(room):
    behind = set(ROOMS[ROOMS.index(room) + 1 :])
    if ROOMS.index(room) <= ROOMS.index("ensemble"):
        behind |= WHOLE
    wrong = {
        (module, imported)
        for module in MODULES
        if room_of(module) == room
        for imported in IMPORTS[module]
        if room_of(imported) in behind
    }
    assert wrong == set()


def test_no_files_import_each_other_in_a_circle():
    waiting = {module: set(imported) for module, imported in IMPORTS.items()}
    while ready := [module for module, imported in waiting.items() if not imported]:
        for module in ready:
            del waiting[module]
        for imported in waiting.values():
            imported.difference_update(ready)
    assert waiting == {}


def test_no_folder_is_crowded():
    folders = [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]
    files = {folder: [path for path in folder.iterdir() if path.is_file()] for folder in folders}
    assert [str(folder) for folder, held in files.items() if len(held) > MOST_FILES] == []


@pytest.mark.parametrize(
    "room", [name for name, path in MODULES.items() if path.name == "__init__.py"]
)
def test_a_room_says_what_it_is_for_and_what_others_may_use(room):
    module = importlib.import_module(room)
    assert module.__doc__
    assert module.__doc__.strip()
    assert module.__all__, "a room exports something"
    for name in module.__all__:
        assert getattr(module, name) is not None
