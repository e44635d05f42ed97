"""``galfeat data fetch cutouts``: galaxies of a catalogue, from a survey or a FITS mosaic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from galfeat.cli.options import FiniteRange, WholeRange, label_option
from galfeat.cli.terminal.progress import progress_bar

if TYPE_CHECKING:
    from galfeat.data.fetch import SkyCatalogue

SURVEYS = ("legacy-dr10", "legacy-dr9", "sdss")


class CutoutOptions(NamedTuple):
    """Values of the options that only `cutouts` takes; None if not given."""

    survey: str | None
    mosaics: tuple[Path, ...]
    size: int | None
    pixel_scale: float | None
    limit: int | None
    max_blank: float | None
    display: str | None
    id_column: str | None
    label: str | None

    def given(self) -> list[str]:
        """Return the names of the options that were given."""
        names = {"mosaics": "--from", "pixel_scale": "--pixel-scale", "max_blank": "--max-blank"}
        names["id_column"] = "--id"
        return [
            names.get(name, f"--{name}")
            for name, value in self._asdict().items()
            if value not in (None, ())
        ]


def cutout_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that only `cutouts` takes."""
    for option in reversed(
        (
            click.option(
                "--survey",
                type=click.Choice(SURVEYS),
                help="For cutouts: the survey whose service to use.",
            ),
            click.option(
                "--from",
                "mosaics",
                metavar="MOSAIC",
                type=click.Path(path_type=Path),
                multiple=True,
                help="For cutouts: cut out of this FITS image instead; once for each band.",
            ),
            click.option(
                "--size",
                type=WholeRange(min=1),
                help="For cutouts: height and width in pixels.  [default: 256]",
            ),
            click.option(
                "--pixel-scale",
                type=FiniteRange(min=0, min_open=True),
                help="For cutouts of a survey: arcsec per pixel.  [default: 0.262, SDSS 0.396]",
            ),
            click.option(
                "--limit",
                metavar="N",
                type=WholeRange(min=1),
                help="For cutouts: use only the first N rows of the catalogue.",
            ),
            click.option(
                "--max-blank",
                type=FiniteRange(0, 1, max_open=True),
                help="For cutouts with --from: largest share of blank pixels.  [default: 0.2]",
            ),
            click.option(
                "--display",
                type=click.Choice(["png", "jpg"]),
                help="For cutouts with --from: also write display images.",
            ),
            click.option(
                "--id",
                "id_column",
                metavar="COLUMN",
                help="For cutouts: column that names the galaxies and their files.",
            ),
            label_option,
        )
    ):
        command = option(command)
    return command


def fetch_catalogue(
    catalogue: str | None, folder: Path, url: str | None, options: CutoutOptions
) -> dict[str, str]:
    """Write the cut-outs of a catalogue to a folder; return the galaxies left out, with reasons."""
    from galfeat.data.fetch import catalogue as positions

    _check(catalogue, url, options)
    assert catalogue is not None
    galaxies = positions.read_positions(
        catalogue, id_column=options.id_column, label=options.label, limit=options.limit
    )
    with progress_bar("cut-outs") as progress:
        if options.mosaics:
            failures = _cut_mosaic(galaxies, folder, options, progress)
        else:
            failures = _fetch_survey(galaxies, folder, url, options, progress)
    return {**galaxies.invalid, **failures}


def _fetch_survey(
    galaxies: SkyCatalogue,
    folder: Path,
    url: str | None,
    options: CutoutOptions,
    progress: Callable[[int, int], None],
) -> dict[str, str]:
    from galfeat.data.fetch import addresses, cutouts, survey_requests

    survey, size, scale = str(options.survey), options.size, options.pixel_scale
    wanted = survey_requests.survey_cutouts(
        galaxies, survey, size=size, pixel_scale=scale, root=url
    )
    attribution = survey_requests.attribution(survey, size, scale)
    addresses.claim_names(wanted, folder, attribution)
    return cutouts.fetch_cutouts(
        wanted, folder, attribution, pause=cutouts.PAUSE, progress=progress
    )


def _cut_mosaic(
    galaxies: SkyCatalogue,
    folder: Path,
    options: CutoutOptions,
    progress: Callable[[int, int], None],
) -> dict[str, str]:
    from galfeat.data.fetch import mosaic

    return mosaic.cut_mosaic(
        options.mosaics,
        galaxies,
        folder,
        size=256 if options.size is None else options.size,
        max_blank=mosaic.MAX_BLANK if options.max_blank is None else options.max_blank,
        display=options.display,
        progress=progress,
    )


def _check(catalogue: str | None, url: str | None, options: CutoutOptions) -> None:
    if catalogue is None:
        raise click.UsageError("no catalogue given; give a table with positions after cutouts")
    if (options.survey is None) == (not options.mosaics):
        raise click.UsageError(
            f"give either --survey ({', '.join(SURVEYS)}) or --from MOSAIC for cutouts"
        )
    only = {"--url": url, "--pixel-scale": options.pixel_scale}
    if not options.mosaics:
        only = {"--max-blank": options.max_blank, "--display": options.display}
    for name, value in only.items():
        if value is not None:
            raise click.UsageError(
                f"{name} is used only {'with --survey' if options.mosaics else 'with --from'}"
            )
