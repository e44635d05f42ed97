"""Recipes: TOML files that say what is extracted, balanced, fitted, combined and calibrated."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from galfeat.ensemble.balance import METHODS as BALANCE_METHODS
from galfeat.ensemble.calibration import METHODS as CALIBRATION_METHODS
from galfeat.ensemble.combine import COMBINATIONS
from galfeat.ensemble.decision import RULES
from galfeat.ensemble.members import KINDS, Member
from galfeat.errors import RecipeError
from galfeat.recipe_embedding import KEYS as EMBEDDING_KEYS
from galfeat.recipe_embedding import BackboneSettings
from galfeat.recipe_table import Table, nearest, toml_value
from galfeat.storage.packaged import data_folder

SCHEMA = 1


@dataclass(frozen=True)
class Recipe:
    """What a model is made of: a recipe file, read and checked.

    Attributes
    ----------
    name, description : str
        What it is called, and one line about it.
    families : tuple of str
        Feature families, in the order of their columns.
    members : tuple of Member
        The classifiers.
    embedding : BackboneSettings or None
        The network of the family `embedding`, if it is not the one that comes with galfeat.
    frame : bool
        Measure on the canonical frame (True) or on the image as it is (False).
    balance : {"none", "class-weight", "over", "under", "smote", "bagging"}
        How the classes are balanced in the training rows.
    combine : {"none", "average", "stack"}
        How the members are combined; "none" goes with a single member.
    calibration : {"none", "temperature"}
        How the probabilities are calibrated.
    folds : int
        Inner folds for calibration and stacking, at least 2.
    decision : {"balanced", "tempered", "probable"}
        Which class is named; see `galfeat.ensemble.decide`.
    """

    name: str
    description: str
    families: tuple[str, ...]
    members: tuple[Member, ...]
    embedding: BackboneSettings | None = None
    frame: bool = True
    balance: str = "none"
    combine: str = "none"
    calibration: str = "temperature"
    folds: int = 5
    decision: str = "balanced"

    def measured_families(self) -> tuple[Any, ...]:
        """Return the families to measure: their names, and the network that is `embedding`.

        Raises
        ------
        RecipeError, MissingDependencyError
            If that network cannot be had.
        """
        if self.embedding is None:
            return self.families
        from galfeat.features.backbone import load_backbone

        backbone = load_backbone(self.embedding)
        return tuple(backbone if name == "embedding" else name for name in self.families)

    def to_dict(self) -> dict[str, Any]:
        """Return the tables of the recipe file, as plain dicts, lists, texts and numbers."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "description": self.description,
            "features": {"families": list(self.families), "frame": self.frame},
            **({"embedding": self.embedding.to_dict()} if self.embedding else {}),
            "balance": {"method": self.balance},
            "ensemble": {
                "combine": self.combine,
                "members": [_member_table(member) for member in self.members],
            },
            "calibrate": {"method": self.calibration, "folds": self.folds},
            "decision": {"rule": self.decision},
        }

    def to_toml(self) -> str:
        """Return the text of a recipe file that `load_recipe` reads as an equal recipe."""
        lines: list[str] = []
        tables = []
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                tables.append((key, value))
            else:
                lines.append(f"{key} = {toml_value(value)}")
        for name, table in tables:
            members = table.pop("members", [])
            lines += [
                "",
                f"[{name}]",
                *(f"{key} = {toml_value(value)}" for key, value in table.items()),
            ]
            for member in members:
                lines += ["", f"[[{name}.members]]"]
                lines += [f"{key} = {toml_value(value)}" for key, value in member.items()]
        return "\n".join(lines) + "\n"


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with galfeat, sorted."""
    return sorted(file.stem for file in data_folder("pipelines").glob("*.toml"))


def available_recipes() -> list[Recipe]:
    """Return the recipes that come with galfeat, sorted by name."""
    return [load_recipe(name) for name in recipe_names()]


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a recipe that comes with galfeat, or the path of a TOML file (with
        the suffix ``.toml``, or with a folder in it). Followed by ``+`` and a method of
        balancing, as in ``hog-svm+smote``: that recipe, balanced so instead.

    Returns
    -------
    Recipe

    Raises
    ------
    RecipeError
        If there is no such recipe, it is no TOML, or it holds a key, a type or a value
        that galfeat does not know. The message names the nearest that it does know.
    """
    path = Path(name_or_path)
    if "+" in path.name and path.suffix != ".toml":
        return _variant(*str(name_or_path).rsplit("+", 1))
    if path.suffix == ".toml" or path.name != str(name_or_path):
        recipe = recipe_from_dict(_read(path), source=str(path))
        _check_with_libraries(recipe, source=str(path))
        return recipe
    if path.name not in recipe_names():
        raise RecipeError(
            f"there is no recipe {path.name!r}{nearest(path.name, recipe_names())}; "
            f"name one of {', '.join(recipe_names())}, or the path of a .toml file"
        )
    # Those that come with galfeat are checked by its tests: no need to wait for the libraries.
    shipped = data_folder("pipelines") / f"{path.name}.toml"
    return recipe_from_dict(_read(shipped), source=str(shipped))


