"""Running the network: valid and invalid inputs, and reproducibility."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from galfeat.errors import ModelError
from galfeat.features.embedding import COLUMNS, measure
from galfeat.features.network import Network
from galfeat.features.planes import SHAPE, mirrored, planes
from galfeat.features.shipped_networks import FROZEN, shipped_network
from galfeat.frame import measure_frame
from galfeat.kernels import cache_folder


@pytest.fixture(scope="module")
def shown():
    """Return the planes of eight made-up galaxies."""
    return np.random.default_rng(0).normal(size=(8, *SHAPE)).astype(np.float32)


def test_there_is_one_activation_per_column(shown):
    activations = shipped_network(FROZEN).run(shown)
    assert activations.shape == (8, len(COLUMNS))
    assert activations.dtype == np.float32
    assert np.isfinite(activations).all()
    assert activations.std(axis=0).max() > 0


def test_it_is_pickled_as_bytes_and_returns_the_same(shown):
    network = shipped_network(FROZEN)
    wanted = network.run(shown)  # a session is open now
    other = pickle.loads(pickle.dumps(network))
    assert other.digest == network.digest
    assert (other.run(shown) == wanted).all()


def test_threads_and_order_change_no_bit(shown):
    network = Network(shipped_network(FROZEN).content)
    alone = [network.run(one[None]) for one in shown]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: network.run(one[None]), [*shown] * 5))
    assert all((one == alone[i % 8]).all() for i, one in enumerate(together))


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07" + bytes(100)])
def test_what_is_no_network_is_refused_when_it_is_run(content, shown):
    with pytest.raises(ModelError, match=r"onnxruntime cannot open .* use an ONNX file"):
        Network(content).run(shown)


def test_an_input_of_another_form_is_named(shown):
    with pytest.raises(ModelError, match=r"shape \(8, 4, 64, 64\)"):
        shipped_network(FROZEN).run(shown[:, :4].copy())


def test_mirrors_and_half_a_turn_are_averaged_out(paint):
    frame = measure_frame(paint(q=0.5, pa=0.4, noise=3.0))
    shown = planes(frame)
    assert shown.shape == SHAPE
    run = shipped_network(FROZEN).run
    wanted = measure(frame)
    for other in mirrored(shown):
        np.testing.assert_allclose(run(mirrored(other)).mean(axis=0), wanted, atol=1e-5)


@pytest.mark.parametrize("move", [np.rot90, np.fliplr, np.flipud])
def test_a_turned_or_mirrored_image_has_the_same_activations(paint, move):
    galaxy = paint(q=0.5, pa=0.4, noise=3.0)
    wanted = measure(measure_frame(galaxy))
    found = measure(measure_frame(np.ascontiguousarray(move(galaxy))))
    spread = np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, atol=0.02 * spread)


LOAD = """
from galfeat import load_model
from galfeat.data.simulation.simulator import simulate
load_model("galaxy10").predict_proba(simulate(1, seed=1).images)
"""


def test_running_a_network_sends_and_stores_nothing(tmp_path):
    kept = {"NUMBA_CACHE_DIR": str(cache_folder().parent), "HOME": str(tmp_path)}
    # Where it takes the machine for a builder of software, onnxruntime is silent anyway.
    usual = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    subprocess.run([sys.executable, "-c", LOAD], env={**usual, **kept}, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
