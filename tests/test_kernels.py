"""Compiled kernels: their cache, no repeated compilation, and bounds checks."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import galfeat

PACKAGE = Path(galfeat.__file__).parent


def run(script, *arguments, cwd=None, package=PACKAGE, first=None, **environment):
    """Run a script in a process of its own; return what it printed as JSON, and its stderr."""
    variables = {**os.environ, "PYTHONPATH": str(package.parent), **environment}
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=variables, cwd=cwd or package.parent, preexec_fn=first, capture_output=True, text=True,
        timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null"), done.stderr


PLACE = """
import json
import numba
before = numba.config.CACHE_DIR
from galfeat.frame.sky import trim_padding
from galfeat.kernels import cache_folder
print(json.dumps({
    "folder": str(cache_folder()),
    "kernel": str(trim_padding.stats.cache_path),
    "untouched": numba.config.CACHE_DIR == before,
}))
"""


def test_kernels_are_cached_in_the_folder_set_by_the_environment(tmp_path):
    place, notice = run(PLACE, NUMBA_CACHE_DIR=str(tmp_path / "kept" / "here"))
    folder = Path(place["folder"])
    assert folder.parent == tmp_path / "kept" / "here"
    assert folder.is_dir()
    assert folder.name.startswith(f"{galfeat.__version__}-")
    assert Path(place["kernel"]).is_relative_to(folder)
    assert place["untouched"]  # other packages' kernels keep their own place
    assert notice == ""


LEVEL = """
import json
import numba
import numpy as np
from numba.core import codegen
seen = []
original = codegen.CPUCodeLibrary._optimize_final_module
def watched(library):
    if "root_of" in library.name or "other" in library.name:
        seen.append(int(numba.config.OPT))
    original(library)
codegen.CPUCodeLibrary._optimize_final_module = watched
from galfeat.frame.forest import root_of
@numba.njit
def other(number):
    return number + 1
root_of(np.zeros(3, np.int32), 2)
ours, seen = seen, []
other(1)
print(json.dumps([ours, seen, int(numba.config.OPT)]))
"""


@pytest.mark.parametrize(("asked", "ours", "others"), [(None, 2, 3), ("1", 1, 1)])
def test_only_galfeats_kernels_compile_at_level_two(tmp_path, asked, ours, others):
    level = {"NUMBA_OPT": asked} if asked else {}
    (own, foreign, after), _ = run(LEVEL, NUMBA_CACHE_DIR=str(tmp_path), **level)
    assert set(own) == {ours}
    assert set(foreign) == {others}
    assert after == others


def test_kernels_are_cached_in_the_users_cache_folder_by_default(tmp_path):
    place, _ = run(PLACE, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path))
    assert Path(place["folder"]).parent == tmp_path / "galfeat" / "kernels"


DIGEST = (
    "import json; from galfeat.kernels import source_digest; print(json.dumps(source_digest()))"
)


def test_a_changed_kernel_is_cached_in_another_folder(tmp_path):
    copy = tmp_path / "galfeat"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    digests = [run(DIGEST, package=copy)[0]]
    for file in ("errors.py", "frame/sky.py"):
        with (copy / file).open("a") as stream:
            stream.write("# changed\n")
        digests.append(run(DIGEST, package=copy)[0])
    original, other_file, kernel_file = digests
    assert original == run(DIGEST)[0]
    assert other_file == original
    assert kernel_file != original


LOADED = """
import json
import numpy as np
from galfeat.frame.forest import root_of
root_of(np.zeros(3, np.int32), 2)
stats = root_of.stats
print(json.dumps([sum(stats.cache_hits.values()), sum(stats.cache_misses.values())]))
"""


def test_copies_of_the_same_sources_share_their_kernels(tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    copy = tmp_path / "elsewhere" / "galfeat"
    shutil.copytree(
        PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
    )
    assert run(LOADED, **cache)[0] == [0, 1]
    assert run(LOADED, package=copy, **cache)[0] == [1, 0]
    assert run(LOADED, package=copy, NUMBA_BOUNDSCHECK="1", **cache)[0] == [0, 1]


TOY = """
import json
import numpy as np
from toy import total
print(json.dumps([total(np.arange(4.0)), sum(total.stats.cache_hits.values())]))
"""
TOY_MODULE = """
from galfeat.kernels import kernel

