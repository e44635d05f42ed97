"""``galfeat features``: list the measured features."""

from __future__ import annotations

import click


@click.command()
def features() -> None:
    """List all features with unit, meaning and reference.

    Features marked with * are covariant: they change when the galaxy is rotated or mirrored.
    Features marked with + change too much between the renderings of different surveys. Both
    are extracted but not used by classifiers.
    """
    from galfeat.features import columns

    listed = columns()
    names = [
        column.name + "*" * (not column.invariant) + "+" * column.survey_bound for column in listed
    ]
    name_width = max(len(name) for name in names)
    unit_width = max(len(column.unit) for column in listed)
    for name, column in zip(names, listed, strict=True):
        reference = f" ({column.reference})" if column.reference else ""
        click.echo(
            f"{name:<{name_width}}  {column.unit:<{unit_width}}  {column.meaning}{reference}"
        )
