"""``galfeat measure``: published morphology of galaxies on linear flux."""

from __future__ import annotations

import glob
import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from galfeat.cli.options import (
    FiniteRange,
    WholeRange,
    jobs_option,
    max_bytes_option,
    seed_option,
)
from galfeat.errors import DataError, GalfeatError
from galfeat.storage.cells import printable

if TYPE_CHECKING:
    from galfeat.data.readers.fits.flux import FluxImage
    from galfeat.data.readers.fits.positions import PositionTable
    from galfeat.features.flux import FluxTable


@dataclass
class Request:
    """The options of the command."""

    hdu: str | None
    planes: str | None
    bands: tuple[str, ...]
    maps: dict[str, str]
    catalogue: PositionTable | None
    numbers: dict[str, float | None]
    settings: dict[str, Any] = field(default_factory=dict)


Rows = list[dict[str, Any]]
_POSITIVE = FiniteRange(min=0, min_open=True, max=math.inf, max_open=True)
_FINITE = FiniteRange(min=-math.inf, min_open=True, max=math.inf, max_open=True)


@click.command()
@click.argument("inputs", metavar="FITS...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Output table, .csv, .ecsv, .fits or .parquet.",
)
@click.option("--hdu", metavar="HDU", help="Number or name of the HDU to measure.")
@click.option("--planes", metavar="NAMES", help="Names of the planes of a cube, such as griz.")
@click.option(
    "--band", "bands", metavar="NAME", multiple=True, help="Measure this band only; repeatable."
)
@click.option("--segmentation", metavar="MAP", help="Numbers of the sources, 0 for the sky.")
@click.option("--mask", metavar="MAP", help="Pixels to ignore: those that are not 0.")
@click.option("--variance", metavar="MAP", help="Variance of each pixel.")
@click.option("--sigma", metavar="MAP", help="Standard deviation of each pixel.")
@click.option("--weight", metavar="MAP", help="Inverse variance of each pixel.")
@click.option("--psf", metavar="MAP", help="Point spread function for the Sérsic fit.")
@click.option(
    "--catalogue",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table of positions, with columns ra and dec (degrees) or x and y (pixels from 0).",
)
@click.option("--all", "every", is_flag=True, help="Measure all sources, not the central one.")
@click.option("--label", "labels", type=int, multiple=True, help="Measure the source of number N.")
@click.option(
    "--gain", type=_POSITIVE, help="Electrons per unit of flux.  [default: from the header]"
)
@click.option(
    "--pixel-scale", type=_POSITIVE, help="Pixel scale in arcsec.  [default: from the header]"
)
@click.option(
    "--zero-point", type=_FINITE, help="Magnitude of one unit.  [default: from the header]"
)
@click.option("--no-sersic", is_flag=True, help="Skip the Sérsic fit, which takes longest.")
@click.option(
    "--resamples",
    type=WholeRange(min=0, max=10_000),
    default=16,
    show_default=True,
    help="Noisy copies from which errors are estimated, where the variance is given.",
)
@max_bytes_option
@jobs_option
@seed_option
@click.pass_context
def measure(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    output: Path,
    hdu: str | None,
    planes: str | None,
    bands: tuple[str, ...],
    catalogue: Path | None,
    every: bool,
    labels: tuple[int, ...],
    gain: float | None,
    pixel_scale: float | None,
    zero_point: float | None,
    no_sersic: bool,
    resamples: int,
    jobs: int,
    seed: int,
    **maps: str | None,
) -> None:
    """Measure the published morphology of galaxies on linear flux.

    Asymmetries, concentration, smoothness, Gini, M20, MID, radii and the Sérsic fit of each
    FITS image or band, without stretching it, in the units of its header. A folder stands for
    the FITS images in it. Without a segmentation, sources are detected and deblended.

    A MAP is an extension of the image's file (its number or name) or a FITS file, optionally
    with the extension in brackets: errors.fits[ERR]. Braces stand for the name of the image
    without its suffix: {}_seg.fits.
    """
    from galfeat.cli.measure.tables import writer
    from galfeat.cli.terminal.progress import progress_bar
    from galfeat.storage.atomic import atomic_file

    write = writer(output)
    given = {name: value for name, value in maps.items() if value is not None}
    if len({"variance", "sigma", "weight"} & set(given)) > 1:
        raise click.UsageError("give one of --variance, --sigma and --weight")
    if catalogue is not None and (every or labels):
        raise click.UsageError("--catalogue excludes --all and --label")
    settings: dict[str, Any] = {"sersic": not no_sersic, "resamples": resamples, "seed": seed}
    if catalogue is None:
        settings["sources"] = labels or ("all" if every else "central")
    numbers = {"gain": gain, "pixel_scale": pixel_scale, "zero_point": zero_point}
    positions = None
    if catalogue is not None:
        from galfeat.data.readers.fits.positions import read_position_table

        positions = read_position_table(catalogue)
    request = Request(hdu, planes, bands, given, positions, numbers, settings)
    paths = _fits_files(inputs, output)
    settings["n_jobs"] = jobs if len(paths) == 1 else 1
    rows: Rows = []
    tables: list[FluxTable] = []
    with atomic_file(output) as temporary:
        with progress_bar("measure") as progress, ThreadPoolExecutor(jobs) as pool:
            found = pool.map(lambda path: _measured_or_error(Path(path), request), paths)
            for done, (more, measured) in enumerate(found, start=1):
                rows += more
                tables += measured
                progress(done, len(paths))
        failures = [_failure(row) for row in rows if "error" in row]
        if failures and not tables:
            raise _none_measured(failures, len(paths))
        write(temporary, rows, tables)
    for failure in failures:
        click.echo(f"galfeat: {printable(failure)}", err=True)
    _report(rows, tables)
    number = len(rows) - len(failures)
    click.echo(f"{number} {'row' if number == 1 else 'rows'} in {output}")
    if failures:
        ctx.exit(3)


