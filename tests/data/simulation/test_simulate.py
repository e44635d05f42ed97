"""Simulated files: their form, counts and truth, the same bytes for any threads, faults."""

import contextlib
import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation.simulator import (
    GALAXY10_COUNTS,
    class_labels,
    draw,
    simulate,
    simulate_file,
)
from galfeat.errors import DataError, OutputError

SEED = 3


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "galaxies.h5"
    simulate_file(path, 40, seed=SEED, jobs=2)
    return path


@pytest.fixture(scope="module")
def simulation():
    return simulate(40, seed=SEED)


@contextlib.contextmanager
def largest_file(size):
    """Let this process write no file larger than `size`, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_has_the_form_of_galaxy10_decals(path):
    with h5py.File(path) as file:
        assert file["images"].shape == (40, 256, 256, 3)
        assert file["images"].dtype == np.uint8
        assert file["images"].chunks is None
        assert file["ans"].dtype == np.uint8
        assert (np.diff(file["ans"][:].astype(int)) >= 0).all()
        for name in ("ra", "dec", "redshift", "pxscale"):
            assert file[name].dtype == np.float64
            assert file[name].shape == (40,)
            assert np.isfinite(file[name][:]).all()
        assert set(file["pxscale"][:]) == {0.262}
        assert tuple(file.attrs["class_names"]) == GALAXY10_DECALS


def test_a_file_opens_like_the_published_one(path, simulation):
    dataset = open_dataset(path)
    assert dataset.class_names == GALAXY10_DECALS
    assert np.array_equal(dataset.labels, simulation.labels)
    (image,) = dataset.read(np.array([17]))
    assert np.array_equal(image, simulation.images[17])


def test_the_same_seed_gives_the_same_bytes_for_any_number_of_jobs(path, tmp_path):
    simulate_file(tmp_path / "again.h5", 40, seed=SEED, jobs=1)
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_another_seed_gives_other_galaxies():
    first, second = simulate(2, seed=1), simulate(2, seed=2)
    assert (first.columns["ra"] != second.columns["ra"]).all()


def test_the_truth_in_the_file_is_what_was_drawn(path, simulation):
    targets = [scene.galaxies[0] for scene in simulation.scenes]
    with h5py.File(path) as file:
        truth = {name: file["truth"][name][:] for name in file["truth"]}
    for name, column in truth.items():
        assert np.array_equal(column, simulation.columns[f"truth/{name}"], equal_nan=True)
    for row, (scene, target) in enumerate(zip(simulation.scenes, targets, strict=True)):
        assert truth["redshift"][row] == scene.redshift
        assert truth["x"][row] == pytest.approx(127.5 + target.x / 0.262)
        assert truth["nuclei"][row] == min(len(scene.galaxies), 2)
        if target.arms is None:
            assert truth["arm_number"][row] == 0
            assert np.isnan(truth["pitch_angle"][row])
        else:
            assert truth["pitch_angle"][row] == target.arms.pitch
            assert truth["winding"][row] == target.arms.winding
        if target.bar is not None:
            assert truth["bar_length"][row] == target.bar.length
        if target.spheroid is not None:
            assert truth["sersic_n"][row] == target.spheroid.index


def test_the_truth_is_enough_to_draw_an_image_anew(simulation):
    scene = simulation.scenes[20]
    quiet = draw(scene, noise=False).astype(float)
    difference = np.abs(simulation.images[20].astype(float) - quiet)
    assert np.median(difference) < 20
    assert np.corrcoef(simulation.images[20].ravel(), quiet.ravel())[0, 1] > 0.5


def test_scenes_do_not_depend_on_the_rendering():
    legacy, sdss = simulate(10, seed=5), simulate(10, seed=5, rendering="sdss")
    assert legacy.scenes == sdss.scenes
    # SDSS cut-outs are scaled to the galaxy: the same width in radii, whatever the size.
    widths = 256 * sdss.columns["pxscale"] / sdss.columns["truth/radius90"]
    assert (widths > 5).all()
    assert (widths < 8).all()


def test_counts_follow_galaxy10_with_a_few_of_each_class():
    counts = np.bincount(class_labels(17736))
    shares = np.array(GALAXY10_COUNTS) / sum(GALAXY10_COUNTS)
    assert counts.sum() == 17736
    assert np.abs(counts / 17736 - (0.9 * shares + 0.01)).max() < 1e-3
    assert np.bincount(class_labels(300), minlength=10).min() >= 3
    assert len(class_labels(7)) == 7


def test_counts_can_be_given():
    counts = [1, 0, 2, 0, 0, 1, 0, 0, 0, 1]
    assert np.array_equal(np.bincount(class_labels(5, counts), minlength=10), counts)


@pytest.mark.parametrize("counts", [[1, 2], [1] * 9 + [-1], [1] * 10])
def test_counts_that_do_not_fit_are_refused(counts):
    with pytest.raises(DataError, match="do not fit 8 galaxies"):
        class_labels(8, counts)


def test_no_galaxies_and_an_unknown_rendering_are_refused(tmp_path):
    with pytest.raises(DataError, match="ask for at least 1"):
        simulate(0)
    with pytest.raises(DataError, match="choose one of legacy, sdss"):
        simulate_file(tmp_path / "a.h5", 3, rendering="hst")
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*nowhere"):
        simulate_file(tmp_path / "nowhere" / "a.h5", 3)


@pytest.mark.parametrize("size", [300, 700_000])
def test_a_full_disk_leaves_the_existing_file_unchanged(tmp_path, size):
    simulate(10)  # so that no kernel has to be stored on the full disk
    path = tmp_path / "galaxies.h5"
    path.write_text("what stood there")
    with largest_file(size), pytest.raises(OutputError, match="cannot write") as caught:
        simulate_file(path, 10)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "what stood there"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing(tmp_path):
    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_file(tmp_path / "galaxies.h5", 10, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_after_the_warm_up_nothing_is_left_to_compile():
    script = """
import pkgutil, importlib
import galfeat.data.simulation as room
from galfeat.data.simulation.simulator import simulate
from galfeat.data.simulation.warmup import warmup

def compiled():
    modules = [importlib.import_module(f"{room.__name__}.{m.name}")
               for m in pkgutil.iter_modules(room.__path__)]
    kernels = {k.py_func.__qualname__: k for m in modules for k in vars(m).values()
               if hasattr(k, "py_func")}
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}

warmup()
before = compiled()
for rendering in ("legacy", "sdss"):
    simulate(40, rendering=rendering)
assert len(before) > 10, before
assert compiled() == before, (before, compiled())
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_progress_counts_every_image(tmp_path):
    calls = []
    simulate_file(tmp_path / "a.h5", 5, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_the_command_writes_a_file_and_prints_its_speed(tmp_path):
    path = tmp_path / "galaxies.h5"
    result = CliRunner().invoke(main, ["data", "simulate", "-n", "3", "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert "images/s" in result.stderr
    assert len(open_dataset(path)) == 3


def test_the_command_prints_one_line_if_it_cannot_write(tmp_path):
    path = tmp_path / "nowhere" / "galaxies.h5"
    result = CliRunner().invoke(main, ["data", "simulate", "-n", "3", "-o", str(path)])
    assert result.exit_code == OutputError.exit_code
    assert result.stderr.count("\n") == 1
