"""``galfeat extract``: write the features of a data set as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from galfeat.cli.options import (
    images_option,
    jobs_option,
    label_option,
    raw_cells_option,
    seed_option,
)
from galfeat.errors import MissingDependencyError
from galfeat.storage.cells import ORIGINAL_BYTES, csv_cells, valid_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.data import DataSet
    from galfeat.features import FeatureTable


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Output file, .npz, .csv or .parquet.",
)
@raw_cells_option
@label_option
@images_option
@jobs_option
@seed_option
@click.pass_context
def extract(
    ctx: click.Context,
    inputs: tuple[str, ...],
    output: Path,
    raw_cells: bool,
    label: str | None,
    images: str | None,
    jobs: int,
    seed: int,
) -> None:
    """Measure all features of each image.

    INPUT is a data set as for `galfeat fit`, or image files, folders and patterns. The output
    has one row per image: its id, its class if known, a digest of its pixels, the features,
    flags that explain missing features, and for an unreadable image the error in place of
    features. The result does not depend on the seed.
    """
    write = _writer(output, raw_cells)
    from galfeat.cli.inputs import note_stretched, open_images, scratch_beside
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.features import measure_images
    from galfeat.features.registry import OWN_FAMILIES
    from galfeat.storage.atomic import atomic_file

    dataset = open_images(inputs, label=label, images=images)
    note_stretched(dataset)
    ctx.with_resource(scratch_beside(output))
    with atomic_file(output) as temporary:
        with progress_bar("features") as progress:
            table = measure_images(dataset, OWN_FAMILIES, n_jobs=jobs, progress=progress)
        write(temporary, dataset, table)
    click.echo(f"{len(dataset)} rows of {len(table.names) - 1} features in {output}")
    if table.errors:
        failed = f"{len(table.errors)} of {len(dataset)} images cannot be read"
        click.echo(f"{failed}; see the column error", err=True)
        ctx.exit(3)


def _writer(output: Path, raw_cells: bool) -> Callable[[Path, DataSet, FeatureTable], None]:
    writers: dict[str, Callable[[Path, DataSet, FeatureTable], None]] = {
        ".npz": _write_npz,
        ".csv": partial(_write_csv, raw=raw_cells),
        ".parquet": _write_parquet,
    }
    if output.suffix.lower() not in writers:
        raise click.UsageError(f"{output}: unknown format; use one of {', '.join(writers)}")
    if output.suffix.lower() == ".parquet":
        _import_parquet()
    return writers[output.suffix.lower()]


def _import_parquet() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "writing .parquet requires pyarrow; pip install 'galfeat[parquet]', or use .csv or .npz"
        ) from error


def _class_names(dataset: DataSet) -> list[str]:
    """Return the class name of each row, empty if unknown."""
    return [dataset.class_names[label] if label >= 0 else "" for label in dataset.labels]


def _flags(table: FeatureTable) -> list[str]:
    from galfeat.frame import describe_flags

    return [describe_flags(value) for value in table.values[:, -1]]


def _errors(table: FeatureTable) -> list[str]:
    return [str(table.errors.get(row, "")) for row in range(len(table.values))]


def _write_npz(path: Path, dataset: DataSet, table: FeatureTable) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.savez(
            file,
            ids=dataset.ids,
            labels=dataset.labels,
            class_names=np.array(dataset.class_names, dtype=np.str_),
            digests=table.digests,
            names=np.array(table.names, dtype=np.str_),
            values=table.values,
            flags=np.array(_flags(table), dtype=np.str_),
            errors=np.array(_errors(table), dtype=np.str_),
        )


def _write_csv(path: Path, dataset: DataSet, table: FeatureTable, *, raw: bool) -> None:
    import numpy as np

    names = list(table.names[:-1])
    with path.open("w", newline="", encoding="utf-8", errors=ORIGINAL_BYTES) as file:
        rows = csv.writer(file)
        rows.writerow(["id", "class", "digest", *names, "flags", "error"])
        texts = zip(dataset.ids, _class_names(dataset), _flags(table), _errors(table), strict=True)
        for row, (identity, class_name, flags, error) in enumerate(texts):
            values = table.values[row, :-1]
            # str of a float32 is the shortest text that round-trips
            numbers = np.where(np.isnan(values), "", values.astype(np.str_))
            digest = table.digests[row].tobytes().hex()
            start = csv_cells([str(identity), class_name, digest], raw=raw)
            rows.writerow([*start, *numbers, *csv_cells([flags, error], raw=raw)])


def _write_parquet(path: Path, dataset: DataSet, table: FeatureTable) -> None:
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, list[str] | NDArray[np.float32]] = {
        "id": [valid_text(str(identity)) for identity in dataset.ids],
        "class": [valid_text(name) for name in _class_names(dataset)],
        "digest": [digest.tobytes().hex() for digest in table.digests],
    }
    for position, name in enumerate(table.names[:-1]):
        columns[name] = table.values[:, position]
    columns["flags"] = _flags(table)
    columns["error"] = [valid_text(error) for error in _errors(table)]
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
