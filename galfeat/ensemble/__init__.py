"""Tables of features in, calibrated class probabilities out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from galfeat.ensemble.decision import decide
from galfeat.ensemble.members import Member

if TYPE_CHECKING:
    from galfeat.ensemble.model import Ensemble

__all__ = ["Ensemble", "Member", "decide"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    # scikit-learn is imported when the estimator is asked for, not when a recipe is read.
    if name == "Ensemble":
        from galfeat.ensemble.model import Ensemble

        return Ensemble
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
