"""Read the tables of a pipeline file with checks, and write values as TOML."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any

from galfeat.errors import PipelineError


class Table:
    """A table of a pipeline file; unknown keys are errors."""

    def __init__(self, values: Any, source: str, name: str, keys: Collection[str]) -> None:  # noqa: ANN401
        self._where = f"{source}: [{name}] " if name else f"{source}: "
        if not isinstance(values, Mapping):
            raise PipelineError(f"{self._where}is {values!r}; it should be a table")
        self._values = values
        for key in values:
            if key not in keys:
                raise PipelineError(
                    f"{self._where}{key} is not known{nearest(key, keys)}; "
                    f"the keys here are {', '.join(keys)}"
                )

    def take(
        self,
        key: str,
        kind: type,
        default: Any = dataclasses.MISSING,  # noqa: ANN401
        choices: Collection[str] = (),
    ) -> Any:  # noqa: ANN401
        """Return the value of a key, checked for its type and against the choices."""
        value = self._values.get(key, default)
        if value is dataclasses.MISSING:
            raise PipelineError(f"{self._where}{key} is missing; give {_TYPE_NAMES[kind]}")
        if type(value) is not kind:
            raise PipelineError(
                f"{self._where}{key} is {value!r}; it should be {_TYPE_NAMES[kind]}"
            )
        if isinstance(value, str) and choices and value not in choices:
            raise PipelineError(
                f"{self._where}{key} is {value!r}{nearest(value, choices)}; "
                f"it should be one of {', '.join(choices)}"
            )
        return value

    def __contains__(self, key: str) -> bool:
        """Return whether the table has a key."""
        return key in self._values

    def take_texts(
        self,
        key: str,
        default: Collection[str] | None = None,
        choices: Collection[str] = (),
    ) -> list[str]:
        """Return a non-empty list of distinct strings, checked against the choices."""
        given = dataclasses.MISSING if default is None else list(default)
        texts: list[Any] = self.take(key, list, given)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise PipelineError(f"{self._where}{key} is {texts!r}; it should be a list of strings")
        if len(set(texts)) < len(texts):
            raise PipelineError(
                f"{self._where}{key} has duplicates: {', '.join(texts)}; name each one once"
            )
        for text in texts if choices else ():
            if text not in choices:
                raise PipelineError(
                    f"{self._where}{key} has {text!r}{nearest(text, choices)}; "
                    f"choose from {', '.join(choices)}"
                )
        return texts

    def take_numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """Return a list of `count` numbers."""
        numbers: list[Any] = self.take(key, list, list(default))
        if len(numbers) != count or not all(type(number) in (int, float) for number in numbers):
            raise PipelineError(f"{self._where}{key} is {numbers!r}; it should be {count} numbers")
        return tuple(map(float, numbers))


_TYPE_NAMES = {
    int: "a whole number",
    float: "a number with a decimal point",
    str: "a string",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def nearest(name: str, choices: Collection[str]) -> str:
    """Return `` (did you mean X?)`` for the closest match, or an empty string without one."""
    matches = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def toml_value(value: Any) -> str:  # noqa: ANN401
    """Return a string, number, boolean, list or table as TOML on one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, float):
        return repr(value)
    # JSON strings, numbers and booleans are valid TOML, except for an unescaped DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
