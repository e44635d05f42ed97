"""Phrases shared by several commands."""

from __future__ import annotations

from collections.abc import Sequence

import click

from galfeat.errors import DataError
from galfeat.storage.cells import printable


def counted(galaxies: int) -> str:
    """Return a count such as "1 galaxy" or "2 galaxies".

    Examples
    --------
    >>> from galfeat.cli.terminal import counted
    >>> counted(1), counted(12000)
    ('1 galaxy', '12,000 galaxies')
    """
    return f"{galaxies:,} {'galaxy' if galaxies == 1 else 'galaxies'}"


def skipped_message(failures: Sequence[str], total: int) -> None:
    """Print on stderr how many images were skipped, and the first failure."""
    click.echo(
        f"{len(failures)} of {total} images cannot be read and are skipped; "
        f"the first: {printable(failures[0])}",
        err=True,
    )


def none_readable(failure: str, total: int) -> DataError:
    """Return the error for a data set in which no image can be read."""
    return DataError(f"none of the {total} images can be read; the first: {failure}")