@kernel
def total(values):
    return values.sum()
"""


@pytest.fixture
def toy(tmp_path):
    """Return a runner of a kernel of its own, with a given cache folder."""
    (tmp_path / "toy.py").write_text(TOY_MODULE)
    return lambda folder, **options: run(TOY, cwd=tmp_path, NUMBA_CACHE_DIR=str(folder), **options)


@contextlib.contextmanager
def locked(folder):
    """Take away the right to write into a folder and those below it."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


def test_without_a_writable_folder_kernels_compile_in_memory_with_a_notice(toy, tmp_path):
    (tmp_path / "file").write_text("in the way")
    (result, hits), notice = toy(tmp_path / "file" / "cache")
    assert result == 6.0
    assert hits == 0
    assert notice.startswith(f"galfeat: {tmp_path / 'file' / 'cache'}")
    assert "kernels are compiled in memory" in notice
    assert "set NUMBA_CACHE_DIR to a writable folder" in notice
    assert notice.count("\n") == 1


def test_kernels_are_loaded_from_a_folder_that_became_read_only(toy, tmp_path, without_override):
    folder = tmp_path / "cache"
    result, notice = toy(folder)
    assert result == [6.0, 0]
    assert notice == "galfeat: compiling kernels for this machine, once; a minute or more\n"
    kept = sorted(folder.rglob("*"))
    with locked(folder):
        assert toy(folder, first=without_override) == ([6.0, 1], "")
    assert sorted(folder.rglob("*")) == kept


def test_kernels_missing_from_a_read_only_folder_compile_in_memory(toy, tmp_path, without_override):
    folder = tmp_path / "cache"
    toy(folder)
    (compiled,) = folder.rglob("*.nbc")
    compiled.unlink()
    with locked(folder):
        (result, hits), notice = toy(folder, first=without_override)
    assert (result, hits) == (6.0, 0)
    assert "kernels are compiled in memory" in notice
    assert notice.count("\n") == 1


