"""Tables of a pipeline file: read with checks, and written as TOML."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any

from galfeat.errors import PipelineError


class Table:
    """A table of a pipeline file; an unknown key in it is an error."""

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
        """Return a value of the right type and among the choices."""
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

    def take_texts(self, key: str) -> list[str]:
        """Return a list of at least one text, none of them twice."""
        texts: list[Any] = self.take(key, list)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise PipelineError(f"{self._where}{key} is {texts!r}; it should be a list of texts")
        if len(set(texts)) < len(texts):
            raise PipelineError(f"{self._where}{key} names one twice: {', '.join(texts)}")
        return texts

    def take_numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """Return so many numbers."""
        numbers: list[Any] = self.take(key, list, list(default))
        if len(numbers) != count or not all(type(one) in (int, float) for one in numbers):
            raise PipelineError(f"{self._where}{key} is {numbers!r}; it should be {count} numbers")
        return tuple(map(float, numbers))


_TYPE_NAMES = {
    int: "a whole number",
    float: "a number with a decimal point",
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def nearest(word: str, known: Collection[str]) -> str:
    """Return ``, did you mean X?`` for the best match, or nothing where none is close."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def toml_value(value: Any) -> str:  # noqa: ANN401
    """Write a text, number, truth value, list or table as TOML, on one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, float):
        return repr(value)
    # A JSON text, number or truth value is a TOML one too, but for an unescaped DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
