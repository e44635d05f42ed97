"""Options and arguments shared by the commands that read data."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from galfeat.classifier import GalaxyClassifier


class WholeRange(click.IntRange):
    """A whole number in a range."""

    name = "integer"


class FiniteRange(click.FloatRange):
    """A number in a range; NaN, which passes click's comparisons, is in none."""

    name = "number"

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return a number, or report it."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number", param, ctx)
        return number


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


label_option = click.option(
    "--label",
    metavar="COLUMN",
    help="Column of a table, or data set of an HDF5 file, with the classes.",
)


class Opening(NamedTuple):
    """Options of a command that `galfeat.cli.inputs.open_images` passes to `open_dataset`."""

    file_column: str | None = None
    images_in: str | None = None
    split: str | None = None


def opening() -> Opening:
    """Return the options of the running command."""
    context = click.get_current_context()
    return Opening(**{name: context.meta.get(_meta_key(name)) for name in Opening._fields})


def _meta_key(name: str) -> str:
    return f"{__name__}.{name}"


def _keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Keep an option for `opening`."""
    if param.name is not None:
        ctx.meta[_meta_key(param.name)] = value


def images_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that open images, which `open_images` applies to all of them."""
    for option in (max_bytes_option, _bands_option, *_opening_options, _images_option):
        command = option(command)
    return command


def _set_variable(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Set an option in the environment, until the command ends."""
    if value is not None:
        variable = str(param.envvar)
        previous = os.environ.get(variable)
        os.environ[variable] = str(value)
        ctx.call_on_close(lambda: _restore(variable, previous))


def _restore(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


_images_option = click.option(
    "--images",
    metavar="NAME",
    help="Data set of an HDF5 or .npz file with the images.",
)

_bands_option = click.option(
    "--bands",
    "shown_bands",
    metavar="NAMES",
    envvar="GALFEAT_BANDS",
    show_envvar=True,
    show_default="all of one or three, grz of griz, gri of more",
    expose_value=False,
    callback=_set_variable,
    help="One or three bands of FITS images to show, such as gri or F115W,F200W,F444W.",
)

_opening_options = (
    click.option(
        "--split",
        type=click.Choice(["train", "test", "val", "all"]),
        expose_value=False,
        callback=_keep,
        help="Take only these of images that are divided by folders train, test and val, or by a "
        "column split. [default: train for fit, test for evaluate, all for others]",
    ),
    click.option(
        "--images-in",
        metavar="FOLDER",
        expose_value=False,
        callback=_keep,
        help="Folder of the images that a table lists. [default: that of the table, and images in "
        "it]",
    ),
    click.option(
        "--file-column",
        metavar="COLUMN",
        expose_value=False,
        callback=_keep,
        help="Column of a table with the image files, with or without suffix. [default: filename, "
        "GalaxyID or another usual name]",
    ),
)

max_bytes_option = click.option(
    "--max-bytes",
    metavar="N",
    type=WholeRange(min=1),
    envvar="GALFEAT_MAX_BYTES",
    show_envvar=True,
    show_default="4 GiB",
    expose_value=False,
    callback=_set_variable,
    help="Maximum memory for the columns of a data set, the arrays of an .npz file, or the image "
    "of a FITS file whose flux is measured.",
)

jobs_option = click.option(
    "--jobs",
    metavar="N",
    type=WholeRange(min=1),
    default=available_cores,
    show_default="all cores",
    help="Number of threads; results do not depend on it.",
)

keep_conflicts_option = click.option(
    "--keep-conflicts",
    is_flag=True,
    help="Keep rows of one position, or copies of one image, whose classes differ. By default "
    "they are left out.",
)

raw_cells_option = click.option(
    "--raw-cells",
    is_flag=True,
    help="Do not protect spreadsheets from text that they would run as a formula: write cells "
    "of a CSV file without the apostrophe.",
)

seed_option = click.option(
    "--seed",
    metavar="N",
    type=WholeRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Random seed; results are reproducible for the same seed.",
)


def find_model(_ctx: click.Context, _param: click.Parameter, value: str) -> Path:
    """Return a model folder from its path or from the name of a shipped model."""
    from galfeat.model_io.shipped import model_folder

    return model_folder(value)


model_argument = click.argument("model", callback=find_model)

model_and_inputs_argument = click.argument(
    "inputs", metavar="[MODEL] INPUT...", nargs=-1, required=True
)


def model_and_inputs(arguments: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """Split the arguments into model and inputs; without a model, use and print the default.

    Raises
    ------
    click.UsageError
        If there are no inputs.
    """
    from galfeat.model_io.card import headline_scores
    from galfeat.model_io.shipped import DEFAULT, model_folder, names_model, shipped_folder

    first = arguments[0]
    if names_model(first):
        model, inputs = model_folder(first), arguments[1:]
    else:
        model, inputs = shipped_folder(DEFAULT), arguments
        click.echo(f"model {DEFAULT}: {headline_scores(model)}", err=True)
    if not inputs and not model.exists():
        raise click.UsageError(
            f"{first!r} is neither a model nor an image; give at least one image"
        )
    if not inputs:
        raise click.UsageError(f"no images given; give them after the model {first}")
    return model, inputs


trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Trust MODEL from now on. Loading a model runs code contained in it.",
)


def classifier_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options and arguments of commands that run a model on images."""
    for option in (jobs_option, images_option, trust_option, model_and_inputs_argument):
        command = option(command)
    return command


def classifier_and_inputs(
    arguments: tuple[str, ...], *, trust: bool, jobs: int
) -> tuple[GalaxyClassifier, Path, tuple[str, ...]]:
    """Load the model of `model_and_inputs`; return the classifier, its folder and the inputs."""
    from galfeat.model_io.folder import load_model

    model, inputs = model_and_inputs(arguments)
    return load_model(model, trust=trust).set_params(n_jobs=jobs), model, inputs
