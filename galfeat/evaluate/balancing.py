"""Record of how classes were balanced in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from galfeat.ensemble.simulated import simulated_counts
from galfeat.pipeline import Pipeline


@dataclass(frozen=True)
class Balancing:
    """How the classes were balanced in training.

    Attributes
    ----------
    method : str
        A balancing method of a pipeline, or "balanced-forest" if every member is one and
        balances the classes itself.
    before : sequence of int, length k
        Training rows of each class as collected.
    members, self_balancing : int
        Number of members, and of those that balance the classes themselves.
    soft : bool
        Whether the model was fitted to fractions of votes; `before` holds their rounded sums.
    simulated : sequence of int, length k, or None
        Simulated galaxies of each class added to the training rows; None with other methods.
    weight : float
        Total weight of the simulated galaxies of a class, in units of the training rows divided
        by the number of classes.
    renderings : tuple of str
        Surveys that the simulated images imitate.
    without_simulated : int
        Number of members fitted to real galaxies only although simulated ones are added.

    Examples
    --------
    >>> from galfeat.evaluate import Balancing
    >>> from galfeat.pipeline import load_pipeline
    >>> Balancing.of(load_pipeline("lightgbm+under"), ["disc", "merger"], [500, 40]).after
    [40, 40]
    """

    method: str
    before: Sequence[int]
    members: int = 1
    self_balancing: int = 0
    soft: bool = False
    simulated: Sequence[int] | None = None
    weight: float = 0.0
    renderings: tuple[str, ...] = ()
    without_simulated: int = 0

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        class_names: Sequence[str],
        before: Sequence[int],
        *,
        soft: bool = False,
    ) -> Balancing:
        """Return the record of a pipeline fitted to `before` galaxies of each class."""
        members, method = pipeline.members, pipeline.balance
        own = [member.kind for member in members if member.balances_itself]
        only_own = method == "none" and len(own) == len(members)
        record = cls(own[0] if only_own else method, before, len(members), len(own), soft)
        if method != "simulate":
            return record
        return replace(
            record,
            simulated=simulated_counts(pipeline.simulated, class_names).tolist(),
            weight=pipeline.simulated.weight,
            renderings=pipeline.simulated.renderings,
            without_simulated=sum(not member.adds_simulated for member in members),
        )

    @property
    def after(self) -> list[int] | None:
        """Rows of each class after balancing; None if rows are used as collected.

        Simulated galaxies count with their weights.
        """
        if self.simulated is not None:
            added = self.weight * sum(self.before) / len(self.before)
            pairs = zip(self.before, self.simulated, strict=True)
            return [round(real + (added if drawn else 0)) for real, drawn in pairs]
        if self.method in ("over", "smote"):
            return [max(self.before)] * len(self.before)
        if self.method in ("under", "bagging", "balanced-forest"):
            return [min(self.before)] * len(self.before)
        return None
