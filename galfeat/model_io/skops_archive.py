"""Check an archive of skops before it is opened: sizes, nesting, and the trees in it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.model_io.tree_checks import check_lightgbm, check_sklearn_tree, check_xgboost
from galfeat.model_io.ubjson import parse_ubjson
from galfeat.storage.reading import check_array, parse_json, unpack

_SCHEMA = "schema.json"
#: Maximum sizes in bytes of the tree of types and of all arrays.
_SCHEMA_LIMIT, _LIMIT = 2**29, 2**31
_LOADERS = {"NdArrayNode": ".npy", "BytesNode": ".bin", "BytearrayNode": ".bin"}


def checked_archive(content: bytes) -> bytes:
    """Return an archive with the same members, uncompressed, that is safe to open with skops.

    skops unpacks a member each time the schema names it, and trusts stated sizes and the text of
    LightGBM's models.

    Raises
    ------
    ValueError
        If it is damaged, would take too much memory, or contains an invalid tree.
    """
    members = unpack(content, _LIMIT)
    if len(members.get(_SCHEMA, b"")) > _SCHEMA_LIMIT:
        raise ValueError(f"{_SCHEMA} has more than {_SCHEMA_LIMIT:,} bytes")
    _check_schema(parse_json(members.get(_SCHEMA, b"")), members)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return stream.getvalue()


def _check_schema(schema: object, members: dict[str, bytes]) -> None:
    for file in members:
        if file.endswith(".npy"):
            check_array(members[file])
    total = 0
    for node in _objects(schema):
        if "__loader__" in node and "file" in node:
            name, ending = node["file"], _LOADERS.get(str(node["__loader__"]))
            member = members.get(name) if isinstance(name, str) else None
            if member is None or ending is None or not name.endswith(ending):
                raise ValueError(f"{_SCHEMA} refers to {str(name)[:80]!r}, which is no array")
            total += len(member)
        kind = (node.get("__module__"), node.get("__class__"))
        if kind == ("lightgbm.basic", "Booster"):
            check_lightgbm(_lightgbm_text(node))
        if kind == ("galfeat.ensemble.xgb", "XGBoost"):
            check_xgboost(parse_ubjson(_xgboost_content(node, members)))
        if node.get("__loader__") == "TreeNode":
            _check_tree(node, members)
    if total > _LIMIT:
        raise ValueError(f"its arrays have {total:,} bytes; expected at most {_LIMIT:,}")


def _objects(schema: object) -> Iterator[dict[str, Any]]:
    """Yield all objects of a parsed JSON file."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _xgboost_content(node: dict[str, Any], members: dict[str, bytes]) -> bytes:
    """Return the model in the node of an XGBoost classifier."""
    try:
        booster = node["content"]["content"]["_Booster"]
        if node["__loader__"] == "ObjectNode" and booster["__loader__"] == "BytesNode":
            return members[booster["file"]]
    except (KeyError, TypeError):
        pass
    raise ValueError("an XGBoost model is missing")


def _lightgbm_text(node: dict[str, Any]) -> str:
    """Return the model text in the node of a LightGBM booster."""
    try:
        attributes = node["content"]["content"]
        text = json.loads(attributes["_handle"]["content"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("a LightGBM model has no text") from error
    plain = (
        node.get("__loader__") == "ObjectNode" and attributes["_handle"]["__loader__"] == "JsonNode"
    )
    if not plain or not isinstance(text, str) or "handle" in attributes:
        raise ValueError("a LightGBM model has no text")
    return text


def _check_tree(node: dict[str, Any], members: dict[str, bytes]) -> None:
    """Check the node of a tree of scikit-learn."""
    try:
        n_features, n_classes, n_outputs = node["__reduce__"]["args"]["content"]
        state = node["content"]["content"]
        if json.loads(n_outputs["content"]) != 1 or _array(n_classes, members).shape != (1,):
            raise ValueError("a tree has several outputs")
        check_sklearn_tree(
            _array(state["nodes"], members),
            json.loads(state["node_count"]["content"]),
            json.loads(n_features["content"]),
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("a tree has no nodes") from error


def _array(node: dict[str, Any], members: dict[str, bytes]) -> NDArray[Any]:
    array: NDArray[Any] = np.load(io.BytesIO(members[node["file"]]), allow_pickle=False)
    return array
