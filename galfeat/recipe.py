"""Recipes: TOML files that say what is extracted, balanced, fitted, combined and calibrated."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from galfeat.ensemble.balance import METHODS as BALANCE_METHODS
from galfeat.ensemble.calibration import METHODS as CALIBRATION_METHODS
from galfeat.ensemble.combine import COMBINATIONS
from galfeat.ensemble.decision import RULES
from galfeat.ensemble.members import KINDS, Member
from galfeat.errors import RecipeError
from galfeat.resources import data_folder

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
    frame: bool = True
    balance: str = "none"
    combine: str = "none"
    calibration: str = "temperature"
    folds: int = 5
    decision: str = "balanced"

    def to_dict(self) -> dict[str, Any]:
        """Return the tables of the recipe file, as plain dicts, lists, texts and numbers."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "description": self.description,
            "features": {"families": list(self.families), "frame": self.frame},
            "balance": {"method": self.balance},
            "ensemble": {
                "combine": self.combine,
                "members": [
                    {"kind": member.kind, "params": dict(member.params)} for member in self.members
                ],
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
                lines.append(f"{key} = {_toml(value)}")
        for name, table in tables:
            members = table.pop("members", [])
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
            for member in members:
                lines += ["", f"[[{name}.members]]"]
                lines += [f"{key} = {_toml(value)}" for key, value in member.items()]
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
            f"there is no recipe {path.name!r}{_nearest(path.name, recipe_names())}; "
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
            f"{_nearest(balance, BALANCE_METHODS)}; use one of {', '.join(BALANCE_METHODS)}"
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
                f"{source}: [features] there is no family {family!r}{_nearest(family, FAMILIES)}; "
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
    top = _Table(values, source, "", keys)
    schema = top.take("schema", int)
    if schema != SCHEMA:
        raise RecipeError(
            f"{source}: schema is {schema}; this galfeat reads schema {SCHEMA}: "
            "use the galfeat it was written for, or bring it to this schema"
        )
    features, balance, ensemble, calibrate, decision = (
        _Table(top.take(name, dict, {}), source, name, keys) for name, keys in _TABLES.items()
    )
    members = ensemble.take("members", list)
    recipe = Recipe(
        name=top.take("name", str),
        description=top.take("description", str, ""),
        families=tuple(features.take_texts("families")),
        frame=features.take("frame", bool, True),
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
    "balance": ("method",),
    "ensemble": ("combine", "members"),
    "calibrate": ("method", "folds"),
    "decision": ("rule",),
}


def _member(values: Any, source: str) -> Member:  # noqa: ANN401
    table = _Table(values, source, "ensemble.members", ("kind", "params"))
    return Member(table.take("kind", str, choices=KINDS), table.take("params", dict, {}))


def _check_whole(recipe: Recipe, source: str) -> None:
    if recipe.folds < 2:
        raise RecipeError(f"{source}: [calibrate] folds is {recipe.folds}; give at least 2")
    if not recipe.members:
        raise RecipeError(f"{source}: [ensemble] members is empty; give at least one member")
    if recipe.combine == "none" and len(recipe.members) > 1:
        raise RecipeError(
            f"{source}: [ensemble] combine is 'none' with {len(recipe.members)} members; "
            "use 'average' or 'stack', or leave one member"
        )


class _Table:
    """A table of a recipe file; an unknown key in it is an error."""

    def __init__(self, values: Any, source: str, name: str, keys: Collection[str]) -> None:  # noqa: ANN401
        self._where = f"{source}: [{name}] " if name else f"{source}: "
        if not isinstance(values, Mapping):
            raise RecipeError(f"{self._where}is {values!r}; it should be a table")
        self._values = values
        for key in values:
            if key not in keys:
                raise RecipeError(
                    f"{self._where}{key} is not known{_nearest(key, keys)}; "
                    f"the keys here are {', '.join(keys)}"
                )

    def take(
        self,
        key: str,
        kind: type,
        default: Any = dataclasses.MISSING,  # noqa: ANN401
        choices: Collection[str] = (),
    ) -> Any:  # noqa: ANN401
        """Return a value of the right type and among the choices."""
        value = self._values.get(key, default)
        if value is dataclasses.MISSING:
            raise RecipeError(f"{self._where}{key} is missing; give {_TYPE_NAMES[kind]}")
        if type(value) is not kind:
            raise RecipeError(f"{self._where}{key} is {value!r}; it should be {_TYPE_NAMES[kind]}")
        if isinstance(value, str) and choices and value not in choices:
            raise RecipeError(
                f"{self._where}{key} is {value!r}{_nearest(value, choices)}; "
                f"it should be one of {', '.join(choices)}"
            )
        return value

    def take_texts(self, key: str) -> list[str]:
        """Return a list of at least one text, none of them twice."""
        texts: list[Any] = self.take(key, list)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise RecipeError(f"{self._where}{key} is {texts!r}; it should be a list of texts")
        if len(set(texts)) < len(texts):
            raise RecipeError(f"{self._where}{key} names one twice: {', '.join(texts)}")
        return texts


_TYPE_NAMES = {
    int: "a whole number",
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def _nearest(word: str, known: Collection[str]) -> str:
    """Return ``, did you mean X?`` for the best match, or nothing where none is close."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _toml(value: Any) -> str:  # noqa: ANN401
    """Write a text, number, truth value, list or table as TOML, on one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, float):
        return repr(value)
    # A JSON text, number or truth value is a TOML one too, but for an unescaped DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
