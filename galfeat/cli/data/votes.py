"""``galfeat data label-votes``: labels from the votes of Galaxy Zoo volunteers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat.cli.options import FiniteRange

if TYPE_CHECKING:
    from galfeat.data.catalogue.votes import VoteLabels


@click.command("label-votes")
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--scheme",
    type=click.Choice(["gz2", "gz-decals"]),
    required=True,
    help="Decision tree of the votes: Galaxy Zoo 2 (also as on Kaggle), or Galaxy Zoo DECaLS.",
)
@click.option(
    "--threshold",
    type=FiniteRange(0, 1, max_open=True),
    default=0.55,
    show_default=True,
    help="Share of the votes that a class must exceed.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Table of labels to write, such as labels.csv next to the images.",
)
@click.option(
    "--images",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder of the images, named after the ids. [default: files ID.jpg next to the output]",
)
@click.option(
    "--id", "id_column", metavar="COLUMN", help="Column of TABLE that names the galaxies."
)
def label_votes(
    table: Path,
    scheme: str,
    threshold: float,
    output: Path,
    folder: Path | None,
    id_column: str | None,
) -> None:
    """Label galaxies by the votes of Galaxy Zoo volunteers in TABLE.

    TABLE holds vote fractions or counts, under the published column names, as CSV, Parquet, FITS
    table, VOTable or ECSV. A galaxy gets the Galaxy10 DECaLS class, and the coarse class, that
    more than the threshold of its votes agree on. The fractions of all classes are kept in
    columns p_CLASS as soft labels. Counts of each class are printed on stderr.
    """
    from galfeat.data.catalogue.vote_table import write_labels
    from galfeat.data.catalogue.votes import read_votes
    from galfeat.storage.atomic import ensure_writable

    ensure_writable(output)
    labels = read_votes(table, scheme, threshold=threshold, id_column=id_column)
    missing = write_labels(labels, output, source=f"{scheme}-votes", images=folder)
    click.echo(output)
    _report(labels, missing, threshold, folder)


def _report(labels: VoteLabels, missing: list[str], threshold: float, folder: Path | None) -> None:
    total = len(labels.ids)
    named = int((labels.class_ids >= 0).sum())
    click.echo(f"{named} of {total} galaxies have a class{':' if named else ''}", err=True)
    _print_counts(labels.counts(), labels.unreachable)
    coarse = labels.coarse_counts()
    number = sum(coarse.values())
    click.echo(f"{number} of {total} galaxies have a coarse class{':' if number else ''}", err=True)
    _print_counts(coarse, labels.unreachable)
    click.echo(
        f"{total - named} have no class with more than {threshold:.4g} of the votes; "
        f"{total - int(labels.labelled().sum())} have no label at all and were left out",
        err=True,
    )
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        click.echo(f"{len(missing)} have no image in {folder} and were left out: {shown}", err=True)


def _print_counts(counts: dict[str, int], unreachable: list[str]) -> None:
    for name, count in counts.items():
        if name not in unreachable:
            click.echo(f"  {name}: {count}", err=True)
