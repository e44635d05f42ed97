"""The classifiers an ensemble can be made of.

Each is built with what makes its result the same to the last bit for any number of
threads, and takes NaN: those that cannot by themselves impute inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Estimator: TypeAlias = Any
Parameters: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """One classifier of an ensemble.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    params : mapping, optional
        Parameters of the estimator behind it, by the names its own library gives
        them; what is not given keeps the library's default.
    """

    kind: str
    params: Parameters = field(default_factory=dict)

    def check(self) -> None:
        """Raise RecipeError unless `params` are known to the estimator."""

    def build(self, *, n_jobs: int = 1, random_state: int = 0) -> Estimator:
        """Return the unfitted estimator: ``fit(X, y)`` with y from 0 to k - 1, ``predict_proba``.

        Parameters
        ----------
        n_jobs : int
            Native threads. The result does not depend on it.
        random_state : int
            Seed.
        """
        return _BUILDERS[self.kind](dict(self.params), n_jobs, random_state)


def _lightgbm(params: dict[str, Any], n_jobs: int, random_state: int) -> Estimator:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        **params,
        # Histograms are then summed in one order, however many threads there are.
        deterministic=True,
        force_row_wise=True,
        importance_type="gain",
        verbosity=-1,
        n_jobs=n_jobs,
        random_state=random_state,
    )


_BUILDERS: dict[str, Callable[[dict[str, Any], int, int], Estimator]] = {
    "lightgbm": _lightgbm,
}
KINDS = tuple(_BUILDERS)
