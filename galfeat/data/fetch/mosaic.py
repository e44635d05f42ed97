"""Cut galaxies out of FITS mosaics on disk, with flux and world coordinates."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from galfeat.data.dataset import Progress
from galfeat.data.fetch.catalogue import SkyCatalogue
from galfeat.data.fetch.cutouts import claim_folder
from galfeat.data.fetch.mosaic_bands import Band, OutsideError, open_bands
from galfeat.data.readers.fits.display import read_fits
from galfeat.data.readers.folder import LABELS_FILE
from galfeat.errors import DataError, ImageError
from galfeat.storage.atomic import atomic_file

MAX_BLANK = 0.2
"""Largest share of blank pixels of a cut-out."""

__doctest_requires__ = {"cut_mosaic": ["astropy"]}

#: Largest difference between the positions of one galaxy in two bands, in pixels.
_MAX_OFFSET = 0.1
_DROPPED_CARDS = ("CHECKSUM", "DATASUM", "DATAMIN", "DATAMAX", "BLANK", "BSCALE", "BZERO")


def cut_mosaic(
    mosaics: Sequence[str | Path],
    catalogue: SkyCatalogue,
    folder: str | Path,
    *,
    size: int = 256,
    max_blank: float = MAX_BLANK,
    display: str | None = None,
    progress: Progress | None = None,
) -> dict[str, str]:
    r"""Cut the galaxies of a catalogue out of FITS images.

    Pixels keep their values: nothing is resampled. Each cut-out is a FITS file with the cards of
    the image, CRPIX moved, in ``images/``; ``labels.csv`` lists them. The pixel at index
    ``size // 2`` contains the position. Beyond the edge of an image, pixels are NaN.

    Parameters
    ----------
    mosaics : sequence of str or Path
        FITS files with world coordinates: several files of one band each on the same pixel grid,
        or one file of one band (H, W) or several (b, H, W). In each file the first image is used.
        Files are read in sections, so they may be larger than the memory.
    catalogue : SkyCatalogue
    folder : str or Path
        New, empty, or from the same mosaics and size.
    size : int
        Height and width of the cut-outs in pixels of the image, 8 to 4,096.
    max_blank : float
        Largest share of a band's pixels that may be blank: NaN, infinite, beyond the edge, or
        exactly zero, as coadds mark pixels without data.
    display : {"png", "jpg"}, optional
        Whether to write display images to ``display/``, too; see
        `galfeat.data.readers.read_fits`. Takes one or three bands.
    progress : callable, optional
        Called with the number of galaxies processed and the total.

    Returns
    -------
    dict
        Reasons why galaxies were left out, by name: outside the image, or too much blank.

    Raises
    ------
    DataError
        If a file has no image with world coordinates, the bands are on different pixel grids, an
        argument is out of range, or no galaxy could be cut out.
    MissingDependencyError
        If astropy is not installed.
    OutputError
        If the folder contains other files or is not writable.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> from galfeat.data.fetch import cut_mosaic, read_positions
    >>> header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"})
    >>> header.update({"CRVAL1": 150, "CRVAL2": 2, "CRPIX1": 100, "CRPIX2": 100})
    >>> header.update({"CDELT1": -1e-4, "CDELT2": 1e-4})
    >>> sky = np.random.default_rng(0).normal(size=(200, 200))
    >>> fits.PrimaryHDU(sky, header).writeto("field.fits")
    >>> _ = Path("mine.csv").write_text("id,ra,dec\na,150,2\nb,151,2\n")
    >>> cut_mosaic(["field.fits"], read_positions("mine.csv"), "galaxies", size=64)
    {'b': 'it is outside field.fits'}
    """
    if not 8 <= size <= 4096:
        raise DataError(f"the size is {size} pixels; expected 8 to 4096")
    if not 0 <= max_blank < 1:
        raise DataError(f"the share of blank pixels is {max_blank}; expected 0 to below 1")
    paths = [Path(path) for path in mosaics]
    failures: dict[str, str] = {}
    with open_bands(paths) as bands:
        if display is not None and len(bands) not in (1, 3):
            raise DataError(
                f"the mosaic has {len(bands)} bands; a display image takes 1 or 3: leave out "
                "--display, or some of the bands"
            )
        folder = claim_folder(folder, _attribution(paths, size))
        kept = []
        for number, name in enumerate(catalogue.names):
            target = folder / "images" / f"{name}.fits"
            try:
                position = float(catalogue.ra[number]), float(catalogue.dec[number])
                content = _cutout(bands, *position, size, max_blank)
            except OutsideError as error:
                failures[name] = str(error)
            else:
                with atomic_file(target) as temporary:
                    temporary.write_bytes(content)
                if display is not None:
                    _write_display(target, folder / "display" / f"{name}.{display}")
                kept.append(number)
            if progress is not None:
                progress(number + 1, len(catalogue.names))
    if not kept:
        name, reason = next(iter(failures.items()))
        raise DataError(
            f"none of the {len(failures)} positions could be cut out of "
            f"{', '.join(path.name for path in paths)} (first {name}: {reason}); check that the "
            "catalogue and the image show the same field"
        )
    _write_labels(catalogue, kept, folder, display)
    return failures


def _attribution(paths: Sequence[Path], size: int) -> str:
    names = ", ".join(path.name for path in paths)
    return f"Cut-outs of {size} pixels from {names}, made by galfeat.\n"


def _cutout(bands: Sequence[Band], ra: float, dec: float, size: int, max_blank: float) -> bytes:
    """Return a FITS file with the pixels of all bands around a position."""
    from astropy.io import fits

    planes = []
    first, left, bottom = bands[0].corner(ra, dec, size)
    for band in bands:
        position, x, y = band.corner(ra, dec, size)
        if np.abs((position - [x, y]) - (first - [left, bottom])).max() > _MAX_OFFSET:
            raise DataError(
                f"{band.path} and {bands[0].path} are on different pixel grids; resample them to "
                "one grid first, e.g. with reproject or SWarp"
            )
        pixels = band.pixels(x, y, size)
        blank = float(np.mean(~np.isfinite(pixels) | (pixels == 0)))
        if blank > max_blank:
            raise OutsideError(
                f"{blank:.0%} of its pixels in {band.path.name} are blank; at most "
                f"{max_blank:.0%} may be"
            )
        if np.nanmin(pixels) == np.nanmax(pixels):
            raise OutsideError(f"all of its pixels in {band.path.name} have the same value")
        planes.append(pixels)
    header = _header(bands, left, bottom)
    data = planes[0] if len(planes) == 1 and bands[0].plane is None else np.stack(planes)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.PrimaryHDU(data, header).writeto(stream, output_verify="silentfix")
    return stream.getvalue()


def _header(bands: Sequence[Band], left: int, bottom: int) -> Any:  # noqa: ANN401
    header = bands[0].header.copy(strip=True)
    for card in _DROPPED_CARDS:
        header.remove(card, ignore_missing=True, remove_all=True)
    header["CRPIX1"] = header.get("CRPIX1", 0.0) - left
    header["CRPIX2"] = header.get("CRPIX2", 0.0) - bottom
    letters = "".join(band.letter for band in bands)
    if len(bands) > 1 and len(letters) == len(bands):
        header["BANDS"] = letters
    files = ", ".join(dict.fromkeys(band.path.name for band in bands))
    header.add_history(f"galfeat: pixels from column {left + 1}, row {bottom + 1} of {files}")
    return header


def _write_display(source: Path, target: Path) -> None:
    from PIL import Image as Pillow

    target.parent.mkdir(exist_ok=True)
    try:
        picture = Pillow.fromarray(read_fits(source))
    except ImageError as error:
        raise DataError(f"{source} has no display image: {error}") from error
    with atomic_file(target) as temporary:
        picture.save(temporary, quality=95)


def _write_labels(
    catalogue: SkyCatalogue, kept: Sequence[int], folder: Path, display: str | None
) -> None:
    cells = catalogue.cells
    with (
        atomic_file(folder / LABELS_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(["filename", *(["display"] if display else []), *cells[0]])
        for number in kept:
            name = catalogue.names[number]
            shown = [f"display/{name}.{display}"] if display else []
            table.writerow([f"images/{name}.fits", *shown, *cells[number].values()])