@pytest.fixture(scope="module")
def images(paint, tmp_path_factory):
    """A file of images of every kind that may ask a kernel for another type or another path."""
    from galfeat.data.simulation.simulator import simulate

    rng = np.random.default_rng(0)
    galaxy = paint(90, scale=6.0, q=0.6, pa=0.4, noise=3.0)
    odd = [
        galaxy,
        galaxy[:, :, 1],
        np.pad(galaxy, ((9, 0), (4, 7), (0, 0))),
        galaxy[::-1, ::2],
        paint(16, scale=2.0),
        paint((16, 300), scale=20.0, q=0.1, noise=2.0),
        paint((301, 17), scale=3.0, noise=2.0),
        paint(900, scale=60.0, noise=3.0),
        paint(90, scale=25.0, offset=(0.0, 44.0), noise=2.0),
        paint(90, scale=9.0, peak=9999.0),
        np.full((20, 30, 3), 255, np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        rng.integers(0, 256, (60, 60, 3), dtype=np.uint8),
        255 * rng.integers(0, 2, (40, 60, 3), dtype=np.uint8),
        np.maximum(paint(90, offset=(0.0, -9.0)), paint(90, offset=(0.0, 9.0))),
    ]
    odd[12][30, 30] = 255
    drawn = [
        image
        for rendering in ("legacy", "sdss")
        for image in simulate(10, seed=2, class_counts=[1] * 10, rendering=rendering).images
    ]
    path = tmp_path_factory.mktemp("kernels") / "images.npz"
    np.savez(path, *odd, *drawn)
    return path


MEASURE = """
import json, sys
import numpy as np
from numba.core.registry import CPUDispatcher
from galfeat.data.simulation.simulator import simulate
from galfeat.data.simulation.warmup import warmup as compile_simulator
from galfeat.features import FAMILIES, FeatureExtractor
from galfeat.features.warmup import warmup

def kernels():
    return {
        f"{kernel.py_func.__module__}.{kernel.py_func.__name__}": kernel
        for name, module in list(sys.modules.items()) if name.startswith("galfeat.")
        for kernel in vars(module).values() if isinstance(kernel, CPUDispatcher)
    }

def signatures():
    return {name: {str(types) for types in kernel.signatures} for name, kernel in kernels().items()}

warmup()
compile_simulator()
before = signatures()
images = list(np.load(sys.argv[1]).values())
for image in images[::2]:
    image.flags.writeable = False  # as Pillow gives them
own = tuple(name for name in FAMILIES if name != "statmorph")  # which has no kernel of ours
FeatureExtractor(own, n_jobs=2).extract(images)
FeatureExtractor(own, frame=False).extract(images)
for rendering in ("legacy", "sdss"):
    simulate(20, seed=5, rendering=rendering)
after = signatures()
stats = [kernel.stats for kernel in kernels().values()]
print(json.dumps({
    "new": {name: sorted(types - before[name]) for name, types in after.items()
            if types - before[name]},
    "loaded": sum(sum(one.cache_hits.values()) for one in stats),
    "compiled": sum(sum(one.cache_misses.values()) for one in stats),
}))
"""


def test_warmup_compiles_all_and_the_next_process_nothing(images):
    counts = [run(MEASURE, images)[0] for _ in range(2)]
    for count in counts:
        assert count["new"] == {}
    assert counts[1]["compiled"] == 0
    assert counts[1]["loaded"] > 20


BITS = """
import json, sys
import numpy as np
from galfeat.features.shape import asymmetry
images = np.random.default_rng(0).uniform(1.0, 99.0, (50, 64, 64)).astype(np.float32)
for name in sys.argv[1:]:
    arguments = {"asymmetry": (30.0,), "half_turn_difference": (30.0, 63, 63)}[name]
    called = getattr(asymmetry, name)
    values = np.array([called(image, *arguments) for image in images])
print(json.dumps([values.tobytes().hex(), sum(called.stats.cache_hits.values())]))
"""


def test_results_of_a_kernel_do_not_depend_on_what_was_compiled_before(tmp_path):
    outer, inner = "asymmetry", "half_turn_difference"  # which the outer one calls
    one, other = ({"NUMBA_CACHE_DIR": str(tmp_path / name)} for name in ("one", "other"))
    compiled, loaded, after_the_inner = (
        run(BITS, *names, **one)[0] for names in ([outer], [outer], [inner, outer])
    )
    run(BITS, inner, **other)
    with_the_inner_loaded = run(BITS, outer, **other)[0]
    assert compiled[1] == with_the_inner_loaded[1] == 0
    assert loaded[1] == after_the_inner[1] == 1
    assert len({compiled[0], loaded[0], after_the_inner[0], with_the_inner_loaded[0]}) == 1


BEYOND = """
import json
import numpy as np
from beyond import last
try:
    print(json.dumps(last(np.zeros(3), 3)))
except IndexError:
    print(json.dumps("checked"))
"""
BEYOND_MODULE = """
from galfeat.kernels import kernel

@kernel
def last(values, size):
    return values[size]
"""


def test_bounds_are_checked_on_request_of_the_environment(tmp_path):
    # What `make test-bounds` relies on; without the check the kernel reads beyond its array.
    (tmp_path / "beyond.py").write_text(BEYOND_MODULE)
    cache = str(tmp_path / "cache")
    found, _ = run(BEYOND, cwd=tmp_path, NUMBA_CACHE_DIR=cache, NUMBA_BOUNDSCHECK="1")
    assert found == "checked"
