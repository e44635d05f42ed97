"""``galfeat measure``: published morphology of galaxies on linear flux."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from galfeat.cli.options import WholeRange, jobs_option, max_bytes_option, seed_option
from galfeat.errors import GalfeatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from galfeat.data.readers.fits.flux import FluxImage
    from galfeat.features.flux import FluxTable


@dataclass
class Request:
    """The options of the command."""

    hdu: str | None
    planes: str | None
    bands: tuple[str, ...]
    maps: dict[str, str]
    catalogue: Path | None
    numbers: dict[str, float | None]
    settings: dict[str, Any] = field(default_factory=dict)


@click.command()
@click.argument("inputs", metavar="FITS...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Output table, .csv, .ecsv, .fits or .parquet.",
)
@click.option("--hdu", metavar="HDU", help="Number or name of the HDU of the image.")
@click.option("--planes", metavar="NAMES", help="Names of the planes of a cube, such as griz.")
@click.option("--band", "bands", metavar="NAME", multiple=True, help="Measure this band only.")
@click.option("--segmentation", metavar="MAP", help="Numbers of the sources, 0 for the sky.")
@click.option("--mask", metavar="MAP", help="Pixels to ignore: those that are not 0.")
@click.option("--variance", metavar="MAP", help="Variance of each pixel.")
@click.option("--sigma", metavar="MAP", help="Standard deviation of each pixel.")
@click.option("--weight", metavar="MAP", help="Inverse variance of each pixel.")
@click.option("--psf", metavar="MAP", help="Point spread function for the Sérsic fit.")
@click.option(
    "--catalogue",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV file of positions, with columns ra and dec (degrees) or x and y (pixels from 0).",
)
@click.option("--all", "every", is_flag=True, help="Measure all sources, not the central one.")
@click.option("--label", "labels", type=int, multiple=True, help="Measure the source of number N.")
@click.option("--gain", type=float, help="Electrons per unit of flux.  [default: from the header]")
@click.option(
    "--pixel-scale", type=float, help="Pixel scale in arcsec.  [default: from the header]"
)
@click.option("--zero-point", type=float, help="Magnitude of one unit.  [default: from the header]")
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
    FITS image, without stretching it, in the units of its header. Without a segmentation,
    sources are detected and deblended.

    A MAP is an extension of the image's file (its number or name) or a FITS file, optionally
    with the extension in brackets: errors.fits[ERR]. Braces stand for the name of the image
    without its suffix: {}_seg.fits.
    """
    from galfeat.cli.measure_tables import writer
    from galfeat.cli.progress import progress_bar
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
    request = Request(hdu, planes, bands, given, catalogue, numbers, settings)
    rows: list[dict[str, Any]] = []
    tables: list[FluxTable] = []
    failures = 0
    settings["n_jobs"] = jobs if len(inputs) == 1 else 1
    with atomic_file(output) as temporary:
        with progress_bar("measure") as progress, ThreadPoolExecutor(jobs) as pool:
            found = pool.map(lambda path: _measured_or_error(Path(path), request), inputs)
            for done, (path, result) in enumerate(zip(inputs, found, strict=True), start=1):
                if isinstance(result, GalfeatError):
                    failures += 1
                    rows.append({"id": path, "error": " ".join(str(result).split())})
                    click.echo(f"galfeat: {path}: {result}", err=True)
                else:
                    for more, table in result:
                        rows += more
                        tables.append(table)
                progress(done, len(inputs))
        write(temporary, rows, tables)
    click.echo(f"{len(rows) - failures} rows in {output}")
    if failures:
        ctx.exit(3)


def _measured_or_error(
    path: Path, request: Request
) -> list[tuple[list[dict[str, Any]], FluxTable]] | GalfeatError:
    """Return the rows and the table of each band of a file, or the error of the file."""
    try:
        return list(_measured(path, request))
    except GalfeatError as error:
        return error


