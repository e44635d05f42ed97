"""The description of a model on the page: pipeline, training data and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from galfeat.evaluate.intervals import class_intervals
from galfeat.evaluate.metrics import METRIC_NAMES
from galfeat.evaluate.text import DECISION_NAMES
from galfeat.model_io.card import calibration_text, measured


def model_info(
    name: str, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the description of a model for `/api/model` and the about page.

    Parameters
    ----------
    name : str
    manifest : mapping
        See `galfeat.model_io.manifest.read_manifest`.
    metrics : mapping
        Scores on held-out galaxies or of a cross-validation; may be empty.

    Returns
    -------
    dict
        ``name``, ``pipeline``, ``description``, ``classes``, ``priors``, ``assumed_priors`` (the
        class frequencies that probabilities assume), ``families``, ``members``,
        ``calibration``, ``decision``, ``n_training``, ``n_held_out``, ``galfeat`` (its version),
        and what `_scores` returns.
    """
    pipeline = manifest["pipeline"]
    classes = [str(label) for label in manifest["classes"]]
    return {
        "name": name,
        "pipeline": pipeline["name"],
        "description": pipeline["description"],
        "classes": classes,
        "priors": dict(zip(classes, manifest["priors"], strict=True)),
        "assumed_priors": dict(
            zip(classes, manifest.get("assumed_priors", manifest["priors"]), strict=True)
        ),
        "families": pipeline["features"]["families"],
        "members": [member["kind"] for member in pipeline["ensemble"]["members"]],
        "calibration": calibration_text(manifest),
        "decision": DECISION_NAMES.get(manifest["decision"], manifest["decision"]),
        "n_training": manifest["n_training"],
        "n_held_out": manifest["n_held_out"],
        "galfeat": manifest["versions"].get("galfeat", ""),
        **_scores(metrics),
    }


def _scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``scored_on``, ``scores``, ``by_class`` and ``calibration_error``; may be empty."""
    results, cross_validated = measured(metrics)
    scores = {
        title: _interval(results[name])
        for name, title in METRIC_NAMES.items()
        if isinstance(results.get(name), Mapping)
    }
    return {
        "scored_on": _scored_on(results, cross_validated) if scores else "",
        "scores": {title: score for title, score in scores.items() if score["value"] is not None},
        "by_class": _by_class(results) if scores else {},
        "calibration_error": scores.get(METRIC_NAMES["ece"], {}).get("value"),
    }


def _interval(score: Mapping[str, Any]) -> dict[str, Any]:
    value = score.get("value", score.get("mean"))
    return {"value": value, "low": score.get("low"), "high": score.get("high")}


def _scored_on(results: Mapping[str, Any], cross_validated: bool) -> str:
    count = f"{results['n']:,} " if "n" in results else ""
    return (
        f"{count}galaxies by cross-validation" if cross_validated else f"{count}held-out galaxies"
    )


def _by_class(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the support, the scores and the most frequent confusion of each class."""
    classes, confusion = results.get("classes", []), results.get("confusion", [])
    if not confusion:
        return {}
    return {
        name: {
            "support": round(sum(row)),
            **{score: interval.to_json() for score, interval in intervals._asdict().items()},
            "taken_for": _most_confused_with(position, row, classes),
        }
        for position, (name, row, intervals) in enumerate(
            zip(classes, confusion, class_intervals(confusion), strict=True)
        )
    }


def _most_confused_with(position: int, row: Sequence[float], classes: Sequence[str]) -> str | None:
    others = [0.0 if other == position else float(count) for other, count in enumerate(row)]
    most = max(others, default=0.0)
    return str(classes[others.index(most)]) if most > 0.0 else None
