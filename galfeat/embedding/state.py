"""The state of a training run and its checkpoint on disk."""

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
from galfeat.embedding.trunk import Multitask, Trunk, lay_out
from galfeat.storage.atomic import atomic_file
from galfeat.storage.reading import open_regular

WEIGHT_DECAY = 0.02
#: The final weights are a running mean over about this share of all steps.
AVERAGED = 0.05
#: Number of precomputed noise planes.
NOISE_PLANES = 2048
#: Maximum size of a checkpoint in bytes.
_LIMIT = 2**31


class State:
    """The state of a training run.

    Parameters
    ----------
    tasks : Tasks
        Tasks and settings.

    Attributes
    ----------
    history : list of dict
        Losses of each epoch.
    best : dict
        The trunk's weights after the best epoch, averaged over steps.
    best_epoch : int
    """

    def __init__(self, tasks: Tasks) -> None:
        self.tasks, plan = tasks, tasks.plan
        n_classes = {k: int(v.max()) + 1 for k, v in tasks.samples.classes.items()}
        torch.manual_seed(plan.seed)
        self.random = torch.Generator().manual_seed(plan.seed)
        self.noise = torch.randn(NOISE_PLANES, 64, 64, generator=self.random)
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
        """Return whether all epochs are done, or the loss has stopped improving."""
        done = len(self.history)
        return done >= self.tasks.plan.epochs or (
            done - self.best_epoch >= self.tasks.plan.patience
        )

    def epoch(self) -> None:
        """Train for one epoch and compute the loss on the held-back galaxies."""
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
        is_round = torch.from_numpy(self.tasks.samples.round[rows])
        planes = augment(self.tasks.planes(rows), is_round, self.random, self.noise)
        with half_precision():
            outputs = self.network(planes.contiguous(memory_format=torch.channels_last))
        loss = self.tasks.loss(_full_precision(outputs), rows)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        self.steps += 1
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        share = 1.0 / max(1.0, min(self.steps, AVERAGED * self.schedule.total_steps))
        current = self.network.state_dict()
        with torch.no_grad():
            for name, mean in self.averaged.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(current[name], share)
                else:
                    mean.copy_(current[name])

    def _held_back_loss(self) -> float:
        rows, size = self.tasks.held_back, 4 * self.tasks.plan.batch_size
        total = 0.0
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            planes = self.tasks.planes(part).contiguous(memory_format=torch.channels_last)
            with torch.no_grad():
                loss = self.tasks.loss(self.averaged(planes), part)
            total += float(loss) * len(part)
        return total / max(len(rows), 1)

    def save(self, checkpoint: Path, key: str) -> None:
        """Write the state to a checkpoint file, atomically."""
        with atomic_file(checkpoint) as temporary, temporary.open("wb") as stream:
            torch.save({"key": key, **self._to_dict()}, stream)

    def restore(self, checkpoint: Path, key: str) -> bool:
        """Restore a state saved with the same key; return whether there was one.

        Afterwards, this state can only be used if one was restored.
        """
        try:
            with open_regular(checkpoint, _LIMIT) as stream:
                saved = torch.load(stream, weights_only=True)
            if saved["key"] != key:
                return False
            Trunk().load_state_dict(saved["best"])
            self.best = saved["best"]
            for name in ("network", "averaged", "optimiser", "schedule"):
                getattr(self, name).load_state_dict(saved[name])
            self.random.set_state(saved["random"])
            torch.set_rng_state(saved["dropout"])
            self.history = [_losses(entry) for entry in saved["history"]]
            self.steps, self.best_epoch = int(saved["steps"]), int(saved["best_epoch"])
        except Exception:  # missing, damaged or of another program
            return False
        return True

    def _to_dict(self) -> dict[str, Any]:
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


def _losses(entry: dict[str, float]) -> dict[str, float]:
    return {
        "epoch": int(entry["epoch"]),
        "training": float(entry["training"]),
        "held_back": float(entry["held_back"]),
    }


def half_precision() -> AbstractContextManager[Any]:
    """Compute in 16 bits, twice as fast, if the processor supports it natively."""
    capabilities = torch.cpu.get_capabilities()
    if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"):
        autocast: AbstractContextManager[Any] = torch.autocast("cpu", dtype=torch.bfloat16)
        return autocast
    return nullcontext()


def _full_precision(outputs: tuple[dict[str, Tensor], Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """Return the outputs in 32 bits, as required by the loss."""
    scores, numbers = outputs
    return {kind: score.float() for kind, score in scores.items()}, numbers.float()
