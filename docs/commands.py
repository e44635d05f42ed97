"""Write docs/commands.md from the commands themselves: ``python docs/commands.py``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from galfeat.cli import main

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Commands

`galfeat VERB --help` says the same. `python -m galfeat` and, in a checkout, `python cli.py` are \
the same command. What the exit codes mean is in [exit-codes.md](exit-codes.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    context = click.Context(main, info_name="galfeat")
    sections = [_section(command, name) for name, command in walk(main, context)]
    return "\n".join([HEAD, *sections])


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


def _section(command: click.Command, name: str) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([name, *(argument.make_metavar(_CONTEXT) for argument in arguments)])
    lines = [f"## {name}", "", f"`{usage}`", "", inspect.cleandoc(command.help or ""), ""]
    options = [p for p in command.params if isinstance(p, click.Option)]
    if options:
        lines += ["| option | |", "|---|---|", *map(_row, options), ""]
    return "\n".join(lines)


_CONTEXT = click.Context(main)


def _row(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(_CONTEXT)}"
    names = f"{', '.join(option.opts)}{value}".replace("|", "\\|")
    notes = [option.help or ""]
    if option.required:
        notes.append("Required.")
    elif isinstance(option.show_default, str):
        notes.append(f"Default: {option.show_default}.")
    elif option.show_default:
        notes.append(f"Default: {option.default}.")
    return f"| `{names}` | {' '.join(notes)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
