"""Check the calibration of a classifier that somebody else may have put together."""

from __future__ import annotations

import numpy as np

from galfeat.ensemble.calibration import Calibrator
from galfeat.ensemble.combination import Combination
from galfeat.ensemble.isotonic import IsotonicCalibrator
from galfeat.errors import ModelError

#: More points than a curve of calibration ever has.
_MAX_POINTS = 100_000


def check_combination(combination: object, n_members: int, n_classes: int) -> None:
    """Check that each calibration is complete and keeps the order of probabilities.

    Parameters
    ----------
    combination : object
        Should be a `Combination`.
    n_members, n_classes : int

    Raises
    ------
    ModelError
        If it is not a `Combination`, or a calibration has values of wrong types or sizes, a
        negative slope or a descending curve.
    """
    if not isinstance(combination, Combination):
        raise ModelError("its combination_ is not a Combination")
    calibrators = combination.member_calibrators
    if not isinstance(calibrators, list) or len(calibrators) != n_members:
        raise ModelError(f"it does not have one calibration for each of {n_members} members")
    for calibrator in (*calibrators, combination.pool_calibrator):
        _check_calibrator(calibrator, n_classes)


def _check_calibrator(calibrator: object, n_classes: int) -> None:
    if isinstance(calibrator, IsotonicCalibrator):
        _check_linear(calibrator.linear, n_classes)
        _check_curves(calibrator, n_classes)
    else:
        _check_linear(calibrator, n_classes)


def _check_linear(calibrator: object, n_classes: int) -> None:
    if not isinstance(calibrator, Calibrator):
        raise ModelError(f"a calibration is a {type(calibrator).__name__}")
    for name in ("slopes", "bias"):
        values = getattr(calibrator, name)
        if not _is_finite(values, (n_classes,)):
            raise ModelError(f"a calibration has invalid {name}; expected {n_classes} numbers")
    if (calibrator.slopes < 0).any():
        raise ModelError("a calibration has a negative slope, which reverses probabilities")


def _check_curves(calibrator: IsotonicCalibrator, n_classes: int) -> None:
    curves, owners = calibrator.curves, calibrator.curve_of_class
    if not isinstance(curves, list) or len(curves) > n_classes:
        raise ModelError(f"an isotonic calibration has no list of at most {n_classes} curves")
    if not curves:
        return
    for curve in curves:
        points = np.shape(curve)[1] if np.ndim(curve) == 2 else 0
        if not 0 < points <= _MAX_POINTS or not _is_finite(curve, (2, points)):
            raise ModelError("an isotonic calibration has an invalid curve; expected 2 × m numbers")
        if (np.diff(curve[0]) <= 0).any() or (np.diff(curve[1]) < 0).any():
            raise ModelError("an isotonic calibration has a curve that descends")
    if (
        not isinstance(owners, np.ndarray)
        or owners.shape != (n_classes,)
        or owners.dtype.kind != "i"
        or not ((owners >= 0) & (owners < len(curves))).all()
    ):
        raise ModelError("an isotonic calibration does not have one curve for each class")


def _is_finite(values: object, shape: tuple[int, ...]) -> bool:
    """Return whether a value is an array of finite numbers of a shape."""
    return (
        isinstance(values, np.ndarray)
        and values.shape == shape
        and values.dtype == np.float64
        and bool(np.isfinite(values).all())
    )
