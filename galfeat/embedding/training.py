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
    """A trained network and how it came about.

    Attributes
    ----------
    trunk : Trunk
        Of the epoch with the least loss on the galaxies held back.
    history : list of dict
        For each epoch `epoch`, `training` and `held_back`, the mean loss.
    best_epoch : int
    """

    trunk: Trunk
    history: list[dict[str, float]]
    best_epoch: int


class Training(Tasks):
    """One training, from the first epoch to the last, over as many starts as it takes.

    Parameters
    ----------
    samples : Samples
    plan : Plan
    checkpoint : Path
        Where the state is kept after each epoch. One that another plan, other samples or
        another galfeat left is not read.
    """

    def __init__(self, samples: Samples, plan: Plan, checkpoint: Path) -> None:
        super().__init__(samples, plan)
        self.checkpoint = checkpoint

    def run(self, progress: Callable[[int, int], None] | None = None) -> Trained:
        """Train until the loss on the galaxies held back no longer falls.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of epochs done and the most there can be.
        """
        with _threads(self.plan.threads):
            state, key = State(self), self.key()
            state.restore(self.checkpoint, key)
            while not state.finished():
                if progress is not None:
                    progress(len(state.history), self.plan.epochs)
                state.epoch()
                state.keep(self.checkpoint, key)
        if progress is not None:
            progress(self.plan.epochs, self.plan.epochs)
        trunk = Trunk()
        trunk.load_state_dict(state.best)
        return Trained(trunk.eval(), state.history, state.best_epoch)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch use so many threads, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
