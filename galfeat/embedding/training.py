"""Train the small network, stop early, and resume after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from galfeat.embedding.samples import Samples
from galfeat.embedding.state import State
from galfeat.embedding.tasks import Plan, Tasks
from galfeat.embedding.trunk import Trunk


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network and its training history.

    Attributes
    ----------
    trunk : Trunk
        Weights of the epoch with the lowest loss on the held-back galaxies.
    history : list of dict
        For each epoch, its number `epoch` and the mean losses `training` and `held_back`.
    best_epoch : int
    """

    trunk: Trunk
    history: list[dict[str, float]]
    best_epoch: int


class Training(Tasks):
    """A training run, which resumes after interruption.

    Parameters
    ----------
    samples : Samples
    plan : Plan
    checkpoint : Path
        File for the state after each epoch. A checkpoint that is damaged, or from another
        plan, other samples or another version of galfeat, is ignored.
    """

    def __init__(self, samples: Samples, plan: Plan, checkpoint: Path) -> None:
        super().__init__(samples, plan)
        self.checkpoint = checkpoint

    def run(self, progress: Callable[[int, int], None] | None = None) -> Trained:
        """Train until the loss on the held-back galaxies stops improving.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of completed epochs and the maximum number.
        """
        with _threads(self.plan.threads):
            state, key = State(self), self.key()
            if self.checkpoint.exists() and not state.restore(self.checkpoint, key):
                state = State(self)  # a failed restoration may have changed the other
            while not state.finished():
                if progress is not None:
                    progress(len(state.history), self.plan.epochs)
                state.epoch()
                state.save(self.checkpoint, key)
        if progress is not None:
            progress(self.plan.epochs, self.plan.epochs)
        trunk = Trunk()
        trunk.load_state_dict(state.best)
        return Trained(trunk.eval(), state.history, state.best_epoch)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Set the number of PyTorch threads temporarily."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
