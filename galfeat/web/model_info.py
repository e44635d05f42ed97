"""What the page tells of a model: how it was made, on what it was scored, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from galfeat.evaluate.intervals import class_intervals
from galfeat.evaluate.text import DECISION_NAMES, METRIC_NAMES
from galfeat.model_io.card import measured


def model_info(
    name: str, manifest: Mapping[str, Any], metrics: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what `/api/model` and the about page say of a model.

    Parameters
    ----------
    name : str
    manifest : mapping
        See `galfeat.model_io.manifest.read_manifest`.
    metrics : mapping
        Of held-out galaxies, of a cross-validation, or of nothing at all.

    Returns
    -------
    dict
        ``name``, ``pipeline``, ``description``, ``classes``, ``priors``, ``families``, ``members``,
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
        "families": pipeline["features"]["families"],
        "members": [member["kind"] for member in pipeline["ensemble"]["members"]],
        "calibration": pipeline["calibrate"]["method"],
        "decision": DECISION_NAMES.get(manifest["decision"], manifest["decision"]),
        "n_training": manifest["n_training"],
        "n_held_out": manifest["n_held_out"],
        "galfeat": manifest["versions"].get("galfeat", ""),
        **_scores(metrics),
    }


def _scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``scored_on``, ``scores``, ``by_class`` and ``calibration_error``, or them empty."""
    found, crossed = measured(metrics)
    scores = {
        title: _interval(found[name])
        for name, title in METRIC_NAMES.items()
        if isinstance(found.get(name), Mapping)
    }
    return {
        "scored_on": _scored_on(found, crossed) if scores else "",
        "scores": {title: score for title, score in scores.items() if score["value"] is not None},
        "by_class": _by_class(found) if scores else {},
        "calibration_error": scores.get(METRIC_NAMES["ece"], {}).get("value"),
    }


def _interval(score: Mapping[str, Any]) -> dict[str, Any]:
    value = score.get("value", score.get("mean"))
    return {"value": value, "low": score.get("low"), "high": score.get("high")}


def _scored_on(found: Mapping[str, Any], crossed: bool) -> str:
    galaxies = f"{found['n']:,} galaxies" if "n" in found else "galaxies"
    return f"{galaxies}, each kept back in its turn" if crossed else f"{galaxies} kept back"


def _by_class(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return how many of each class there are, its scores, and what it is most taken for."""
    classes, confusion = found.get("classes", []), found.get("confusion", [])
    if not confusion:
        return {}
    return {
        name: {
            "support": round(sum(row)),
            **{score: interval.to_json() for score, interval in intervals._asdict().items()},
            "taken_for": _most_taken_for(place, row, classes),
        }
        for place, (name, row, intervals) in enumerate(
            zip(classes, confusion, class_intervals(confusion), strict=True)
        )
    }


def _most_taken_for(place: int, row: Sequence[float], classes: Sequence[str]) -> str | None:
    others = [0.0 if other == place else float(count) for other, count in enumerate(row)]
    most = max(others, default=0.0)
    return str(classes[others.index(most)]) if most > 0.0 else None
