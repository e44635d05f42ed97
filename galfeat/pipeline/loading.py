"""Read and check pipeline files, shipped with galfeat or written by users."""

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
    RENDERINGS,
    SCHEMA,
    Pipeline,
    SimulatedGalaxies,
)
from galfeat.pipeline.toml_table import Table, nearest
from galfeat.storage.packaged import data_folder


def pipeline_names() -> list[str]:
    """Return the sorted names of the pipelines shipped with galfeat.

    Examples
    --------
    >>> from galfeat.pipeline import pipeline_names
    >>> "lightgbm" in pipeline_names()
    True
    """
    return sorted(file.stem for file in data_folder("pipelines").glob("*.toml"))


def available_pipelines() -> list[Pipeline]:
    """Return the pipelines shipped with galfeat, sorted by name.

    Examples
    --------
    >>> from galfeat.pipeline import available_pipelines
    >>> [pipeline.name for pipeline in available_pipelines() if not pipeline.frame]
    ['cnn-baseline', 'hog-svm', 'pixels-forest', 'raw-features']
    """
    return [load_pipeline(name) for name in pipeline_names()]


def load_pipeline(name_or_path: str | Path) -> Pipeline:
    """Read a pipeline.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a pipeline shipped with galfeat, or the path of a TOML file (ending in
        ``.toml`` or containing a folder). A suffix ``+METHOD``, as in ``hog-svm+smote``,
        replaces the pipeline's balancing method.

    Returns
    -------
    Pipeline

    Raises
    ------
    PipelineError
        If the pipeline does not exist, is not valid TOML, or contains an unknown key, type
        or value. The message suggests the closest valid one.

    Examples
    --------
    >>> from galfeat.pipeline import load_pipeline
    >>> pipeline = load_pipeline("lightgbm+under")
    >>> pipeline.balance, [member.kind for member in pipeline.members]
    ('under', ['lightgbm'])
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
            f"specify one of {', '.join(pipeline_names())}, or the path of a .toml file"
        )
    # The tests check the shipped pipelines, which saves importing the members' libraries here.
    shipped = data_folder("pipelines") / f"{path.name}.toml"
    return pipeline_from_dict(_read(shipped), source=str(shipped))


def _variant(base: str, balance: str) -> Pipeline:
    """Return a pipeline with another balancing method."""
    if balance not in BALANCE_METHODS:
        raise PipelineError(
            f"pipeline {base}+{balance}: there is no balancing method {balance!r}"
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
    """Check feature families and member parameters, which requires the members' libraries."""
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

    Parameters
    ----------
    values : mapping
        The tables, as plain dicts, lists, strings and numbers.
    source : str
        Where they come from; the first words of any error message.

    Raises
    ------
    PipelineError
        As for `load_pipeline`, except that feature families and member parameters are only
        checked when they are used.

    Examples
    --------
    >>> from galfeat.pipeline import load_pipeline, pipeline_from_dict
    >>> pipeline = load_pipeline("xgboost")
    >>> pipeline_from_dict(pipeline.to_dict()) == pipeline
    True
    """
    keys = ("schema", "name", "description", *_TABLES)
    top = Table(values, source, "", keys)
    schema = top.take("schema", int)
    if schema != SCHEMA:
        raise PipelineError(
            f"{source}: schema is {schema}; this galfeat reads schema {SCHEMA}: "
            "use the galfeat version it was written for, or update the file to this schema"
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
        simulated=_simulated_galaxies(balance, source),
        members=tuple(_member(member, source) for member in members),
        combine=ensemble.take("combine", str, "none", COMBINATIONS),
        calibration=calibrate.take("method", str, "vector", CALIBRATION_METHODS),
        folds=calibrate.take("folds", int, 5),
        decision=decision.take("rule", str, "balanced", DECISION_RULES),
    )
    _check_whole(pipeline, source)
    return pipeline


_MOST_SIMULATED = 200_000
_HEAVIEST = 100.0
_TABLES = {
    "features": ("families", "frame"),
    "embedding": tuple(field.name for field in dataclasses.fields(BackboneSettings)),
    "balance": ("method", *(field.name for field in dataclasses.fields(SimulatedGalaxies))),
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


def _simulated_galaxies(table: Table, source: str) -> SimulatedGalaxies:
    """Read the keys of ``[balance]`` that describe simulated galaxies."""
    names = [field.name for field in dataclasses.fields(SimulatedGalaxies) if field.name in table]
    if names and table.take("method", str, "none") != "simulate":
        raise PipelineError(
            f"{source}: [balance] {names[0]} describes simulated galaxies, but method is not "
            "'simulate'; set it, or remove this key"
        )
    galaxies = SimulatedGalaxies(
        number=table.take("number", int, SimulatedGalaxies.number),
        weight=table.take("weight", float, SimulatedGalaxies.weight),
        renderings=tuple(table.take_texts("renderings", SimulatedGalaxies.renderings, RENDERINGS)),
    )
    lowest = 10 * len(galaxies.renderings)
    if not lowest <= galaxies.number <= _MOST_SIMULATED:
        raise PipelineError(
            f"{source}: [balance] number is {galaxies.number}; give {lowest} to "
            f"{_MOST_SIMULATED:,}, one of each class and rendering at least"
        )
    if not 0 < galaxies.weight <= _HEAVIEST:
        raise PipelineError(
            f"{source}: [balance] weight is {galaxies.weight}; give more than 0 and at most "
            f"{_HEAVIEST:g}, in units of an equal share of the training rows"
        )
    return galaxies


def _member(values: Any, source: str) -> Member:  # noqa: ANN401
    table = Table(values, source, "ensemble.members", ("kind", "families", "params"))
    families = tuple(table.take_texts("families")) if "families" in values else ()
    return Member(table.take("kind", str, choices=KINDS), table.take("params", dict, {}), families)


def _check_whole(pipeline: Pipeline, source: str) -> None:
    if pipeline.embedding is not None and "embedding" not in pipeline.families:
        raise PipelineError(
            f"{source}: [embedding] names a network, but [features] families do not include "
            "'embedding'; add it there or remove the table"
        )
    if pipeline.folds < 2:
        raise PipelineError(f"{source}: [calibrate] folds is {pipeline.folds}; give at least 2")
    if not pipeline.members:
        raise PipelineError(f"{source}: [ensemble] members is empty; give at least one member")
    for family in (family for member in pipeline.members for family in member.families):
        if family not in pipeline.families:
            raise PipelineError(
                f"{source}: [[ensemble.members]] uses the family {family!r}, which [features] "
                f"does not list; choose from {', '.join(pipeline.families)}, or add it there"
            )
    if pipeline.combine == "none" and len(pipeline.members) > 1:
        raise PipelineError(
            f"{source}: [ensemble] combine is 'none' with {len(pipeline.members)} members; "
            "use 'average' or 'stack', or keep one member"
        )
