"""Training tasks of the small network: labels and parameters, loss and batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from galfeat.embedding.samples import Samples
from galfeat.storage.checkpoint import sources_digest

Rows = NDArray[np.intp]

#: Share of the galaxies held back for early stopping.
HELD_BACK = 0.1
#: Minimum number of simulated galaxies per epoch, if available.
MIN_SIMULATED = 2500
#: Label smoothing, which allows for wrong labels.
SMOOTHING = 0.05
#: Exponent of the class weights in the loss: inverse frequency to this power.
BALANCE = 0.5


@dataclass(frozen=True)
class Plan:
    """Training settings.

    Attributes
    ----------
    epochs : int
        Maximum number; the learning rate decreases to zero over these.
    patience : int
        Training stops after this many epochs without improvement on the held-back galaxies.
    batch_size : int
    learning_rate : float
        Maximum of the schedule.
    threads : int
        PyTorch threads. The result depends on it.
    seed : int
    """

    epochs: int = 40
    patience: int = 10
    batch_size: int = 128
    learning_rate: float = 3e-3
    threads: int = 2
    seed: int = 0


class Tasks:
    """All tasks of one training run, with some galaxies held back for early stopping.

    Parameters
    ----------
    samples : Samples
    plan : Plan
    """

    def __init__(self, samples: Samples, plan: Plan) -> None:
        self.samples, self.plan = samples, plan
        random = np.random.default_rng(plan.seed)
        shuffled = random.permutation(len(samples))
        held_back = round(HELD_BACK * len(samples))
        self.held_back, self.training = np.sort(shuffled[:held_back]), np.sort(shuffled[held_back:])
        self._classes = {kind: torch.from_numpy(v) for kind, v in samples.classes.items()}
        self._weights = {kind: self._class_weights(kind) for kind in samples.classes}
        self._numbers = self._standardised()

    def epoch_rows(self, random: torch.Generator) -> Iterator[Rows]:
        """Yield the rows of each batch: all real and at least as many simulated galaxies."""
        simulated = self.samples.simulated[self.training]
        real, drawn = self.training[~simulated], self.training[simulated]
        rows = real
        if len(drawn):
            number = min(len(drawn), max(len(real), MIN_SIMULATED))
            chosen = torch.randperm(len(drawn), generator=random)[:number].numpy()
            rows = np.concatenate([real, drawn[chosen]])
        rows = rows[torch.randperm(len(rows), generator=random).numpy()]
        # An incomplete last batch is dropped, unless it is the only one.
        for start in range(0, max(len(rows) - self.plan.batch_size, 0) + 1, self.plan.batch_size):
            yield rows[start : start + self.plan.batch_size]

    def planes(self, rows: Rows) -> Tensor:
        """Return the planes of the given rows."""
        return torch.from_numpy(self.samples.planes[rows].astype(np.float32))

    def loss(self, outputs: tuple[dict[str, Tensor], Tensor], rows: Rows) -> Tensor:
        """Return the loss of the network's outputs for the given rows, summed over tasks."""
        scores, numbers = outputs
        total = numbers.new_zeros(())
        for kind, labels in self._classes.items():
            targets = labels[rows]
            if (targets >= 0).any():
                total = total + functional.cross_entropy(
                    scores[kind],
                    targets,
                    weight=self._weights[kind],
                    ignore_index=-1,
                    label_smoothing=SMOOTHING,
                )
        if self._numbers is not None:
            truth = self._numbers[rows]
            known = torch.isfinite(truth)
            residual = (numbers - torch.nan_to_num(truth)) * known
            total = total + (residual**2).sum() / known.sum().clamp(min=1)
        return total

    def _class_weights(self, kind: str) -> Tensor:
        labels = self.samples.classes[kind]
        counts = np.bincount(labels[labels >= 0]).clip(min=1)
        return torch.from_numpy((counts.mean() / counts) ** BALANCE).float()

    def _standardised(self) -> Tensor | None:
        if not self.samples.numbers:
            return None
        values = np.stack(list(self.samples.numbers.values()), axis=1)
        values = (values - np.nanmean(values, axis=0)) / (np.nanstd(values, axis=0) + 1e-6)
        return torch.from_numpy(values.astype(np.float32))

    def key(self) -> str:
        """Return a digest of everything that determines the result of the training."""
        digest = hashlib.sha256(json.dumps([asdict(self.plan), sources_digest()]).encode())
        digest.update(self.samples.digests.tobytes())
        for name, labels in self.samples.classes.items():
            digest.update(name.encode() + labels.tobytes())
        for name, values in self.samples.numbers.items():
            digest.update(name.encode() + values.tobytes())
        return digest.hexdigest()
