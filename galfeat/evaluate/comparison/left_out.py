"""What the scores lose when a model is fitted again without a family of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from galfeat.evaluate.comparison.paired import (
    LOWER_IS_BETTER,
    Comparison,
    OutOfFold,
    compare_predictions,
)
from galfeat.evaluate.intervals import Interval

#: The scores whose loss is told.
SCORES = ("balanced_accuracy", "macro_f1", "log_loss")
#: Those that say whether a family is missed. Log loss also follows the luck of a single fit, which
#: no interval over galaxies holds: without a family of pure noise it can change by more.
_DECISIVE = ("balanced_accuracy", "macro_f1")
_WHOLE, _AGAIN = "the model", "fitted again"

Losses = dict[str, Interval]


@dataclass(frozen=True)
class Ablation:
    """What the scores lose without each family of features.

    Attributes
    ----------
    families : dict of str to dict of str to Interval
        Of each family the loss of each of `SCORES` with its 95 % interval: above zero the
        model is worse without it. The family whose loss of balanced accuracy is largest
        comes first.
    again : dict of str to Interval
        The losses of a model that was fitted again with other random numbers and nothing
        left out: what is luck of the fit.
    only : tuple of str
        Families that cannot be left out, because no member would be left to fit.
    n, n_training : int
        Galaxies that were scored, and that each model was fitted to.
    """

    families: dict[str, Losses]
    again: Losses
    only: tuple[str, ...]
    n: int
    n_training: int

    def costs(self, family: str) -> bool:
        """Tell whether classes are named worse without a family, by more than luck.

        The interval of balanced accuracy or macro-F1, which tells of the luck of galaxies, lies
        above zero, and the loss is larger than what fitting again with nothing left out
        changes.
        """
        losses = self.families[family]
        return any(
            losses[name].low > 0 and losses[name].value > abs(self.again[name].value)
            for name in _DECISIVE
        )

    def helps(self, family: str) -> bool:
        """Tell whether classes are named better without a family, by more than luck."""
        losses = self.families[family]
        return any(
            losses[name].high < 0 and -losses[name].value > abs(self.again[name].value)
            for name in _DECISIVE
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything in plain types, None for what is not finite."""
        return {
            "n": self.n,
            "n_training": self.n_training,
            "lost_without": {
                family: {name: lost.to_json() for name, lost in losses.items()}
                for family, losses in self.families.items()
            },
            "lost_when_fitted_again": {name: lost.to_json() for name, lost in self.again.items()},
            "cannot_be_left_out": list(self.only),
        }


def measure_ablation(
    y_true: ArrayLike,
    whole: OutOfFold,
    again: OutOfFold,
    without: Mapping[str, OutOfFold],
    class_names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    only: Sequence[str] = (),
    n_training: int,
    seed: int = 0,
) -> Ablation:
    """Compare the answers of a model with those of models that lack a family.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy; none was used in a fit.
    whole, again : OutOfFold
        Of the model, and of one like it that was fitted with other random numbers.
    without : mapping of str to OutOfFold
        Of a model fitted without each family; the same galaxies for all.
    class_names : sequence of str
        The k class names in order.
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together.
    only : sequence of str
        Families that cannot be left out.
    n_training : int
        Galaxies that each model was fitted to.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Ablation
        Its intervals are paired, as those of `compare_predictions`. Galaxies that the model gave
        no prediction for are left out.
    """
    answered = np.isfinite(whole.probabilities[0]).all(axis=1)
    every = {_WHOLE: whole, _AGAIN: again, **without}
    comparison = compare_predictions(
        np.asarray(y_true)[answered],
        {
            name: OutOfFold(one.probabilities[:, answered], one.predicted[:, answered])
            for name, one in every.items()
        },
        class_names,
        groups=None if groups is None else np.asarray(groups)[answered],
        seed=seed,
    )
    losses = {name: _lost(comparison, name) for name in without}
    ranked = sorted(losses, key=lambda family: -losses[family]["balanced_accuracy"].value)
    return Ablation(
        families={family: losses[family] for family in ranked},
        again=_lost(comparison, _AGAIN),
        only=tuple(only),
        n=comparison.n,
        n_training=n_training,
    )


def _lost(comparison: Comparison, name: str) -> Losses:
    """How much worse than the model another one scores."""
    return {
        score: (
            comparison.difference(name, _WHOLE)
            if score in LOWER_IS_BETTER
            else comparison.difference(_WHOLE, name)
        ).scores[score]
        for score in SCORES
    }
