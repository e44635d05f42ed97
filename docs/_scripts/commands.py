"""Check that the built site documents every command and option of galfeat.

`make docs` runs ``python docs/_scripts/commands.py docs/_build/html/reference/commands.html``.
"""

from __future__ import annotations

import html
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from galfeat.cli import main

#: Source of the page: one ``click`` directive for each verb.
PAGE = Path(__file__).parents[1] / "reference" / "commands.rst"
_DIRECTIVE = re.compile(
    r"^\.\. click:: (\S+):(\S+)\n +:prog: (.+)\n +:nested: (\w+)$", re.MULTILINE
)


def walk(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Yield the full name of a group and of every command in it, with the command."""
    yield context.command_path, group
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from walk(command, inner)
        else:
            yield f"{context.command_path} {name}", command


def documented(text: str) -> dict[str, click.Command]:
    """Return the commands that the directives of a page document, by full name.

    Parameters
    ----------
    text : str
        The page as reStructuredText.
    """
    commands: dict[str, click.Command] = {}
    for module, attribute, name, nested in _DIRECTIVE.findall(text):
        command = getattr(importlib.import_module(module), attribute)
        if nested == "full" and isinstance(command, click.Group):
            commands |= dict(walk(command, click.Context(command, info_name=name)))
        else:
            commands[name] = command
    return commands


def missing(page: str) -> list[str]:
    """Return the commands and options that a built page does not show.

    Parameters
    ----------
    page : str
        The page as HTML. Of help texts words are compared, not punctuation: Sphinx typesets it.
    """
    shown = html.unescape(re.sub(r"<[^>]+>", "", page))
    names, text = set(re.findall(r"(?<![\w-])--?\w[\w-]*", shown)), _words(shown)
    absent = []
    for name, command in walk(main, click.Context(main, info_name="galfeat")):
        if _words(command.help or name) not in text:
            absent.append(name)
        options = [option for option in command.params if isinstance(option, click.Option)]
        absent += [
            f"{name} {option.opts[-1]}"
            for option in options
            if option.opts[-1] not in names or _words(option.help or "") not in text
        ]
    return absent


def _words(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


if __name__ == "__main__":
    absent = missing(Path(sys.argv[1]).read_text("utf-8"))
    if absent:
        sys.exit(f"not documented in {sys.argv[1]}: {', '.join(absent)}")
