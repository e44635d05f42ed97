"""The OpenAPI description of the API."""

from __future__ import annotations

from typing import Any

from galfeat import __version__
from galfeat.web.classification import MAX_IMAGES
from galfeat.web.schemas import SCHEMAS
from galfeat.web.uploads import MAX_BYTES

_BINARY = {"type": "string", "format": "binary", "maxLength": MAX_BYTES}
_FORM = {
    "type": "object",
    "description": "Images as files under any field name; other fields are ignored.",
    "properties": {
        "image": {"type": "array", "items": _BINARY, "minItems": 1, "maxItems": MAX_IMAGES}
    },
    "required": ["image"],
}
_REFUSALS = {
    "400": "No image was sent, or the form is malformed.",
    "408": "The image was not received in time.",
    "413": "The request, or each image of a form, has too many bytes.",
    "422": "No image can be classified: a file is not a supported image, is damaged, has too many "
    "or too few pixels, or takes too long to decode.",
}
_AFTER = {"description": "Seconds to wait before retrying.", "schema": {"type": "integer"}}


def description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "galfeat",
            "version": __version__,
            "description": "Classifies images of galaxies by morphology. Uploads are not stored. "
            "Any path may return 503 when the server is overloaded.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "paths": {
            "/api/classify": {"post": _classify()},
            "/api/sample": {
                "get": {
                    "operationId": "sample",
                    "summary": "Return a random sample galaxy with its classification.",
                    "responses": {"200": _json("The sample galaxy.", "Sample")},
                }
            },
            "/samples/{number}.jpg": {"get": _picture()},
            "/api/model": {
                "get": {
                    "operationId": "model",
                    "summary": "Describe the model that classifies uploads.",
                    "responses": {"200": _json("The description of the model.", "Model")},
                }
            },
            **{
                path: {
                    "get": {"operationId": path[1:], "summary": text, "responses": {"200": _TEXT}}
                }
                for path, text in (
                    ("/healthz", "Liveness check."),
                    ("/readyz", "Readiness check: models and kernels are loaded."),
                    ("/metrics", "Metrics in the Prometheus text format."),
                )
            },
        },
        "components": {"schemas": SCHEMAS},
    }


def _classify() -> dict[str, Any]:
    images = {f"image/{kind}": {"schema": _BINARY} for kind in ("png", "jpeg", "webp")}
    busy = _json("Too many requests are in progress.", "Error")
    return {
        "operationId": "classify",
        "summary": "Classify one image, or several sent as a form.",
        "requestBody": {
            "required": True,
            "description": "Image formats are detected from the content, not the content type.",
            "content": {**images, "multipart/form-data": {"schema": _FORM}},
        },
        "responses": {
            "200": _json(
                "At least one image was classified: the galaxies in the order of the images, and "
                "the errors of the others.",
                "Galaxies",
            ),
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
        "summary": "Return the image of a sample galaxy.",
        "parameters": [number],
        "responses": {
            "200": {"description": "The image.", "content": {"image/jpeg": {}}},
            "404": _json("No such sample.", "Error"),
        },
    }


_TEXT = {"description": "Success.", "content": {"text/plain": {"schema": {"type": "string"}}}}


def _json(text: str, schema: str) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"description": text, "content": {"application/json": content}}