def _fits_files(inputs: Sequence[str], output: Path) -> list[str]:
    """Return the files, with the FITS images in folders and of patterns; print what is left out.

    Raises
    ------
    DataError
        If a folder contains no FITS images.
    """
    from galfeat.data.readers.finding import images_in, images_matching, skipped_files
    from galfeat.data.readers.fits.display import FITS_SUFFIXES

    paths: list[str] = []
    for name in inputs:
        if Path(name).is_dir():
            skipped: Counter[str] = Counter()
            images = images_in(Path(name), ignore_table=True, skipped=skipped)
            images = [image for image in images if Path(image.path).resolve() != output.resolve()]
            files = [image.path for image in images if image.path.lower().endswith(FITS_SUFFIXES)]
            skipped.update(Path(i.path).suffix.lower() for i in images if i.path not in set(files))
            if not files:
                raise DataError(
                    f"{name} contains no FITS images; expected linear flux: display images are "
                    "measured by `galfeat extract`"
                )
            if skipped:
                click.echo(printable(f"{name}: {skipped_files(skipped)}"), err=True)
            paths += files
        elif glob.has_magic(name) and not Path(name).exists():
            paths += [image.path for image in images_matching(name)] or [name]
        else:
            paths.append(name)
    return paths


def _failure(row: dict[str, Any]) -> str:
    """Return a row's error, beginning with the file, its band and the source."""
    place = ", ".join(filter(None, (row["id"], row.get("band"), row.get("source"))))
    return f"{place}: {row['error']}"


def _none_measured(failures: Sequence[str], total: int) -> DataError:
    """Return the error if nothing is measured."""
    from galfeat.cli.terminal.prose import none_readable

    return DataError(failures[0]) if total == 1 else none_readable(failures[0], total)


def _report(rows: Rows, tables: Sequence[FluxTable]) -> None:
    """Print on stderr what is not in the table: other images, and sources that were not found."""
    from galfeat.features.flux.flags import NO_SOURCE, OUTSIDE_IMAGE

    for note in dict.fromkeys(row["note"] for row in rows if row.get("note")):
        files = [row["id"] for row in rows if row.get("note") == note]
        others = len(dict.fromkeys(files)) - 1
        more = f" (and {others} more like it)" if others else ""
        click.echo(printable(f"{files[0]}{more}: {note}"), err=True)
    flags = [int(bits) for table in tables for bits in table.flag_bits]
    for text, bit in {
        "positions are outside their image": OUTSIDE_IMAGE, "rows have no source": NO_SOURCE
    }.items():  # fmt: skip
        count = sum(bool(bits & bit) for bits in flags)
        if count:
            click.echo(f"{count} of {len(rows)} {text}; see the column flags", err=True)
    if not rows:
        click.echo("no sources were found", err=True)


def _measured_or_error(path: Path, request: Request) -> tuple[Rows, list[FluxTable]]:
    """Return the rows and the tables of a file; a band that fails is a row with its error."""
    from galfeat.data.readers.fits.flux import read_flux
    from galfeat.data.readers.fits.maps import read_maps

    try:
        images = read_flux(path, hdu=request.hdu, planes=request.planes, bands=request.bands)
        maps = read_maps(path, request.maps)
    except GalfeatError as error:
        return [_error_row(path, error)], []
    rows: Rows = []
    tables: list[FluxTable] = []
    for image in images:
        try:
            more, table = _measured(path, image, maps, request)
        except GalfeatError as error:
            rows.append(_error_row(path, error, image.band))
        else:
            rows += more
            tables.append(table)
    return rows, tables


def _error_row(path: Path, error: GalfeatError, band: str = "") -> dict[str, Any]:
    return {"id": str(path), "band": band, "error": " ".join(str(error).split())}


def _measured(
    path: Path, image: FluxImage, maps: dict[str, Any], request: Request
) -> tuple[Rows, FluxTable]:
    """Return the rows and the table of one band; a position that is no number is an error."""
    from galfeat.features.flux import measure as measure_flux

    settings: dict[str, Any] = {**maps, **_numbers(request, image), **request.settings}
    names, problems = None, None
    if request.catalogue is not None:
        names = request.catalogue.names
        points, problems = request.catalogue.on_image(image.wcs)
        settings["positions"] = points[[not problem for problem in problems]]
    table = measure_flux(image.flux, flux_unit=image.unit, **settings)
    problems = problems or [""] * len(table)
    rows: Rows = []
    measured = iter(range(len(table)))
    for number, problem in enumerate(problems):
        row: dict[str, Any] = {"id": str(path), "band": image.band, "note": image.note}
        if names is not None:
            row["source"] = names[number]
        if problem:
            row["error"] = problem
        elif image.wcs is not None:
            k = next(measured)
            x, y = float(table["centroid_x"][k]), float(table["centroid_y"][k])
            ra, dec = image.wcs.wcs_pix2world([[x, y]], 0)[0] if x == x else (x, y)
            row["ra"], row["dec"] = float(ra), float(dec)
        rows.append(row)
    return rows, table


def _numbers(request: Request, image: FluxImage) -> dict[str, float | None]:
    """Return gain, pixel scale and zero point, from the options or else from the header."""
    header = {
        "gain": image.gain, "pixel_scale": image.pixel_scale, "zero_point": image.zero_point
    }  # fmt: skip
    return {
        name: value if value is not None else header[name]
        for name, value in request.numbers.items()
    }
