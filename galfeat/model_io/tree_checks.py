"""Check trees from others: their libraries follow indices without looking where they lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Maximum depth of a tree: libraries follow some by recursion.
_MAX_DEPTH = 1000
#: Lists of a LightGBM tree with a value for each split, which must all be there.
_SPLIT_LISTS = ("split_feature", "decision_type", "left_child", "right_child", "threshold")
#: Lists of an XGBoost tree, and the kinds of their numbers.
_XGBOOST_LISTS = {
    **dict.fromkeys(("left_children", "right_children", "parents", "split_indices"), "iu"),
    **dict.fromkeys(("split_type", "default_left"), "iu"),
    **dict.fromkeys(("split_conditions", "base_weights", "loss_changes", "sum_hessian"), "f"),
    **dict.fromkeys(("categories", "categories_nodes"), "iu"),
    **dict.fromkeys(("categories_segments", "categories_sizes"), "iu"),
}
_DIGITS = set("0123456789+-.e ")
_SINGLE = {"Tree", "num_leaves", "num_cat", "is_linear", "shrinkage"}


def check_lightgbm(text: str) -> None:
    """Check the text of a LightGBM classifier without categorical features.

    Raises
    ------
    ValueError
        If sizes or counts do not match the trees, a tree is no tree, or it uses a feature that
        does not exist.
    """
    if not text.isascii() or "\0" in text or "\r" in text:
        raise ValueError("the text of a LightGBM model has characters beyond ASCII")
    end = text.find("\nTree=") + 1
    try:
        header = _lines(text[:end])
        n_classes, n_features = int(header["num_class"]), int(header["max_feature_idx"]) + 1
        sizes = [int(size) for size in header["tree_sizes"].split(" ")]
        kind = f"multiclass num_class:{n_classes}" if n_classes > 1 else "binary sigmoid:1"
        if (
            not end
            or header["objective"] != kind
            or header["num_tree_per_iteration"] != header["num_class"]
            or len(sizes) % n_classes
        ):
            raise ValueError("it is not a classifier")
        for name in ("feature_names", "feature_infos"):
            if len(header[name].split(" ")) != n_features:
                raise ValueError(f"{name} are not those of {n_features} features")
        for number, size in enumerate(sizes):
            if size <= 0 or not text.startswith(f"Tree={number}\n", end):
                raise ValueError(f"tree {number} is not where it is stated to be")
            tree = text[end : end + size].rstrip("\n")
            if "\n\n" in tree:
                raise ValueError(f"tree {number} has an empty line")
            _check_lightgbm_tree(_lines(tree), n_features)
            end += size
        if not text.startswith("end of trees", end):
            raise ValueError("it has more trees than stated")
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"a LightGBM model is invalid: {error}") from error


def _lines(text: str) -> dict[str, str]:
    """Return the values of the lines ``key=value`` of a text."""
    pairs = [line.partition("=") for line in text.split("\n") if line]
    values = {key: value for key, _, value in pairs}
    if len(values) != len(pairs):
        raise ValueError("a key is repeated")
    return values


def _check_lightgbm_tree(values: dict[str, str], n_features: int) -> None:
    n_leaves = int(values["num_leaves"])
    if n_leaves < 1 or values["num_cat"] != "0" or values.get("is_linear", "0") != "0":
        raise ValueError("a tree has no leaves, or splits or leaves of an unexpected kind")
    if n_leaves == 1:
        if len(values["leaf_value"].split()) != 1:
            raise ValueError("a tree of one leaf has several values")
        return
    if missing := {*_SPLIT_LISTS, "leaf_value"} - values.keys():
        raise ValueError(f"a tree has no {min(missing)}")
    for name in values.keys() - _SINGLE:
        expected = n_leaves if name.startswith("leaf_") else n_leaves - 1
        numbers = values[name].split(" ")
        if len(numbers) != expected:
            raise ValueError(f"a tree of {n_leaves} leaves has another number of {name}")
        if not _DIGITS.issuperset(values[name]):
            raise ValueError(f"{name} are not numbers")
        np.array(numbers, np.float64)
    features, decisions, left, right = (
        np.array(values[name].split(" "), np.int64) for name in _SPLIT_LISTS[:4]
    )
    if (decisions & 1).any():
        raise ValueError("a tree has a categorical split")
    children = np.stack([left, right])  # a leaf is stored as its complement
    if (~children >= n_leaves).any():
        raise ValueError("a tree has a leaf that does not exist")
    if n_leaves > _MAX_DEPTH and _depth(children) > _MAX_DEPTH:
        raise ValueError(f"a tree is more than {_MAX_DEPTH} levels deep")
    _check_splits(np.maximum(children, -1), features, n_leaves - 1, n_features)


def check_sklearn_tree(nodes: NDArray[Any], n_nodes: object, n_features: object) -> None:
    """Check the nodes of a tree of scikit-learn.

    Parameters
    ----------
    nodes : ndarray of a structured type, shape (n,)
    n_nodes, n_features : int
        As stated by the tree.

    Raises
    ------
    ValueError
    """
    if type(n_features) is not int or nodes.ndim != 1 or len(nodes) == 0 or n_nodes != len(nodes):
        raise ValueError("a tree has another number of nodes than it states")
    left, right = nodes["left_child"], nodes["right_child"]
    splits = np.flatnonzero(left != -1)
    children = np.stack([left[splits], right[splits]])
    if (children < 0).any():
        raise ValueError("a tree has a child that does not exist")
    _check_splits(children, nodes["feature"][splits], len(nodes), n_features)


def check_xgboost(saved: Any) -> None:  # noqa: ANN401
    """Check an XGBoost classifier without categorical features, as parsed by `parse_ubjson`.

    Raises
    ------
    ValueError
        If sizes or counts do not match the trees, a tree is no tree, or it uses a feature that
        does not exist.
    """
    try:
        learner = saved["learner"]
        stated, booster = learner["learner_model_param"], learner["gradient_booster"]
        model, objective = booster["model"], learner["objective"]
        n_classes = _stated(stated, "num_class")
        n_groups = max(n_classes, 1)
        if (
            booster["name"] != "gbtree"
            or objective["name"] != ("multi:softprob" if n_classes else "binary:logistic")
            or (
                n_classes
                and _stated(objective["softmax_multiclass_param"], "num_class") != n_classes
            )
            or _stated({"num_target": "1", **stated}, "num_target") != 1
            or stated["base_score"].count(",") + 1 not in (1, n_groups)
        ):
            raise ValueError("it is not a classifier")
        trees, order = model["trees"], [*map(int, model["tree_info"])]
        starts = [*range(0, len(trees) + 1, n_groups)]
        if (
            _stated(model["gbtree_model_param"], "num_trees") != len(trees)
            or _stated(model["gbtree_model_param"], "num_parallel_tree") != 1
            or order != [number % n_groups for number in range(len(trees))]
            or [*map(int, model.get("iteration_indptr", starts))] != starts
        ):
            raise ValueError("its trees are not in the order of the classes")
        for number, tree in enumerate(trees):
            if tree["id"] != number:
                raise ValueError("its trees are not numbered")
            _check_xgboost_tree(tree, _stated(stated, "num_feature"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"an XGBoost model is invalid: {error}") from error


def _stated(values: Mapping[str, str], name: str) -> int:
    """Return a count, which XGBoost stores as text."""
    if not re.fullmatch("[0-9]{1,9}", values[name]):
        raise ValueError(f"{name} is {values[name][:20]!r}; expected a whole number")
    return int(values[name])


def _check_xgboost_tree(tree: Mapping[str, Any], n_features: int) -> None:
    stated = {name: _stated(tree["tree_param"], name) for name in tree["tree_param"]}
    n_nodes = stated["num_nodes"]
    for name, kind in _XGBOOST_LISTS.items():
        values = tree[name]
        if not isinstance(values, np.ndarray) or values.dtype.kind not in kind:
            raise ValueError(f"a tree has no list {name}")
        if len(values) != (0 if name.startswith("categories") else n_nodes):
            raise ValueError(f"a tree of {n_nodes} nodes has another number of {name}")
    if (
        n_nodes < 1
        or stated["num_deleted"] > n_nodes
        or stated["size_leaf_vector"] > 1
        or stated["num_feature"] != n_features
        or tree["split_type"].any()
    ):
        raise ValueError("a tree has categorical splits, several outputs or other features")
    left, right = tree["left_children"], tree["right_children"]
    splits = np.flatnonzero(left != -1)
    children = np.stack([left[splits], right[splits]])
    if (children < 0).any():
        raise ValueError("a tree has a child that does not exist")
    _check_splits(children, tree["split_indices"][splits], n_nodes, n_features)
    parents = tree["parents"]
    none = parents == 2**31 - 1
    if ((parents < 0) | (parents >= n_nodes))[~none].any() or (parents[children] != splits).any():
        raise ValueError("a tree has a node that is not below its parent")


def _depth(children: NDArray[np.int64]) -> int:
    """Return the depth of a tree whose children come behind their parents."""
    depth = np.ones(children.shape[1], np.int64)
    for parent, below in enumerate(children.T):
        for child in below[(below > parent) & (below < len(depth))]:
            depth[child] = max(depth[child], depth[parent] + 1)
    return int(depth.max())


def _check_splits(
    children: NDArray[np.integer],
    features: NDArray[np.integer],
    n_nodes: int,
    n_features: int,
) -> None:
    """Check that the splits are those of a tree, without circles, and their features exist.

    Parameters
    ----------
    children : ndarray of int, shape (2, n)
        Nodes below each split; -1 for a leaf.
    features : ndarray of int, shape (n,)
        Feature of each split.
    n_nodes, n_features : int
    """
    if not len(features):
        return
    below = children[children >= 0]
    if (below >= n_nodes).any():
        raise ValueError("a tree has a child that does not exist")
    # Each node below one other, and the root below none, cannot form a circle under the root.
    if len(below) and (np.bincount(below).max() > 1 or below.min() == 0):
        raise ValueError("a tree has a circle")
    if features.min() < 0 or features.max() >= n_features:
        raise ValueError(f"a tree splits a feature that is not among the {n_features} it states")
