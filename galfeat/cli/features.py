"""``galfeat features``: what galfeat measures."""

from __future__ import annotations

import click


@click.command()
def features() -> None:
    """List every feature: name, unit, meaning and reference.

    Names marked with * change when the galaxy is turned or mirrored, as they must;
    those marked with + another survey's rendering would change too much. Both are
    extracted but not given to classifiers.
    """
    from galfeat.features import columns

    known = columns()
    names = [
        column.name + "*" * (not column.invariant) + "+" * column.survey_bound for column in known
    ]
    name_width = max(len(name) for name in names)
    unit_width = max(len(column.unit) for column in known)
    for name, column in zip(names, known, strict=True):
        reference = f" ({column.reference})" if column.reference else ""
        click.echo(
            f"{name:<{name_width}}  {column.unit:<{unit_width}}  {column.meaning}{reference}"
        )
