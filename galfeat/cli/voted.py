"""Open data sets whose galaxies have fractions of votes, for ``--soft``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from galfeat.cli.inputs import open_images
from galfeat.cli.options import opening

if TYPE_CHECKING:
    from galfeat.data import DataSet
    from galfeat.data.catalogue import VoteFractions


def open_voted(data: str, *, images: str | None, split: Sequence[str]) -> DataSet:
    """Open the rows of a data set with fractions of votes; report the others on stderr.

    See `galfeat.experiments.votes.with_votes`.
    """
    from galfeat.experiments.votes import with_votes

    opened = open_images(data, images=images, split=split)
    dataset = with_votes(opened, read_votes(data, opened))
    if dataset.skipped:
        click.echo(
            f"{dataset.skipped} of {len(opened)} rows have no fractions of votes and are skipped",
            err=True,
        )
    return dataset


def read_votes(data: str, dataset: DataSet) -> VoteFractions:
    """Read the fractions of votes of the rows of a data set from its table."""
    from galfeat.data.catalogue import read_soft_labels

    return read_soft_labels(data, dataset.ids.tolist(), file_column=opening().file_column)
