"""Check a classifier that somebody else may have put together, before it is used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from galfeat.errors import MissingDependencyError, ModelError
from galfeat.features.doubt import SURVEY_COLUMNS
from galfeat.features.quantiles import LEVELS
from galfeat.model_io.calibration_checks import check_combination

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier


def check_classifier(classifier: GalaxyClassifier, manifest: Mapping[str, Any]) -> None:
    """Check that a classifier is complete, fits its manifest and predicts probabilities.

    Libraries do not check fitted attributes, and some crash if their sizes do not match.

    Raises
    ------
    ModelError
        If it does not.
    """
    try:
        _check_parts(classifier, manifest)
        check_combination(
            classifier.ensemble_.combination_,
            len(classifier.ensemble_.members_),
            len(classifier.ensemble_.classes_),
        )
        _check_frequencies(classifier)
        for rows in _calibration_rows(classifier):
            _check_calibration_rows(rows, len(classifier.classes_))
        for member, columns in zip(
            classifier.ensemble_.members_, classifier.ensemble_.columns_, strict=True
        ):
            for part in _parts(member):
                _check_widths(part, len(columns))
                if "support_vectors_" in vars(part):
                    _check_support_vectors(part)
                if hasattr(part, "get_booster"):
                    _check_xgboost_width(part, len(columns))
        _check_prediction(classifier)
    except ModelError:
        raise
    except Exception as error:  # attributes of wrong types raise errors of many types
        reason, *_ = str(error).splitlines() or [""]  # XGBoost adds a stack
        raise ModelError(f"it is incomplete ({type(error).__name__}: {reason})") from error


def _check_parts(classifier: GalaxyClassifier, manifest: Mapping[str, Any]) -> None:
    from galfeat.ensemble import Ensemble
    from galfeat.features.extractor import FeatureExtractor
    from galfeat.pipeline import Pipeline, pipeline_from_dict

    for name, kind in (
        ("pipeline_", Pipeline),
        ("extractor_", FeatureExtractor),
        ("ensemble_", Ensemble),
    ):
        if not isinstance(getattr(classifier, name), kind):
            raise ModelError(f"its {name} is not a {kind.__name__}")
    pipeline = classifier.pipeline_
    if pipeline_from_dict(pipeline.to_dict()) != pipeline:
        raise ModelError("its pipeline is not valid")
    if tuple(classifier.extractor_.families) != tuple(pipeline.measured_families()):
        raise ModelError("its features are not those of its pipeline")
    if np.asarray(classifier.classes_).tolist() != manifest["classes"]:
        raise ModelError("its classes are not those of the manifest")
    if list(classifier.feature_names_) != manifest["feature_names"]:
        raise ModelError("its feature names are not those of the manifest")
    _check_quantiles("quantiles_", classifier.quantiles_, classifier.feature_names_)
    survey = getattr(classifier, "survey_quantiles_", {})  # absent from older models
    _check_quantiles("survey_quantiles_", survey, tuple(SURVEY_COLUMNS))


def _check_quantiles(name: str, known: object, columns: Sequence[str]) -> None:
    """Check that quantiles are those of some of the columns, finite and in ascending order."""
    if not isinstance(known, dict) or not set(known) <= set(columns):
        raise ModelError(f"its {name} are not quantiles of features it uses")
    for column, levels in known.items():
        values = np.asarray(levels, np.float64)
        if values.shape != LEVELS.shape or not (
            np.isfinite(values).all() and (np.diff(values) >= 0).all()
        ):
            raise ModelError(f"its {name} of {column} are not {len(LEVELS)} ascending numbers")


def _check_frequencies(classifier: GalaxyClassifier) -> None:
    """Check the class frequencies of the training rows, and those that probabilities assume."""
    for name, least in (("priors_", 0.0), ("assumed_priors_", -1.0)):
        values = getattr(classifier, name)
        if not _are_frequencies(values, len(classifier.classes_)) or not (values > least).all():
            raise ModelError(f"its {name} are not class frequencies")


def _are_frequencies(values: object, n_classes: int) -> bool:
    return (
        isinstance(values, np.ndarray)
        and values.dtype == np.float64
        and values.shape == (n_classes,)
        and bool((values >= 0).all())
        and bool(np.isclose(values.sum(), 1.0))
    )


def _calibration_rows(classifier: GalaxyClassifier) -> Iterator[object]:
    """Yield the calibration rows of the fit and those in their place; models may have none."""
    for holder, name in ((classifier.ensemble_, "calibration_rows_"), (classifier, "_calibration")):
        rows = vars(holder).get(name)
        if rows is not None:
            yield rows


def _check_calibration_rows(rows: object, n_classes: int) -> None:
    """Check the types, sizes and ranges of calibration rows."""
    from galfeat.ensemble.population import CalibrationRows

    if not isinstance(rows, CalibrationRows):
        raise ModelError(f"its calibration rows are a {type(rows).__name__}")
    probabilities, codes = rows.probabilities, rows.codes
    arrays = {"probabilities": (probabilities, np.float32), "codes": (codes, np.int16)}
    for name, (values, kind) in arrays.items():
        if not isinstance(values, np.ndarray) or values.dtype != kind:
            raise ModelError(f"the {name} of its calibration rows are not of type {kind.__name__}")
    if probabilities.shape != (*codes.shape, n_classes) or codes.ndim != 1:
        raise ModelError("its calibration rows have the wrong shape")
    if not ((codes >= 0) & (codes < n_classes)).all():
        raise ModelError("its calibration rows have classes that the model does not have")
    valid = (probabilities >= 0).all() and np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-3)
    if not valid or not _are_frequencies(rows.priors, n_classes) or not rows.priors.all():
        raise ModelError("its calibration rows hold no probabilities")
    if type(rows.out_of_fold) is not bool:
        raise ModelError("its calibration rows do not state whether they are out of fold")


def _parts(estimator: object) -> Iterator[Any]:
    """Yield an estimator and the estimators inside it."""
    waiting, seen = [estimator], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif type(value).__module__.partition(".")[0] in ("galfeat", "sklearn", "imblearn"):
            attributes = getattr(value, "__dict__", {})
            if attributes:
                yield value
            waiting.extend(attributes.values())


def _check_widths(estimator: Any, n_columns: int) -> None:  # noqa: ANN401
    """Check that no tree reads a column beyond the table it is given."""
    tree = vars(estimator).get("tree_")
    if tree is not None and tree.n_features > n_columns:
        raise ModelError(f"a tree reads {tree.n_features} columns of a table of {n_columns}")
    features = vars(estimator).get("estimators_features_", [])
    for columns, part in zip(features, vars(estimator).get("estimators_", []), strict=False):
        if len(columns) != n_columns or part.n_features_in_ != n_columns:
            raise ModelError("a member is given other columns than it was fitted to")


def _check_xgboost_width(part: Any, n_columns: int) -> None:  # noqa: ANN401
    if part.get_booster().num_features() != n_columns:
        raise ModelError(f"an XGBoost model reads other columns than a table of {n_columns}")


def _check_support_vectors(machine: Any) -> None:  # noqa: ANN401
    """Check the sizes of a support vector machine's arrays."""
    n_vectors, n_classes = len(machine.support_vectors_), len(machine.classes_)
    expected = {
        "support_vectors_": (n_vectors, machine.n_features_in_),
        "support_": (n_vectors,),
        "_n_support": (n_classes,),
        "_dual_coef_": (n_classes - 1, n_vectors),
        "_intercept_": (n_classes * (n_classes - 1) // 2,),
        "_probA": (0,),
        "_probB": (0,),
    }
    wrong = [name for name, shape in expected.items() if np.shape(getattr(machine, name)) != shape]
    counts = machine._n_support
    if wrong or machine._sparse or "_impl" in vars(machine):
        raise ModelError(f"a support vector machine has a wrong {(wrong or ['kind'])[0]}")
    if (counts < 0).any() or counts.sum() != n_vectors:
        raise ModelError("a support vector machine has another number of vectors than it states")


def _check_prediction(classifier: GalaxyClassifier) -> None:
    """Check that the classifier predicts probabilities for one row of zeros."""
    from galfeat.features import FeatureTable

    names = (*classifier.feature_names_, "flags")
    table = FeatureTable(
        np.zeros((1, len(names)), np.float32), names, np.zeros((1, 16), np.uint8), {}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            probabilities = classifier.classify_table(table).probabilities
        except MissingDependencyError:
            return  # a network that this installation cannot run
    if probabilities.shape != (1, len(classifier.classes_)) or not (
        np.isclose(probabilities.sum(), 1.0) and (probabilities >= 0).all()
    ):
        raise ModelError("it does not predict probabilities")
