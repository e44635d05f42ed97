"""Read and check pipeline files: those that come with galfeat, and the user's own."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from galfeat.errors import PipelineError
from galfeat.features.backbone import BackboneSettings
from galfeat.features.registry import FAMILIES
from galfeat.pipeline.members import KINDS, Member
from galfeat.pipeline.pipeline import (
    BALANCE_METHODS,
    CALIBRATION_METHODS,
    COMBINATIONS,
    DECISION_RULES,
    SCHEMA,
    Pipeline,
)
from galfeat.pipeline.toml_table import Table, nearest
from galfeat.storage.packaged import data_folder


def pipeline_names() -> list[str]:
    """Return the names of the pipelines that come with galfeat, sorted."""
    return sorted(file.stem for file in data_folder("pipelines").glob("*.toml"))


def available_pipelines() -> list[Pipeline]:
    """Return the pipelines that come with galfeat, sorted by name."""
    return [load_pipeline(name) for name in pipeline_names()]


def load_pipeline(name_or_path: str | Path) -> Pipeline:
    """Read a pipeline.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a pipeline that comes with galfeat, or the path of a TOML file (with
        the suffix ``.toml``, or with a folder in it). Followed by ``+`` and a method of
        balancing, as in ``hog-svm+smote``: that pipeline, balanced so instead.

    Returns
    -------
    Pipeline

    Raises
    ------
    PipelineError
        If there is no such pipeline, it is no TOML, or it holds a key, a type or a value
        that galfeat does not know. The message names the nearest that it does know.
    """
    path = Path(name_or_path)
    if "+" in path.name and path.suffix != ".toml":
        return _variant(*str(name_or_path).rsplit("+", 1))
    if path.suffix == ".toml" or path.name != str(name_or_path):
        pipeline = pipeline_from_dict(_read(path), source=str(path))
        _check_with_libraries(pipeline, source=str(path))
        return pipeline
    if path.name not in pipeline_names():
        raise PipelineError(
            f"there is no pipeline {path.name!r}{nearest(path.name, pipeline_names())}; "
            f"name one of {', '.join(pipeline_names())}, or the path of a .toml file"
        )
    # Those that come with galfeat are checked by its tests: no need to wait for the libraries.
    shipped = data_folder("pipelines") / f"{path.name}.toml"
    return pipeline_from_dict(_read(shipped), source=str(shipped))


def _variant(base: str, balance: str) -> Pipeline:
    """Return a pipeline with its classes balanced in another way."""
    if balance not in BALANCE_METHODS:
        raise PipelineError(
            f"pipeline {base}+{balance}: there is no way of balancing {balance!r}"
            f"{nearest(balance, BALANCE_METHODS)}; use one of {', '.join(BALANCE_METHODS)}"
        )
    pipeline = load_pipeline(base)
    return dataclasses.replace(
        pipeline,
        name=f"{pipeline.name}+{balance}",
        description=f"{pipeline.description}; balanced by {balance}",
        balance=balance,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PipelineError(
            f"cannot read pipeline {path}: {reason}; give the path of a TOML file"
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(f"pipeline {path} is not valid TOML: {error}") from error


def _check_with_libraries(pipeline: Pipeline, source: str) -> None:
    """Check what only the features and the libraries of the members know."""
    for family in pipeline.families:
        if family not in FAMILIES:
            raise PipelineError(
                f"{source}: [features] there is no family {family!r}{nearest(family, FAMILIES)}; "
                f"choose from {', '.join(FAMILIES)}"
            )
    for member in pipeline.members:
        try:
            member.check()
        except PipelineError as error:
            raise PipelineError(f"{source}: [[ensemble.members]] {error}") from error


def pipeline_from_dict(values: Mapping[str, Any], source: str = "pipeline") -> Pipeline:
    """Check the tables of a pipeline file and return the pipeline; the inverse of ``to_dict``.

    Raises
    ------
    PipelineError
        As `load_pipeline`, but for the families and the parameters of the members, which are
        checked when they are used. The message begins with `source`.
    """
    keys = ("schema", "name", "description", *_TABLES)
    top = Table(values, source, "", keys)
    schema = top.take("schema", int)
    if schema != SCHEMA:
        raise PipelineError(
            f"{source}: schema is {schema}; this galfeat reads schema {SCHEMA}: "
            "use the galfeat it was written for, or bring it to this schema"
        )
    features, embedding, balance, ensemble, calibrate, decision = (
        Table(top.take(name, dict, {}), source, name, keys) for name, keys in _TABLES.items()
    )
    members = ensemble.take("members", list)
    pipeline = Pipeline(
        name=top.take("name", str),
        description=top.take("description", str, ""),
        families=tuple(features.take_texts("families")),
        frame=features.take("frame", bool, True),
        embedding=_backbone_settings(embedding) if "embedding" in values else None,
        balance=balance.take("method", str, "none", BALANCE_METHODS),
        members=tuple(_member(member, source) for member in members),
        combine=ensemble.take("combine", str, "none", COMBINATIONS),
        calibration=calibrate.take("method", str, "temperature", CALIBRATION_METHODS),
        folds=calibrate.take("folds", int, 5),
        decision=decision.take("rule", str, "balanced", DECISION_RULES),
    )
    _check_whole(pipeline, source)
    return pipeline


_TABLES = {
    "features": ("families", "frame"),
    "embedding": tuple(one.name for one in dataclasses.fields(BackboneSettings)),
    "balance": ("method",),
    "ensemble": ("combine", "members"),
    "calibrate": ("method", "folds"),
    "decision": ("rule",),
}


def _backbone_settings(table: Table) -> BackboneSettings:
    return BackboneSettings(
        backbone=table.take("backbone", str),
        weights=table.take("weights", str, BackboneSettings.weights),
        side=table.take("side", int, BackboneSettings.side),
        crop=table.take("crop", float, BackboneSettings.crop),
        mean=table.take_numbers("mean", 3, BackboneSettings.mean),
        std=table.take_numbers("std", 3, BackboneSettings.std),
    )


def _member(values: Any, source: str) -> Member:  # noqa: ANN401
    table = Table(values, source, "ensemble.members", ("kind", "families", "params"))
    families = tuple(table.take_texts("families")) if "families" in values else ()
    return Member(table.take("kind", str, choices=KINDS), table.take("params", dict, {}), families)


def _check_whole(pipeline: Pipeline, source: str) -> None:
    if pipeline.embedding is not None and "embedding" not in pipeline.families:
        raise PipelineError(
            f"{source}: [embedding] names a network, and [features] families do not ask for "
            "'embedding'; add it there, or leave the table out"
        )
    if pipeline.folds < 2:
        raise PipelineError(f"{source}: [calibrate] folds is {pipeline.folds}; give at least 2")
    if not pipeline.members:
        raise PipelineError(f"{source}: [ensemble] members is empty; give at least one member")
    for family in (family for member in pipeline.members for family in member.families):
        if family not in pipeline.families:
            raise PipelineError(
                f"{source}: [[ensemble.members]] is given the family {family!r}, which is not "
                f"among those of [features]: {', '.join(pipeline.families)}"
            )
    if pipeline.combine == "none" and len(pipeline.members) > 1:
        raise PipelineError(
            f"{source}: [ensemble] combine is 'none' with {len(pipeline.members)} members; "
            "use 'average' or 'stack', or leave one member"
        )
