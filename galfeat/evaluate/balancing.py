"""Record of how classes were balanced in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from galfeat.pipeline.members import Member


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

    Examples
    --------
    >>> from galfeat.evaluate import Balancing
    >>> from galfeat.pipeline import Member
    >>> Balancing.of("under", [Member("lightgbm")], before=[500, 40]).after
    [40, 40]
    """

    method: str
    before: Sequence[int]
    members: int = 1
    self_balancing: int = 0
    soft: bool = False

    @classmethod
    def of(
        cls, balance: str, members: Sequence[Member], before: Sequence[int], *, soft: bool = False
    ) -> Balancing:
        """Return the record of an ensemble with these members and this `balance` method."""
        own = [member.kind for member in members if member.balances_itself]
        only_own = balance == "none" and len(own) == len(members)
        return cls(own[0] if only_own else balance, before, len(members), len(own), soft)

    @property
    def after(self) -> list[int] | None:
        """Rows of each class after balancing; None if rows are used as collected."""
        if self.method in ("over", "smote"):
            return [max(self.before)] * len(self.before)
        if self.method in ("under", "bagging", "balanced-forest"):
            return [min(self.before)] * len(self.before)
        return None
