"""Trees and arrays of shared models that lead nowhere."""

import io
import json
import runpy
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from galfeat.model_io.ubjson import parse_ubjson

FOLDERS = runpy.run_path(str(Path(__file__).with_name("model_folders.py")))
archive, arrays, members_of, models, nodes, reseal, safe, use, with_schema = (
    FOLDERS[name]
    for name in (
        "archive",
        "arrays",
        "members_of",
        "models",
        "nodes",
        "reseal",
        "safe",
        "use",
        "with_schema",
    )
)


def booster(schema):
    """Return the node of the text of a LightGBM model."""
    (node,) = (node for node in nodes(schema) if node.get("__class__") == "Booster")
    return node["content"]["content"]["_handle"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("left_child=", "left_child=9", "does not exist"),
        ("right_child=", "right_child=-9", "does not exist"),
        ("split_feature=", "split_feature=99", "not among"),
        ("num_leaves=", "num_leaves=9", "another number"),
        ("num_class=3", "num_class=1", "not a classifier"),
        ("multiclass num_class:3", "multiclass num_class:9", "not a classifier"),
        ("num_cat=0", "num_cat=1", "unexpected kind"),
        ("tree_sizes=", "tree_sizes=1", ""),
        ("max_feature_idx=", "other=", "max_feature_idx"),
    ],
)
def test_lightgbm_trees_that_lead_nowhere_are_refused(safe, old, new, reason):
    def change(schema):
        node = booster(schema)
        text = json.loads(node["content"])
        assert old in text
        text = text.replace(old, new)
        if "tree_sizes" not in new:  # keep the stated sizes right
            header, first, rest = text.partition("\nTree=0\n")
            trees = (first[1:] + rest).split("end of trees")[0].split("Tree=")[1:]
            sizes = " ".join(str(len(f"Tree={tree}")) for tree in trees)
            lines = [
                f"tree_sizes={sizes}" if line.startswith("tree_sizes") else line
                for line in header.split("\n")
            ]
            text = "\n".join(lines) + first + rest
        node["content"] = json.dumps(text)

    with_schema(safe, change)
    message = use(safe)
    assert "a LightGBM model is invalid" in message
    assert reason in message


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("left_child", 10**6, "does not exist"),
        ("right_child", 0, "a circle"),
        ("right_child", -5, "does not exist"),
        ("feature", 10**6, "not among"),
        ("feature", -3, "not among"),
    ],
)
def test_trees_of_forests_that_lead_nowhere_are_refused(safe, field, value, reason):
    members = members_of(safe / "model.skops")
    for name, content in members.items():
        if not name.endswith(".npy"):
            continue
        array = np.load(io.BytesIO(content))
        if array.dtype.names and "left_child" in array.dtype.names:
            array[field][0] = value
            stream = io.BytesIO()
            np.save(stream, array)
            members[name] = stream.getvalue()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert reason in use(safe)


def test_a_forest_that_states_more_nodes_than_it_has_is_refused(safe):
    def change(schema):
        for node in nodes(schema):
            if node.get("__loader__") == "TreeNode":
                node["content"]["content"]["node_count"]["content"] = "1000000"

    with_schema(safe, change)
    assert "another number of nodes" in use(safe)


def ubjson(value):
    """Return a value as XGBoost writes it."""
    if isinstance(value, np.ndarray):
        kinds = {">f4": b"d", ">i4": b"l", ">i8": b"L", "|u1": b"U"}
        return b"[$" + kinds[value.dtype.str] + b"#" + size_of(value) + value.tobytes()
    if isinstance(value, dict):
        pairs = (size_of(key) + key.encode() + ubjson(item) for key, item in value.items())
        return b"{" + b"".join(pairs) + b"}"
    if isinstance(value, list):
        return b"[#" + size_of(value) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"S" + size_of(value) + value.encode()
    return b"L" + struct.pack(">q", value)


def size_of(value):
    return b"L" + struct.pack(">q", len(value))


