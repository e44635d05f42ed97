"""The JSON schemas of what the API answers."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_MAYBE_TEXT, _MAYBE_NUMBER = {"type": ["string", "null"]}, {"type": ["number", "null"]}
_CHANCE = {"type": "number", "minimum": 0, "maximum": 1}
_MAYBE_CHANCE = {**_CHANCE, "type": ["number", "null"]}
_SIDE = {"type": "integer", "minimum": 1}


def _whole(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object", "required": list(required), "properties": {**required, **optional},
    }  # fmt: skip


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_REASON = _whole({
    "concept": {**_TEXT, "description": "What the measurements are of."},
    "words": {**_TEXT, "description": "What is so of this galaxy."},
    "added": {**_NUMBER, "description": "What it adds to the logarithm of the probability."},
    "feature": {**_TEXT, "description": "The column the words are about."},
    "value": _MAYBE_NUMBER,
    "share_below": {**_MAYBE_CHANCE, "description": "Share of galaxies that have less of it."},
})  # fmt: skip

_POINT = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_MARK = _whole({
    "name": {"enum": ["Petrosian radius", "half of the light", "bar", "spiral arm"]},
    "points": {
        "type": "array", "items": _POINT, "minItems": 2,
        "description": "x and y in pixels from the middle of the first one.",
    },
})  # fmt: skip

_GALAXY = _whole(
    {
        "id": _TEXT,
        "galaxy": {"type": "boolean", "description": "Whether a galaxy was found."},
        "problem": {**_MAYBE_TEXT, "description": "Why there is none."},
        "class": _MAYBE_TEXT,
        "probability": _MAYBE_CHANCE,
        "most_probable": _MAYBE_TEXT,
        "true_class": _MAYBE_TEXT,
        "flags": {**_MAYBE_TEXT, "description": "What stood in the way of a measurement."},
        "width": _SIDE,
        "height": _SIDE,
        "reasons": _list_of("Reason"),
        "marks": _list_of("Mark"),
    },
    probabilities={
        "type": "object", "additionalProperties": _CHANCE,
        "description": "Of each class, the most probable first.",
    },
)  # fmt: skip
_GALAXY["patternProperties"] = {"^p_": _MAYBE_CHANCE}

_SAMPLE = {
    "allOf": [
        {"$ref": "#/components/schemas/Galaxy"},
        _whole({
            "image": {**_TEXT, "description": "Where its picture is."},
            "number": {"type": "integer", "minimum": 0},
        }),
    ]
}  # fmt: skip

# fmt: off
_SCORE = _whole({"value": _MAYBE_NUMBER, "low": _MAYBE_NUMBER, "high": _MAYBE_NUMBER})
_MODEL = _whole({
    "name": _TEXT,
    "pipeline": _TEXT,
    "classes": {"type": "array", "items": _TEXT, "minItems": 2},
    "n_training": {"type": "integer", "minimum": 1},
    "scores": {"type": "object", "additionalProperties": _whole({
        "value": _NUMBER, "low": _MAYBE_NUMBER, "high": _MAYBE_NUMBER,
    })},
}, priors={"type": "object", "additionalProperties": _CHANCE}, by_class={
    "type": "object",
    "additionalProperties": _whole({
        "support": {"type": "integer", "minimum": 0, "description": "Galaxies of this class."},
        "precision": _SCORE, "recall": _SCORE, "f1": _SCORE,
        "taken_for": {"type": ["string", "null"]},
    }),
})
# fmt: on

SCHEMAS = {
    "Error": _whole({"error": {**_TEXT, "description": "What is wrong and what to do."}}),
    "Galaxies": _whole({"galaxies": _list_of("Galaxy"), "model": _TEXT}),
    "Galaxy": _GALAXY,
    "Mark": _MARK,
    "Model": _MODEL,
    "Reason": _REASON,
    "Sample": _SAMPLE,
}
