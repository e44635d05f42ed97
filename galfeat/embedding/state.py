"""Where a training stands after so many steps, and how it is kept on disk."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from galfeat.embedding.augmentation import augment
from galfeat.embedding.tasks import Tasks
from galfeat.embedding.trunk import Multitask, lay_out
from galfeat.storage.atomic import atomic_file

WEIGHT_DECAY = 0.02
#: The weights that are kept are a running mean over about this share of all steps.
AVERAGED = 0.05
#: Planes of noise.
GRAINS = 2048


class State:
    """Where a training stands.

    Parameters
    ----------
    tasks : Tasks
        What is learned, and how.

    Attributes
    ----------
    history : list of dict
        What became of each epoch.
    best : dict
        The trunk's weights after the best epoch, averaged over steps.
    best_epoch : int
    """

    def __init__(self, tasks: Tasks) -> None:
        self.tasks, plan = tasks, tasks.plan
        n_classes = {k: int(v.max()) + 1 for k, v in tasks.samples.classes.items()}
        torch.manual_seed(plan.seed)
        self.random = torch.Generator().manual_seed(plan.seed)
        self.grain = torch.randn(GRAINS, 64, 64, generator=self.random)
        self.network = Multitask(n_classes, len(tasks.samples.numbers))
        lay_out(self.network, torch.channels_last)
        self.averaged = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.learning_rate, weight_decay=WEIGHT_DECAY
        )
        steps = sum(1 for _ in tasks.epoch_rows(torch.Generator().manual_seed(0)))
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, plan.learning_rate, total_steps=max(1, steps * plan.epochs),
            pct_start=0.2,
        )  # fmt: skip
        self.steps = 0
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = copy.deepcopy(self.averaged.trunk.state_dict())
        self.best_epoch = 0

    def finished(self) -> bool:
        """Tell whether the last epoch is done, or the last good one is long ago."""
        done = len(self.history)
        return done >= self.tasks.plan.epochs or (
            done - self.best_epoch >= self.tasks.plan.patience
        )

    def epoch(self) -> None:
        """Train on all galaxies once, and look at those held back."""
        self.network.train()
        losses = [self._step(rows) for rows in self.tasks.epoch_rows(self.random)]
        held_back = self._held_back_loss()
        self.history.append(
            {
                "epoch": len(self.history) + 1,
                "training": float(np.mean(losses)),
                "held_back": held_back,
            }
        )
        if held_back <= min(entry["held_back"] for entry in self.history):
            self.best = copy.deepcopy(self.averaged.trunk.state_dict())
            self.best_epoch = len(self.history)

    def _step(self, rows: NDArray[np.intp]) -> float:
        round_ones = torch.from_numpy(self.tasks.samples.round[rows])
        shown = augment(self.tasks.shown(rows), round_ones, self.random, self.grain)
        with halved():
            answers = self.network(shown.contiguous(memory_format=torch.channels_last))
        loss = self.tasks.loss(_full(answers), rows)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.steps += 1
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        share = 1.0 / max(1.0, min(self.steps, AVERAGED * self.schedule.total_steps))
        own = self.network.state_dict()
        with torch.no_grad():
            for name, mean in self.averaged.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(own[name], share)
                else:
                    mean.copy_(own[name])

    def _held_back_loss(self) -> float:
        rows, size = self.tasks.held_back, 4 * self.tasks.plan.batch_size
        total = 0.0
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            shown = self.tasks.shown(part).contiguous(memory_format=torch.channels_last)
            with torch.no_grad():
                loss = self.tasks.loss(self.averaged(shown), part)
            total += float(loss) * len(part)
        return total / max(len(rows), 1)

    def keep(self, checkpoint: Path, key: str) -> None:
        """Write the state down, whole or not at all."""
        with atomic_file(checkpoint) as temporary, temporary.open("wb") as stream:
            torch.save({"key": key, **self._everything()}, stream)

    def restore(self, checkpoint: Path, key: str) -> None:
        """Go on from a state that was kept under the same key; do nothing without one."""
        if not checkpoint.is_file():
            return
        try:
            kept = torch.load(checkpoint, weights_only=True)
        except Exception:  # a damaged file is as good as none
            return
        if kept.get("key") != key:
            return
        for name in ("network", "averaged", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(kept[name])
        self.random.set_state(kept["random"])
        torch.set_rng_state(kept["dropout"])
        self.best = kept["best"]
        self.history = kept["history"]
        self.steps, self.best_epoch = kept["steps"], kept["best_epoch"]

    def _everything(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": self.random.get_state(),
            "dropout": torch.get_rng_state(),
            "best": self.best,
            "history": self.history,
            "steps": self.steps,
            "best_epoch": self.best_epoch,
        }


def halved() -> AbstractContextManager[Any]:
    """Compute in 16 bits where the processor does so natively: twice as fast."""
    can = torch.cpu.get_capabilities()
    if can.get("avx512_bf16") or can.get("amx_bf16"):
        halved: AbstractContextManager[Any] = torch.autocast("cpu", dtype=torch.bfloat16)
        return halved
    return nullcontext()


def _full(answers: tuple[dict[str, Tensor], Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """Return the answers in 32 bits, in which losses are computed."""
    scores, numbers = answers
    return {kind: score.float() for kind, score in scores.items()}, numbers.float()