def with_xgboost(safe, change):
    """Change the XGBoost model of a model, and make all digests right."""
    members = members_of(safe / "model.skops")
    (name,) = (name for name in members if name.endswith(".bin"))
    saved = parse_ubjson(members[name])
    assert ubjson(saved)[:1] == b"{"
    change(saved["learner"])
    members[name] = ubjson(saved)
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("left_children", 10**6, "does not exist"),
        ("left_children", -7, "does not exist"),
        ("right_children", 0, "a circle"),
        ("split_indices", 10**6, "not among"),
        ("split_type", 1, "categorical"),
        ("split_conditions", None, "another number of split_conditions"),
    ],
)
def test_xgboost_trees_that_lead_nowhere_are_refused(safe, key, value, reason):
    def change(learner):
        tree = learner["gradient_booster"]["model"]["trees"][0]
        tree[key] = tree[key][1:].copy() if value is None else tree[key].copy()
        if value is not None:
            tree[key][0] = value

    with_xgboost(safe, change)
    message = use(safe)
    assert "an XGBoost model is invalid" in message
    assert reason in message


def test_xgboost_models_whose_counts_do_not_match_are_refused(safe, models):
    def other_groups(learner):
        learner["gradient_booster"]["model"]["tree_info"][0] = 999

    def other_classes(learner):
        learner["learner_model_param"]["num_class"] = "1000000"

    def other_table(learner):
        learner["learner_model_param"]["num_feature"] = "1000000"

    def nothing(learner):
        pass

    for change in (other_groups, other_classes, other_table):
        shutil.copy(models / "safe" / "model.skops", safe)
        with_xgboost(safe, change)
        assert "an XGBoost model is invalid" in use(safe)
    shutil.copy(models / "safe" / "model.skops", safe)
    with_xgboost(safe, nothing)
    assert use(safe) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[$L#L" + b"\x7f" * 8, b"{" * 1000, b"S" + b"L" + b"\xff" * 8, b"NN"]
)
def test_what_is_no_xgboost_model_is_refused(safe, content):
    members = members_of(safe / "model.skops")
    (name,) = (name for name in members if name.endswith(".bin"))
    members[name] = content
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "cannot be read (ValueError" in use(safe)


@pytest.mark.parametrize("name", ["_n_support", "support_vectors_", "_dual_coef_", "columns_"])
def test_arrays_of_wrong_sizes_are_refused(safe, name):
    members = members_of(safe / "model.skops")
    schema = json.loads(members["schema.json"])
    (node,) = (node[name] for node in nodes(schema) if name in node)
    stream = io.BytesIO()
    dtype = np.int32 if name == "_n_support" else np.int64 if name == "columns_" else float
    np.save(stream, np.ones((2, 2) if name != "columns_" else 2, dtype))
    for array in arrays(node) or [node]:
        members[array["file"]] = stream.getvalue()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "cannot be used" in use(safe)


@pytest.mark.parametrize("name", ["priors_", "extractor_", "pipeline_", "ensemble_", "quantiles_"])
def test_a_classifier_that_lacks_a_part_is_refused(safe, name):
    with_schema(safe, lambda schema: schema["content"]["content"].pop(name))
    assert use(safe) is not None


@pytest.mark.parametrize("name", ["quantiles_", "survey_quantiles_"])
@pytest.mark.parametrize("fault", ["nan", "unordered", "short"])
def test_quantiles_that_are_none_are_refused(safe, name, fault):
    members = members_of(safe / "model.skops")
    schema = json.loads(members["schema.json"])
    node = schema["content"]["content"][name]
    array = arrays(node)[0]
    values = np.linspace(0.0, 1.0, 23 if fault != "short" else 22, dtype=np.float32)
    if fault == "nan":
        values[3] = np.nan
    elif fault == "unordered":
        values = values[::-1]
    stream = io.BytesIO()
    np.save(stream, values)
    members[array["file"]] = stream.getvalue()
    (safe / "model.skops").write_bytes(archive(members))
    reseal(safe)
    assert "23 ascending numbers" in use(safe)


def test_classes_other_than_the_manifests_are_refused(safe):
    reseal(safe, classes=["a", "b", "c"])
    assert "its classes are not those of the manifest" in use(safe)
