"""JSON schemas of the API responses."""

from __future__ import annotations

from typing import Any

from galfeat.web.uploads import FACTORS

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
        "description": "x and y in pixels from the centre of the first pixel of the image sent.",
    },
})  # fmt: skip

_FILE = {**_OPTIONAL_TEXT, "description": "Name of the file, up to 255 characters."}
_FAILURE = _object({
    "number": {"type": "integer", "minimum": 0, "description": "Position in the form."},
    "file": _FILE,
    "error": {**_TEXT, "description": "What is wrong, and what to do."},
})  # fmt: skip

_GALAXY = _object(
    {
        "id": _TEXT,
        "galaxy": {"type": "boolean", "description": "Whether a galaxy was found."},
        "problem": {**_OPTIONAL_TEXT, "description": "Why no galaxy was found."},
        "class": {**_OPTIONAL_TEXT, "description": "Class named by the decision rule."},
        "probability": {**_OPTIONAL_PROBABILITY, "description": "Probability of `class`."},
        "most_probable": {**_OPTIONAL_TEXT, "description": "Class with the largest probability."},
        "decision_note": {
            **_OPTIONAL_TEXT, "description": "Sentence if `class` is not the most probable one.",
        },
        "set": {
            "type": ["array", "null"], "items": _TEXT, "minItems": 1,
            "description": "Classes of the prediction set, the most probable first; null if the "
            "model keeps no out-of-fold predictions.",
        },
        "coverage": {
            **_OPTIONAL_PROBABILITY,
            "description": "Share of such sets that contain the true class, for galaxies like the "
            "training galaxies.",
        },
        "true_class": _OPTIONAL_TEXT,
        "flags": {**_OPTIONAL_TEXT, "description": "Quality flags of the measurement."},
        "unlike_training": {
            **_OPTIONAL_PROBABILITY, "description": "Share of features unlike any training galaxy.",
        },
        "other_survey": {
            **_OPTIONAL_PROBABILITY,
            "description": "Share of the properties of sky and colours unlike the training survey.",
        },
        "point_like": {**_OPTIONAL_PROBABILITY, "description": "Probability of a star."},
        "cautions": {
            "type": "array", "items": _TEXT,
            "description": "Sentences on how far to trust the result: the image may show no "
            "galaxy or is from another survey, was reduced, or the galaxy is too small.",
        },
        "width": {**_SIDE, "description": "Width of the image sent, upright, in pixels."},
        "height": _SIDE,
        "reduced_by": {
            "enum": list(FACTORS),
            "description": "Factor by which width and height were reduced before measuring.",
        },
        "reasons": {**_list_of("Reason"), "description": "Reasons for the most probable class."},
        "marks": _list_of("Mark"),
    },
    file=_FILE,
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
}, priors={"type": "object", "additionalProperties": _PROBABILITY}, assumed_priors={
    "type": "object", "additionalProperties": _PROBABILITY,
    "description": "Class frequencies that the probabilities assume.",
}, by_class={
    "type": "object",
    "additionalProperties": _object({
        "support": {"type": "integer", "minimum": 0, "description": "Number of galaxies."},
        "precision": _SCORE, "recall": _SCORE, "f1": _SCORE,
        "taken_for": {"type": ["string", "null"]},
    }),
})
# fmt: on

SCHEMAS = {
    "Error": _object(
        {"error": {**_TEXT, "description": "What is wrong, and what to do."}},
        errors={**_list_of("Failure"), "description": "Errors of the images of a form."},
    ),
    "Failure": _FAILURE,
    "Galaxies": _object(
        {
            "galaxies": _list_of("Galaxy"),
            "errors": {**_list_of("Failure"), "description": "Images that were not classified."},
            "model": _TEXT,
        }
    ),
    "Galaxy": _GALAXY,
    "Mark": _MARK,
    "Model": _MODEL,
    "Reason": _REASON,
    "Sample": _SAMPLE,
}
