"""The description of the API, for programs."""

from __future__ import annotations

from typing import Any

from galfeat import __version__
from galfeat.web.schemas import SCHEMAS
from galfeat.web.uploads import MAX_BYTES

_BINARY = {"type": "string", "format": "binary", "maxLength": MAX_BYTES}
_FORM = {
    "type": "object",
    "description": "Images as files under any name; other fields are not read.",
    "properties": {"image": {"type": "array", "items": _BINARY, "minItems": 1, "maxItems": 8}},
    "required": ["image"],
}
_REFUSALS = {
    "400": "No image was sent, or the form is broken.",
    "408": "The image did not come in time.",
    "413": "Too much was sent.",
    "422": "It is no image that can be measured.",
}
_AFTER = {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}


def description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "galfeat",
            "version": __version__,
            "description": "What kinds of galaxies images show. Nothing that is sent is kept. "
            "Where too many ask at once, any path may answer 503.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "paths": {
            "/api/classify": {"post": _classify()},
            "/api/sample": {
                "get": {
                    "operationId": "sample",
                    "summary": "A random galaxy of the samples, and what is said of it.",
                    "responses": {"200": _json("The galaxy.", "Sample")},
                }
            },
            "/samples/{number}.jpg": {"get": _picture()},
            "/api/model": {
                "get": {
                    "operationId": "model",
                    "summary": "The model that answers.",
                    "responses": {"200": _json("The model.", "Model")},
                }
            },
            **{
                path: {
                    "get": {"operationId": path[1:], "summary": text, "responses": {"200": _TEXT}}
                }
                for path, text in (
                    ("/healthz", "Whether the process lives."),
                    ("/readyz", "Whether model and kernels are loaded."),
                    ("/metrics", "Counts for Prometheus."),
                )
            },
        },
        "components": {"schemas": SCHEMAS},
    }


def _classify() -> dict[str, Any]:
    images = {f"image/{kind}": {"schema": _BINARY} for kind in ("png", "jpeg", "webp")}
    busy = _json("Too many are waiting.", "Error")
    return {
        "operationId": "classify",
        "summary": "Classify one image, or several as a form.",
        "requestBody": {
            "required": True,
            "description": "The kind of an image is told by its content, not by its type.",
            "content": {**images, "multipart/form-data": {"schema": _FORM}},
        },
        "responses": {
            "200": _json("The galaxies in the order of the images.", "Galaxies"),
            **{code: _json(text, "Error") for code, text in _REFUSALS.items()},
            "503": {**busy, "headers": {"Retry-After": _AFTER}},
        },
    }


def _picture() -> dict[str, Any]:
    number = {
        "name": "number", "in": "path", "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }  # fmt: skip
    return {
        "operationId": "picture",
        "summary": "The picture of a sample.",
        "parameters": [number],
        "responses": {
            "200": {"description": "The picture.", "content": {"image/jpeg": {}}},
            "404": _json("There is no such sample.", "Error"),
        },
    }


_TEXT = {"description": "It is.", "content": {"text/plain": {"schema": {"type": "string"}}}}


def _json(text: str, schema: str) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"description": text, "content": {"application/json": content}}
