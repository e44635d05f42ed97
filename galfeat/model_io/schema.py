"""Types of the values in a model folder's JSON files, which anybody could have written."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from galfeat.evaluate.metrics import METRIC_NAMES


class Kind(NamedTuple):
    """A kind of value: its description for messages, and its test."""

    description: str
    holds: Callable[[Any], bool]


class Optional(NamedTuple):
    """A kind of value that may be missing."""

    rule: Rule


Rule: TypeAlias = Kind | Optional | Mapping[str, Any]
"""What a value should be: of a kind, or an object with the keys of a mapping and others."""


def problem(value: object, rule: Rule, name: str = "") -> str | None:
    """Return what is wrong with a value, or None.

    Parameters
    ----------
    value : object
        As parsed from JSON.
    rule : Rule
    name : str
        Name of the value in the message; empty for a whole file.

    Examples
    --------
    >>> from galfeat.model_io.schema import COUNT, problem
    >>> problem({"seed": -1}, {"seed": COUNT})
    'seed is -1; expected a whole number of 0 or more'
    """
    if isinstance(rule, Optional):
        return problem(value, rule.rule, name)
    if isinstance(rule, Kind):
        if rule.holds(value):
            return None
        return f"{name} is {reprlib.repr(value)}; expected {rule.description}"
    if not isinstance(value, dict):
        return f"{name or 'it'} is {reprlib.repr(value)}; expected an object"
    prefix = f"{name}." if name else ""
    for key, part in rule.items():
        if key not in value:
            if not isinstance(part, Optional):
                return f"{prefix}{key} is missing"
        elif wrong := problem(value[key], part, prefix + key):
            return wrong
    return None


def is_text(value: object) -> bool:
    """Return whether a value is text, or the name of a file, that can be written to a file."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def _is_label(value: object) -> bool:
    return is_text(value) or type(value) is bool or _is_number(value)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _listed(holds: Callable[[Any], bool], minimum: int = 0) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and len(value) >= minimum and all(map(holds, value))
    )


def _mapped(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(holds, value.values()))


def _are_labels(value: object) -> bool:
    return _listed(_is_label, 2)(value) and len(set(value)) == len(value)  # type: ignore[arg-type, call-overload]


def _is_table(value: object) -> bool:
    """Return whether a value is a square table of numbers of 0 or more."""
    return (
        isinstance(value, list)
        and all(isinstance(row, list) and len(row) == len(value) for row in value)
        and all(_is_number(count) and count >= 0 for row in value for count in row)
    )


TEXT = Kind("text", is_text)
COUNT = Kind("a whole number of 0 or more", _is_count)
_TEXTS = Kind("a list of texts", _listed(is_text))
_NUMBER_OR_NULL = Kind("a number or null", lambda value: value is None or _is_number(value))
_MEMBERS = Kind(
    "a list of objects with a kind",
    _listed(lambda value: isinstance(value, dict) and is_text(value.get("kind")), 1),
)

MANIFEST_RULE: Rule = {
    "versions": {"galfeat": TEXT, "python": TEXT},
    "classes": Kind("a list of at least two different labels", _are_labels),
    "priors": Kind("a list of numbers from 0 to 1", _listed(_is_share)),
    "feature_names": Kind("a list of at least one text", _listed(is_text, 1)),
    "pipeline": {
        "name": TEXT,
        "description": TEXT,
        "features": {"families": _TEXTS, "frame": Kind("true or false", lambda v: type(v) is bool)},
        "balance": {"method": TEXT},
        "ensemble": {"combine": TEXT, "members": _MEMBERS},
        "calibrate": {"method": TEXT},
    },
    "calibration": Optional(TEXT),
    "decision": TEXT,
    "label_column": Kind("text or null", lambda value: value is None or is_text(value)),
    "assumed_priors": Optional(Kind("a list of numbers from 0 to 1", _listed(_is_share))),
    "calibration_rows": Optional(COUNT),
    "soft_labels": Optional(Kind("true or false", lambda value: type(value) is bool)),
    "seed": COUNT,
    "data_digest": TEXT,
    "n_training": COUNT,
    "n_held_out": COUNT,
    "files": Kind("an object of SHA-256 digests", _mapped(_is_digest)),
}
_VERSIONS = Kind("an object of texts", _mapped(is_text))

_SCORE = Kind(
    "an object of numbers",
    lambda value: not isinstance(value, dict) or problem(value, _INTERVAL) is None,
)
_INTERVAL: Rule = {key: Optional(_NUMBER_OR_NULL) for key in ("value", "mean", "low", "high")}
_SCORES: dict[str, Rule] = {
    **{name: Optional(_SCORE) for name in METRIC_NAMES},
    "n": Optional(Kind("a number of 0 or more", lambda v: _is_number(v) and v >= 0)),
    "classes": Optional(Kind("a list of labels", _listed(_is_label))),
    "confusion": Optional(Kind("a square table of numbers of 0 or more", _is_table)),
}


def manifest_problem(manifest: object) -> str | None:
    """Return what is wrong with a manifest, or None."""
    wrong = problem(manifest, MANIFEST_RULE)
    if wrong or not isinstance(manifest, dict):
        return wrong
    for name in ("priors", "assumed_priors"):
        if name in manifest and len(manifest[name]) != len(manifest["classes"]):
            n_classes = len(manifest["classes"])
            return f"it has {len(manifest[name])} {name} and {n_classes} classes"
    return problem(manifest["versions"], _VERSIONS, "versions")


def metrics_problem(metrics: object) -> str | None:
    """Return what is wrong with a model's scores, or None."""
    wrong = problem(metrics, {**_SCORES, "cross_validation": Optional(_SCORES)})
    if wrong or not isinstance(metrics, dict):
        return wrong
    for scores in (metrics, metrics.get("cross_validation", {})):
        n_classes, n_rows = len(scores.get("classes", ())), len(scores.get("confusion", ()))
        scored = any(isinstance(scores.get(name), dict) for name in METRIC_NAMES)
        if scored and n_rows and n_rows != n_classes:
            return f"confusion has {n_rows} rows for {n_classes} classes"
    return None
