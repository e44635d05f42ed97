"""JSON schemas of the API responses."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_OPTIONAL_TEXT, _OPTIONAL_NUMBER = {"type": ["string", "null"]}, {"type": ["number", "null"]}
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}
_OPTIONAL_PROBABILITY = {**_PROBABILITY, "type": ["number", "null"]}
_SIDE = {"type": "integer", "minimum": 1}


def _object(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object", "required": list(required), "properties": {**required, **optional},
    }  # fmt: skip


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_REASON = _object({
    "concept": {**_TEXT, "description": "Name of the measured property."},
    "words": {**_TEXT, "description": "Statement on this galaxy."},
    "added": {**_NUMBER, "description": "Contribution to the log probability."},
    "feature": {**_TEXT, "description": "Feature the statement refers to."},
    "value": _OPTIONAL_NUMBER,
    "share_below": {
        **_OPTIONAL_PROBABILITY, "description": "Share of training galaxies with a lower value.",
    },
})  # fmt: skip

_POINT = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_MARK = _object({
    "name": {"enum": ["Petrosian radius", "half of the light", "bar", "spiral arm"]},
    "points": {
        "type": "array", "items": _POINT, "minItems": 2,
        "description": "x and y in pixels from the centre of the first pixel.",
    },
})  # fmt: skip

_GALAXY = _object(
    {
        "id": _TEXT,
        "galaxy": {"type": "boolean", "description": "Whether a galaxy was found."},
        "problem": {**_OPTIONAL_TEXT, "description": "Why no galaxy was found."},
        "class": _OPTIONAL_TEXT,
        "probability": _OPTIONAL_PROBABILITY,
        "most_probable": _OPTIONAL_TEXT,
        "true_class": _OPTIONAL_TEXT,
        "flags": {**_OPTIONAL_TEXT, "description": "Quality flags of the measurement."},
        "width": _SIDE,
        "height": _SIDE,
        "reasons": _list_of("Reason"),
        "marks": _list_of("Mark"),
    },
    probabilities={
        "type": "object", "additionalProperties": _PROBABILITY,
        "description": "Probability of each class, in descending order.",
    },
)  # fmt: skip
_GALAXY["patternProperties"] = {"^p_": _OPTIONAL_PROBABILITY}

_SAMPLE = {
    "allOf": [
        {"$ref": "#/components/schemas/Galaxy"},
        _object({
            "image": {**_TEXT, "description": "Relative URL of the image."},
            "number": {"type": "integer", "minimum": 0},
        }),
    ]
}  # fmt: skip

# fmt: off
_SCORE = _object({"value": _OPTIONAL_NUMBER, "low": _OPTIONAL_NUMBER, "high": _OPTIONAL_NUMBER})
_MODEL = _object({
    "name": _TEXT,
    "pipeline": _TEXT,
    "classes": {"type": "array", "items": _TEXT, "minItems": 2},
    "n_training": {"type": "integer", "minimum": 1},
    "scores": {"type": "object", "additionalProperties": _object({
        "value": _NUMBER, "low": _OPTIONAL_NUMBER, "high": _OPTIONAL_NUMBER,
    })},
}, priors={"type": "object", "additionalProperties": _PROBABILITY}, by_class={
    "type": "object",
    "additionalProperties": _object({
        "support": {"type": "integer", "minimum": 0, "description": "Number of galaxies."},
        "precision": _SCORE, "recall": _SCORE, "f1": _SCORE,
        "taken_for": {"type": ["string", "null"]},
    }),
})
# fmt: on

SCHEMAS = {
    "Error": _object({"error": {**_TEXT, "description": "What is wrong, and what to do."}}),
    "Galaxies": _object({"galaxies": _list_of("Galaxy"), "model": _TEXT}),
    "Galaxy": _GALAXY,
    "Mark": _MARK,
    "Model": _MODEL,
    "Reason": _REASON,
    "Sample": _SAMPLE,
}