def _variant(base: str, balance: str) -> Recipe:
    """Return a recipe with its classes balanced in another way."""
    if balance not in BALANCE_METHODS:
        raise RecipeError(
            f"recipe {base}+{balance}: there is no way of balancing {balance!r}"
            f"{nearest(balance, BALANCE_METHODS)}; use one of {', '.join(BALANCE_METHODS)}"
        )
    recipe = load_recipe(base)
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}+{balance}",
        description=f"{recipe.description}; balanced by {balance}",
        balance=balance,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RecipeError(
            f"cannot read recipe {path}: {reason}; give the path of a TOML file"
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {path} is not valid TOML: {error}") from error


def _check_with_libraries(recipe: Recipe, source: str) -> None:
    """Check what only the features and the libraries of the members know."""
    from galfeat.features.registry import FAMILIES

    for family in recipe.families:
        if family not in FAMILIES:
            raise RecipeError(
                f"{source}: [features] there is no family {family!r}{nearest(family, FAMILIES)}; "
                f"choose from {', '.join(FAMILIES)}"
            )
    for member in recipe.members:
        try:
            member.check()
        except RecipeError as error:
            raise RecipeError(f"{source}: [[ensemble.members]] {error}") from error


def recipe_from_dict(values: Mapping[str, Any], source: str = "recipe") -> Recipe:
    """Check the tables of a recipe file and return the recipe; the inverse of ``to_dict``.

    Raises
    ------
    RecipeError
        As `load_recipe`, but for the families and the parameters of the members, which are
        checked when they are used. The message begins with `source`.
    """
    keys = ("schema", "name", "description", *_TABLES)
    top = Table(values, source, "", keys)
    schema = top.take("schema", int)
    if schema != SCHEMA:
        raise RecipeError(
            f"{source}: schema is {schema}; this galfeat reads schema {SCHEMA}: "
            "use the galfeat it was written for, or bring it to this schema"
        )
    features, embedding, balance, ensemble, calibrate, decision = (
        Table(top.take(name, dict, {}), source, name, keys) for name, keys in _TABLES.items()
    )
    members = ensemble.take("members", list)
    recipe = Recipe(
        name=top.take("name", str),
        description=top.take("description", str, ""),
        families=tuple(features.take_texts("families")),
        frame=features.take("frame", bool, True),
        embedding=BackboneSettings.of(embedding) if "embedding" in values else None,
        balance=balance.take("method", str, "none", BALANCE_METHODS),
        members=tuple(_member(member, source) for member in members),
        combine=ensemble.take("combine", str, "none", COMBINATIONS),
        calibration=calibrate.take("method", str, "temperature", CALIBRATION_METHODS),
        folds=calibrate.take("folds", int, 5),
        decision=decision.take("rule", str, "balanced", RULES),
    )
    _check_whole(recipe, source)
    return recipe


_TABLES = {
    "features": ("families", "frame"),
    "embedding": EMBEDDING_KEYS,
    "balance": ("method",),
    "ensemble": ("combine", "members"),
    "calibrate": ("method", "folds"),
    "decision": ("rule",),
}


def _member(values: Any, source: str) -> Member:  # noqa: ANN401
    table = Table(values, source, "ensemble.members", ("kind", "families", "params"))
    families = tuple(table.take_texts("families")) if "families" in values else ()
    return Member(table.take("kind", str, choices=KINDS), table.take("params", dict, {}), families)


def _member_table(member: Member) -> dict[str, Any]:
    families = {"families": list(member.families)} if member.families else {}
    return {"kind": member.kind, **families, "params": dict(member.params)}


def _check_whole(recipe: Recipe, source: str) -> None:
    if recipe.embedding is not None and "embedding" not in recipe.families:
        raise RecipeError(
            f"{source}: [embedding] names a network, and [features] families do not ask for "
            "'embedding'; add it there, or leave the table out"
        )
    if recipe.folds < 2:
        raise RecipeError(f"{source}: [calibrate] folds is {recipe.folds}; give at least 2")
    if not recipe.members:
        raise RecipeError(f"{source}: [ensemble] members is empty; give at least one member")
    for family in (family for member in recipe.members for family in member.families):
        if family not in recipe.families:
            raise RecipeError(
                f"{source}: [[ensemble.members]] is given the family {family!r}, which is not "
                f"among those of [features]: {', '.join(recipe.families)}"
            )
    if recipe.combine == "none" and len(recipe.members) > 1:
        raise RecipeError(
            f"{source}: [ensemble] combine is 'none' with {len(recipe.members)} members; "
            "use 'average' or 'stack', or leave one member"
        )
