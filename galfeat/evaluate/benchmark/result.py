"""The results of a benchmark on one test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from galfeat.evaluate.audit import Audit
from galfeat.evaluate.benchmark.published import NOTE, PUBLISHED
from galfeat.evaluate.comparison.paired import Comparison


@dataclass(frozen=True)
class SplitSummary:
    """How galaxies were divided into training and test galaxies.

    Attributes
    ----------
    digest : str
        SHA-256 of the pixel digests of the test images, in ascending order.
    test_size : float
        Requested share of test galaxies.
    seed : int
    training, test : dict of str to int
        Number of galaxies of each class in either part.
    left_out : dict of str to int
        Number of galaxies in neither part, by reason.

    Examples
    --------
    >>> from galfeat.evaluate.benchmark import SplitSummary
    >>> split = SplitSummary("0f" * 32, 0.2, 0, {"smooth": 8, "disc": 4}, {"smooth": 2, "disc": 1})
    >>> split.n_training, split.n_test
    (12, 3)
    """

    digest: str
    test_size: float
    seed: int
    training: Mapping[str, int]
    test: Mapping[str, int]
    left_out: Mapping[str, int] | None = None

    @property
    def n_training(self) -> int:
        """Number of training galaxies."""
        return sum(self.training.values())

    @property
    def n_test(self) -> int:
        """Number of test galaxies."""
        return sum(self.test.values())

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        return {**asdict(self), "n_training": self.n_training, "n_test": self.n_test}


@dataclass(frozen=True)
class CurvePoint:
    """Scores after fits to a part of the training galaxies.

    Attributes
    ----------
    labels : int or None
        Labels per class, at most; None for all.
    rows : int
        Training galaxies.
    comparison : Comparison
        Scores on all test galaxies.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.evaluate.benchmark import CurvePoint
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> comparison = compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"])
    >>> CurvePoint(20, 40, comparison).to_json()["labels_per_class"]
    20
    """

    labels: int | None
    rows: int
    comparison: Comparison

    @property
    def name(self) -> str:
        """The number of labels per class as text."""
        return "all" if self.labels is None else f"{self.labels:,}"

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON."""
        scores = self.comparison.to_json()["pipelines"]
        return {"labels_per_class": self.labels, "rows": self.rows, "pipelines": scores}


@dataclass(frozen=True, eq=False)
class Benchmark:
    """Scores of pipelines on one test split, fitted to all other galaxies.

    Attributes
    ----------
    comparison : Comparison
        Scores on the test galaxies and paired differences.
    costs : mapping of str to mapping of str to float
        For each pipeline ``fit_seconds``, the processor time of the fit summed over threads, and
        ``peak_memory_mb``, the peak resident memory of the process that fits and predicts, in
        10⁶ bytes.
    curve : tuple of CurvePoint
        By number of labels, ending with all.
    split : SplitSummary
    audit : Audit
        Duplicates, conflicts, images without a galaxy and probable mislabels.
    warnings : tuple of str
        Warnings of the fits.
    caution : str
        Why the scores cannot be compared with published ones; empty if they can.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.duplicates import find_groups
    >>> from galfeat.evaluate.audit import Audit
    >>> from galfeat.evaluate.benchmark import Benchmark, SplitSummary
    >>> from galfeat.evaluate.comparison import OutOfFold, compare_predictions
    >>> y_true = np.array([0, 1] * 20)
    >>> perfect = OutOfFold(np.eye(2)[y_true][None], y_true[None])
    >>> training, test = {"smooth": 2, "disc": 2}, {"smooth": 20, "disc": 20}
    >>> split = SplitSummary("0f" * 32, 0.5, 0, training, test)
    >>> audit = Audit(
    ...     ["a", "b"], ["smooth", "disc"], np.array([0, 1]), np.eye(2), ["", ""], {},
    ...     find_groups(np.arange(32, dtype=np.uint8).reshape(2, 16)),
    ... )
    >>> benchmark = Benchmark(
    ...     compare_predictions(y_true, {"trees": perfect}, ["smooth", "disc"]),
    ...     {"trees": {"fit_seconds": 1.0, "peak_memory_mb": 200.0}}, (), split, audit,
    ... )
    >>> benchmark.to_json()["pipelines"]["trees"]["accuracy"]["value"]
    1.0
    """

    comparison: Comparison
    costs: Mapping[str, Mapping[str, float]]
    curve: tuple[CurvePoint, ...]
    split: SplitSummary
    audit: Audit
    warnings: tuple[str, ...] = ()
    caution: str = ""

    def audit_counts(self) -> dict[str, int]:
        """Return what the audit found, by name."""
        grouping = self.audit.grouping
        return {
            "rows": len(self.audit.ids),
            "equal pixels": grouping.equal,
            "near-identical pairs": len(grouping.pairs),
            "same position": grouping.same_position,
            "same group": grouping.same_group,
            "conflicting labels": int(grouping.conflicting.sum()),
            "may show no galaxy": len(self.audit.not_galaxies),
            "unreadable": len(self.audit.unreadable or {}),
            "probable mislabels": int(self.audit.probable.sum()),
        }

    def to_json(self) -> dict[str, Any]:
        """Return plain types for JSON, with None in place of non-finite numbers."""
        plain = _single(self.comparison.to_json())
        for name, costs in self.costs.items():
            plain["pipelines"][name]["costs"] = dict(costs)
        return {
            "split": self.split.to_json(),
            "audit": self.audit_counts(),
            **plain,
            "learning_curve": [_single(point.to_json()) for point in self.curve],
            "published": {
                "note": NOTE,
                "caution": self.caution or None,
                "scores": [score.to_json() for score in PUBLISHED],
            },
            "warnings": list(self.warnings),
        }


def _single(plain: dict[str, Any]) -> dict[str, Any]:
    """Return scores of a single set of predictions without what describes repeats."""
    plain.pop("repeats", None)
    for scores in plain["pipelines"].values():
        for score in scores.values():
            if "mean" in score:
                score["value"] = score.pop("mean")
                del score["sd"], score["values"]
    return plain
