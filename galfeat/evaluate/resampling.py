"""How the classes were balanced in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from galfeat.pipeline.members import Member


@dataclass(frozen=True)
class Resampling:
    """How the classes were balanced in training.

    Attributes
    ----------
    method : str
        A balance method of a pipeline, or "balanced-forest" where every member is one, which
        balances the classes by itself.
    before : sequence of int, length k
        Training rows of each class as collected.
    members, own : int
        How many members the model has, and how many of them balance the classes by
        themselves.
    """

    method: str
    before: Sequence[int]
    members: int = 1
    own: int = 0

    @classmethod
    def of(cls, balance: str, members: Sequence[Member], before: Sequence[int]) -> Resampling:
        """Say how an ensemble of these members and this `balance` was balanced."""
        own = [member.kind for member in members if member.balances_itself]
        alone = balance == "none" and len(own) == len(members)
        return cls(own[0] if alone else balance, before, len(members), len(own))

    @property
    def after(self) -> list[int] | None:
        """Rows of each class in a balanced draw; None where rows stay as collected."""
        if self.method in ("over", "smote"):
            return [max(self.before)] * len(self.before)
        if self.method in ("under", "bagging", "balanced-forest"):
            return [min(self.before)] * len(self.before)
        return None
