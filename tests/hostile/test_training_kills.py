"""A killed training resumes to the same network; a damaged or foreign state is started over."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import galfeat

torch = pytest.importorskip("torch", reason="the extra cnn is not installed")
pytest.importorskip("onnx", reason="the extra cnn is not installed")

from galfeat.embedding.making import make_embedder  # noqa: E402
from galfeat.embedding.samples import Samples  # noqa: E402
from galfeat.embedding.sources import Source  # noqa: E402
from galfeat.embedding.tasks import Plan  # noqa: E402
from galfeat.errors import OutputError  # noqa: E402
from galfeat.features.network import NETWORK  # noqa: E402

pytestmark = pytest.mark.network

PLAN = Plan(epochs=3, batch_size=16, threads=1, seed=5)
SOURCE = Source("noise", 48, {"form": {"round": 24, "flat": 24}}, sha256="0" * 64)


def samples():
    rng, everyone = np.random.default_rng(0), np.ones(48, bool)
    return Samples(
        planes=rng.normal(size=(48, 5, 64, 64)).astype(np.float16),
        digests=rng.integers(256, size=(48, 16), dtype=np.uint8),
        classes={"form": np.arange(48) % 2},
        numbers={},
        simulated=~everyone,
        round=everyone,
    )


def train(folder, progress=None):
    make_embedder(folder, samples(), [SOURCE], PLAN, command="test", progress=progress)
    return (folder / NETWORK).read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole") / "net")


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_training_kills as test
from pathlib import Path
at, folder = sys.argv[2], Path(sys.argv[3])

def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

if at == "a step":
    from galfeat.embedding.state import State
    steps, step = [], State._step
    def counted(self, rows):
        steps.append(rows)
        return step(self, rows) if len(steps) < 5 else die()
    State._step = counted
elif at == "saving":
    import torch
    saved, save = [], torch.save
    def half(state, stream):
        saved.append(state)
        if len(saved) == 2:
            stream.write(b"half of it")
            stream.flush()
            die()
        save(state, stream)
    torch.save = half
else:
    import galfeat.embedding.making as making
    setattr(making, at, die)
test.train(folder)
"""


@pytest.mark.parametrize("at", ["a step", "saving", "card"])
def test_a_killed_training_ends_with_the_same_network(tmp_path, uninterrupted, at):
    folder = tmp_path / "net"
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent), at, str(folder)],
        env={**os.environ, "PYTHONPATH": str(Path(galfeat.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not folder.exists()
    epochs = []
    assert train(folder, lambda done, total: epochs.append(done)) == uninterrupted
    assert epochs[0] > 0  # it did not start over
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


class Bomb:
    """Unpickling it ends the process."""

    def __reduce__(self):
        return os._exit, (9,)


def damaged(state):
    return state.write_bytes(state.read_bytes()[:5000])


def other_history(state):
    saved = torch.load(state, weights_only=True)
    torch.save(saved | {"history": [{"epoch": "x"}]}, state)


def other_weights(state):
    saved = torch.load(state, weights_only=True)
    saved["network"] = {"layer": torch.zeros(3)}
    torch.save(saved, state)


STATES = {
    "damaged": damaged,
    "empty": lambda state: state.write_bytes(b""),
    "text": lambda state: state.write_text("a diary"),
    "a tensor": lambda state: torch.save(torch.zeros(3), state),
    "a list": lambda state: torch.save([1, 2], state),
    "a pickle that runs code": lambda state: torch.save({"key": Bomb()}, state),
    "another history": other_history,
    "other weights": other_weights,
}


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """Return the bytes of the state of a training after two epochs."""
    folder = tmp_path_factory.mktemp("unfinished") / "net"

    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder, interrupt)
    return (folder.parent / ".net-unfinished.pt").read_bytes()


@pytest.mark.parametrize("kind", STATES)
def test_a_state_that_cannot_be_used_is_started_over(tmp_path, uninterrupted, unfinished, kind):
    state = tmp_path / ".net-unfinished.pt"
    state.write_bytes(unfinished)
    STATES[kind](state)
    epochs = []
    assert train(tmp_path / "net", lambda done, total: epochs.append(done)) == uninterrupted
    assert epochs[0] == 0


def test_a_folder_in_place_of_the_state_is_an_error_before_training(tmp_path):
    (tmp_path / ".net-unfinished.pt").mkdir()
    with pytest.raises(OutputError, match="not a regular file"):
        train(tmp_path / "net", lambda done, total: pytest.fail("trained"))