def _measured(path: Path, request: Request) -> Iterator[tuple[list[dict[str, Any]], FluxTable]]:
    """Yield the rows and the table of each band of a file."""
    from galfeat.data.readers.fits.flux import read_flux
    from galfeat.errors import DataError
    from galfeat.features.flux import measure as measure_flux

    images = read_flux(path, hdu=request.hdu, planes=request.planes)
    chosen = [image for image in images if not request.bands or image.band in request.bands]
    if not chosen:
        names = ", ".join(image.band or "unnamed" for image in images)
        raise DataError(f"no band {', '.join(request.bands)}; the file contains {names}")
    given: dict[str, Any] = _maps(path, request)
    for image in chosen:
        positions, sky = _positions(request.catalogue, image)
        settings: dict[str, Any] = {**given, **_numbers(request, image), **request.settings}
        table = measure_flux(image.flux, positions=positions, flux_unit=image.unit, **settings)
        yield _rows(path, image, table, sky), table


def _maps(path: Path, request: Request) -> dict[str, Any]:
    """Return the arrays named by the options; a spread of any kind becomes a variance."""
    import numpy as np

    from galfeat.errors import DataError, ImageError

    given: dict[str, Any] = {}
    for name, text in request.maps.items():
        try:
            values = _read_map(path, text)
        except ImageError as error:
            raise DataError(f"--{name} {text}: {error}") from error
        if name == "mask":
            given[name] = ~np.isfinite(values) | (values != 0)
        elif name == "sigma":
            given["variance"] = values.astype(np.float64) ** 2
        elif name == "weight":
            weight = values.astype(np.float64)
            positive = weight > 0.0
            given["variance"] = np.where(positive, 1.0 / np.where(positive, weight, 1.0), np.nan)
        else:
            given[name] = values
    return given


def _read_map(path: Path, text: str) -> NDArray[np.generic]:
    """Read an extension of a file, or of another one."""
    from galfeat.data.readers.fits.flux import read_plane

    stem = str(path)
    for suffix in (".gz", ".fz", ".bz2", ".fits", ".fit", ".fts"):
        stem = stem.removesuffix(suffix)
    name = text.replace("{}", stem)
    file, bracket, extension = name.removesuffix("]").partition("[")
    if not bracket and not Path(name).exists() and "." not in Path(name).name:
        return read_plane(path, hdu=name)
    return read_plane(file, hdu=extension or None)


def _numbers(request: Request, image: FluxImage) -> dict[str, float | None]:
    """Return gain, pixel scale and zero point, from the options or else from the header."""
    header = {
        "gain": image.gain, "pixel_scale": image.pixel_scale, "zero_point": image.zero_point
    }  # fmt: skip
    return {
        name: value if value is not None else header[name]
        for name, value in request.numbers.items()
    }


def _positions(
    catalogue: Path | None, image: FluxImage
) -> tuple[list[tuple[float, float]] | None, list[dict[str, str]]]:
    """Return the positions of a catalogue in pixels, and its rows."""
    if catalogue is None:
        return None, []
    from galfeat.cli.measure_tables import read_positions

    return read_positions(catalogue, image.wcs)


def _rows(
    path: Path, image: FluxImage, table: FluxTable, catalogue: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Return the leading columns of a table: file, band, identity and coordinates."""
    rows: list[dict[str, Any]] = []
    for k in range(len(table)):
        row: dict[str, Any] = {"id": str(path), "band": image.band}
        if catalogue:
            row["source"] = next(
                (catalogue[k][name] for name in ("id", "name", "source") if name in catalogue[k]),
                str(k),
            )
        if image.wcs is not None:
            x, y = float(table["centroid_x"][k]), float(table["centroid_y"][k])
            ra, dec = image.wcs.wcs_pix2world([[x, y]], 0)[0] if x == x else (x, y)
            row["ra"], row["dec"] = float(ra), float(dec)
        rows.append(row)
    return rows
