"""A damaged cache of compiled kernels is compiled again, and processes can fill it at once."""

import ctypes
import fcntl
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import galfeat
from galfeat import kernels
from galfeat.storage.compiled_files import CompiledFiles

VALUES = np.arange(4.0)
MODULE = """
from galfeat.kernels import kernel

@kernel
def total(values):
    return values.sum()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a file with a kernel, cached in the folder `cache`."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    caches = [value for value in vars(kernels).values() if hasattr(value, "cache_clear")]
    for value in caches:
        value.cache_clear()
    path = tmp_path / "toy.py"
    path.write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop("toy", None)
    for value in caches:
        value.cache_clear()


def load(module):
    """Return the kernel, compiled or loaded, as in a new process."""
    sys.modules.pop("toy", None)
    toy = importlib.import_module("toy")
    assert toy.__file__ == str(module)
    assert toy.total(VALUES) == 6.0
    return toy.total


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def entry(module):
    """Return the only file of compiled code."""
    (path,) = (path for path in (module.parent / "cache").rglob("*") if path.is_file())
    return path


def flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def replace_by_folder(path):
    path.unlink()
    path.mkdir()
    (path / "file").write_text("in the way")


def replace_folder_by_file(path):
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")


DAMAGE = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "random": lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)),
    "a bit of the checksum flipped": lambda path: flip(path, 3),
    "a bit of the machine code flipped": lambda path: flip(path, path.stat().st_size // 2),
    "a folder": replace_by_folder,
    "no folder": replace_folder_by_file,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_code_is_compiled_again_and_replaced(module, damage, capsys):
    load(module)
    DAMAGE[damage](entry(module))
    capsys.readouterr()
    again = load(module)
    assert hits(again) == 0
    assert ("are damaged; compiling them again" in capsys.readouterr().err) is (
        damage != "no folder"
    )
    assert hits(load(module)) == 1
    assert entry(module).is_file()


def test_code_that_is_intact_but_no_kernel_is_compiled_again(module):
    kernel = load(module)
    files = kernel._cache._cache_file
    key = kernel._cache._index_key(kernel.signatures[0], kernel.targetctx.codegen())
    files.save(key, (1, 2, 3))
    assert hits(load(module)) == 0
    assert hits(load(module)) == 1


def test_unreadable_code_is_compiled_again_and_replaced(module, without_override):
    def bound_by_modes():
        without_override()
        if os.geteuid() == 0:
            drop_from_bounding_set, dac_read_search = 24, 2
            ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_read_search)

    load(module)
    entry(module).chmod(0)
    script = "import numpy, toy; toy.total(numpy.arange(4.0)); print(toy.total.stats.cache_hits)"
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=module.parent, preexec_fn=bound_by_modes,
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert entry(module).stat().st_mode & 0o400
    assert hits(load(module)) == 1


def test_damaged_code_in_a_read_only_folder_compiles_in_memory(module, monkeypatch, capsys):
    load(module)
    path = entry(module)
    path.write_bytes(b"")

    def refuse(files, key, data):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(CompiledFiles, "save", refuse)
    assert hits(load(module)) == 0
    assert "kernels are compiled in memory" in capsys.readouterr().err
    assert path.read_bytes() == b""


def environment():
    return {**os.environ, "PYTHONPATH": str(Path(galfeat.__file__).parents[1])}


def test_two_processes_compile_at_once(module):
    script = "import json, numpy, toy; print(json.dumps(toy.total(numpy.arange(4.0))))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=module.parent,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [json.loads(output) for output, _ in outputs] == [6.0, 6.0], outputs
    assert hits(load(module)) == 1
    assert entry(module).suffix == ".nbc"


def test_the_rest_of_a_killed_process_is_replaced(module):
    load(module)
    path = entry(module)
    path.rename(path.with_name(path.name + ".tmp"))
    assert hits(load(module)) == 0
    assert hits(load(module)) == 1
    assert entry(module) == path


def test_code_that_another_process_is_writing_is_left_to_it(module):
    load(module)
    path = entry(module)
    temporary = path.with_name(path.name + ".tmp")
    path.rename(temporary)
    with temporary.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        before = temporary.read_bytes()
        assert hits(load(module)) == 0
    assert temporary.read_bytes() == before
    assert not path.exists()


def test_without_a_home_folder_kernels_compile_in_memory(module, monkeypatch, capsys):
    for variable in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)

    def fail():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    load(module)
    notice = capsys.readouterr().err
    assert "there is no home folder" in notice
    assert "set NUMBA_CACHE_DIR" in notice


def test_a_cache_folder_made_under_an_odd_umask_is_usable(module):
    before = os.umask(0o777)
    try:
        load(module)
    finally:
        os.umask(before)
    folder = kernels.cache_folder()
    assert [path.stat().st_mode & 0o700 for path in (folder, folder.parent)] == [0o700] * 2
