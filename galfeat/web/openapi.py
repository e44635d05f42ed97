"""The description of the API, for programs."""

from __future__ import annotations

from typing import Any

from galfeat import __version__
from galfeat.web.uploads import MOST_BYTES

_GALAXY = {
    "type": "object",
    "required": ["id", "class", "probability", "galaxy", "reasons"],
    "properties": {
        "id": {"type": "string"},
        "galaxy": {"type": "boolean", "description": "Whether a galaxy was found."},
        "problem": {"type": ["string", "null"], "description": "Why there is none."},
        "class": {"type": ["string", "null"]},
        "probability": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "most_probable": {"type": ["string", "null"]},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
        "true_class": {"type": ["string", "null"]},
        "flags": {"type": ["string", "null"]},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "reasons": {"type": "array", "items": {"type": "object"}},
        "marks": {"type": "array", "items": {"type": "object"}},
    },
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_BINARY = {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}


def description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    several = {"type": "object", "properties": {"galaxies": {"type": "array", "items": _GALAXY}}}
    images = {f"image/{kind}": _BINARY for kind in ("png", "jpeg", "webp")}
    form = {
        "type": "object",
        "properties": {"image": {"type": "array", "items": _BINARY["schema"]}},
    }
    refusals = {
        "400": "No image was sent.", "408": "The image did not come.",
        "413": "Too much was sent.", "422": "It is no image that can be measured.",
        "503": "Too many are waiting; try again after Retry-After seconds.",
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "galfeat", "version": __version__},
        "paths": {
            "/api/classify": {
                "post": {
                    "summary": "Classify one image, or several as a form.",
                    "requestBody": {
                        "required": True,
                        "content": {**images, "multipart/form-data": {"schema": form}},
                    },
                    "responses": {
                        "200": _json("The galaxies in the order of the images.", several),
                        **{code: _json(text, _ERROR) for code, text in refusals.items()},
                    },
                }
            },
            "/api/sample": {
                "get": {
                    "summary": "A random galaxy of the samples, and what is said of it.",
                    "responses": {"200": _json("The galaxy.", _GALAXY)},
                }
            },
            "/api/model": {
                "get": {
                    "summary": "The model that answers.",
                    "responses": {"200": _json("The model.", {"type": "object"})},
                }
            },
            **{
                path: {"get": {"summary": text, "responses": {"200": {"description": "It is."}}}}
                for path, text in (
                    ("/healthz", "Whether the process lives."),
                    ("/readyz", "Whether model and kernels are loaded."),
                    ("/metrics", "Counts for Prometheus."),
                )
            },
        },
    }


def _json(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}
