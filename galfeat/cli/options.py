"""The options that mean the same on every command that reads data."""

from __future__ import annotations

import os
from pathlib import Path

import click


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


label_option = click.option(
    "--label",
    metavar="COLUMN",
    help="Column of labels.csv (or label data set of an HDF5 file) to use as the class.",
)

images_option = click.option(
    "--images",
    metavar="NAME",
    help="Data set of an HDF5 or .npz file that holds the images.",
)

jobs_option = click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=available_cores,
    show_default="all cores",
    help="Number of threads. The result does not depend on it.",
)

seed_option = click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of everything random. The same seed gives the same result.",
)

model_argument = click.argument("model", type=click.Path(path_type=Path))

trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Trust MODEL from now on: loading a model runs code that is in it.",
)
