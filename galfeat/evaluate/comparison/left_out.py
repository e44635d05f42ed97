"""Ablation: the loss in scores when a model is refitted without a feature family."""

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

#: Scores whose losses are reported.
SCORES = ("balanced_accuracy", "macro_f1", "log_loss")
#: Scores that decide whether a family is needed. Log loss also varies between fits, which intervals
#: over galaxies do not include: removing a family of pure noise can change it significantly.
_DECISIVE = ("balanced_accuracy", "macro_f1")
_MODEL, _REFITTED = "the model", "refitted"

Losses = dict[str, Interval]


@dataclass(frozen=True)
class Ablation:
    """Losses in scores without each feature family.

    Attributes
    ----------
    families : dict of str to dict of str to Interval
        For each family, the loss in each of `SCORES` with its 95 % interval; positive means
        that the model is worse without the family. The family with the largest loss in
        balanced accuracy comes first.
    refitted : dict of str to Interval
        Losses of a model refitted with another seed and all families: the variation between
        fits.
    indispensable : tuple of str
        Families that cannot be left out, because no member could be fitted without them.
    n, n_training : int
        Galaxies scored, and galaxies each model was fitted to.

    Examples
    --------
    >>> from galfeat.evaluate import Interval
    >>> from galfeat.evaluate.comparison import Ablation
    >>> loss, none = Interval(0.1, 0.05, 0.15), Interval(0.0, -0.02, 0.02)
    >>> scores = ("balanced_accuracy", "macro_f1", "log_loss")
    >>> ablation = Ablation(
    ...     {"hog": dict.fromkeys(scores, loss), "colour": dict.fromkeys(scores, none)},
    ...     refitted=dict.fromkeys(scores, none), indispensable=(), n=200, n_training=800,
    ... )
    >>> ablation.is_needed("hog"), ablation.is_needed("colour")
    (True, False)
    """

    families: dict[str, Losses]
    refitted: Losses
    indispensable: tuple[str, ...]
    n: int
    n_training: int

    def is_needed(self, family: str) -> bool:
        """Return whether predicted classes are significantly worse without a family.

        True if the interval of the loss in balanced accuracy or macro-F1, which accounts for
        the sampling of galaxies, lies above zero and the loss exceeds the change from
        refitting with another seed.
        """
        losses = self.families[family]
        return any(
            losses[name].low > 0 and losses[name].value > abs(self.refitted[name].value)
            for name in _DECISIVE
        )

    def is_harmful(self, family: str) -> bool:
        """Return whether predicted classes are significantly better without a family."""
        losses = self.families[family]
        return any(
            losses[name].high < 0 and -losses[name].value > abs(self.refitted[name].value)
            for name in _DECISIVE
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with None in place of non-finite numbers."""
        return {
            "n": self.n,
            "n_training": self.n_training,
            "lost_without": {
                family: {name: loss.to_json() for name, loss in losses.items()}
                for family, losses in self.families.items()
            },
            "lost_when_fitted_again": {
                name: loss.to_json() for name, loss in self.refitted.items()
            },
            "cannot_be_left_out": list(self.indispensable),
        }


def measure_ablation(
    y_true: ArrayLike,
    model: OutOfFold,
    refitted: OutOfFold,
    without: Mapping[str, OutOfFold],
    class_names: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    indispensable: Sequence[str] = (),
    n_training: int,
    seed: int = 0,
) -> Ablation:
    """Compare the predictions of a model with those of models that lack a family.

    Parameters
    ----------
    y_true : array_like of int, shape (n,)
        True class of each galaxy; none was used in a fit.
    model, refitted : OutOfFold
        Predictions of the model, and of the model refitted with another seed.
    without : mapping of str to OutOfFold
        For each family, predictions of a model fitted without it, for the same galaxies.
    class_names : sequence of str
        The k class names in order.
    groups : array_like, shape (n,), optional
        Galaxies of one group are resampled together.
    indispensable : sequence of str
        Families that cannot be left out.
    n_training : int
        Galaxies each model was fitted to.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Ablation
        Intervals are paired, as in `compare_predictions`. Galaxies without a prediction by the
        model are ignored.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.comparison import OutOfFold, measure_ablation
    >>> def predictions(classes):
    ...     return OutOfFold(np.eye(2)[classes][None], np.array(classes)[None])
    >>> y_true = [0, 1] * 20
    >>> ablation = measure_ablation(
    ...     y_true,
    ...     predictions(y_true),
    ...     predictions(y_true),
    ...     {"hog": predictions([0] * 40), "colour": predictions(y_true)},
    ...     ["smooth", "disc"],
    ...     n_training=100,
    ... )
    >>> {family: ablation.is_needed(family) for family in ablation.families}
    {'hog': True, 'colour': False}
    """
    valid = np.isfinite(model.probabilities[0]).all(axis=1)
    models = {_MODEL: model, _REFITTED: refitted, **without}
    comparison = compare_predictions(
        np.asarray(y_true)[valid],
        {
            name: OutOfFold(predictions.probabilities[:, valid], predictions.predicted[:, valid])
            for name, predictions in models.items()
        },
        class_names,
        groups=None if groups is None else np.asarray(groups)[valid],
        seed=seed,
    )
    losses = {name: _losses(comparison, name) for name in without}
    ranked = sorted(losses, key=lambda family: -losses[family]["balanced_accuracy"].value)
    return Ablation(
        families={family: losses[family] for family in ranked},
        refitted=_losses(comparison, _REFITTED),
        indispensable=tuple(indispensable),
        n=comparison.n,
        n_training=n_training,
    )


def _losses(comparison: Comparison, name: str) -> Losses:
    """Return how much worse than the full model another model scores."""
    return {
        score: (
            comparison.difference(name, _MODEL)
            if score in LOWER_IS_BETTER
            else comparison.difference(_MODEL, name)
        ).scores[score]
        for score in SCORES
    }
