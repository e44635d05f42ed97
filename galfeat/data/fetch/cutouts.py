"""Cut-outs of galaxies by catalogue position, into a folder that is a data set."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.data.fetch.surveys import LEGACY, LEGACY_SIZE, legacy_address
from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError, read
from galfeat.data.readers.decode import decoding, pixels_of
from galfeat.data.readers.folder import LABELS_FILE
from galfeat.errors import FetchError, OutputError
from galfeat.storage.atomic import atomic_file, can_replace

ATTRIBUTION_FILE = "ATTRIBUTION.txt"
PAUSE = 0.5
"""Seconds between one cut-out and the next."""
IN_VAIN = 3
"""So many galaxies in a row for which a service gave nothing, and it is left alone."""

#: Of a JPEG file; the cut-outs have 10 to 100 kB.
_SIZE_LIMIT = 4 * 2**20
#: Grey levels between the darkest and the brightest sample of a channel, at least.
_LEVELS = 8

Progress = Callable[[int, int], None]

CREDIT = """\
Images: the DESI Legacy Imaging Surveys (Dey et al. 2019, AJ 157, 168; www.legacysurvey.org/
acknowledgment) and the Sloan Digital Sky Survey (www.sdss.org/collaboration/citing-sdss).
Classes: Galaxy Zoo (Lintott et al. 2008, MNRAS 389, 1179, and 2011, MNRAS 410, 166; Willett et al.
2013, MNRAS 435, 2835; Walmsley et al. 2021, MNRAS 509, 3966) and Galaxy10 (Leung & Bovy,
doi:10.5281/zenodo.10845026; CC BY 4.0).
"""
SAMPLES = f"Fifty galaxies of Galaxy10 DECaLS, fetched by galfeat.\n\n{CREDIT}"


@dataclass(frozen=True)
class Cutout:
    """A cut-out that a survey's service gives.

    Attributes
    ----------
    name : str
        Of its file, without the suffix.
    url : str
        Where it is to be had, a JPEG file.
    size : int
        Its height and width in pixels.
    cells : mapping of str to str
        What ``labels.csv`` says of it, by column; the same columns for all.
    """

    name: str
    url: str
    size: int
    cells: Mapping[str, str]

    @property
    def filename(self) -> str:
        """Of the file, in its folder."""
        return f"images/{self.name}.jpg"


def sample_cutouts(root: str = LEGACY) -> list[Cutout]:
    """List fifty real galaxies, five of each Galaxy10 DECaLS class.

    Parameters
    ----------
    root : str
        The server of the Legacy Surveys' viewer.
    """
    text = (files("galfeat.data.fetch") / "samples.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return [_sample(row, root) for row in rows]


def _sample(row: Mapping[str, str], root: str) -> Cutout:
    label = int(row["class_id"])
    cells = {
        "class_id": row["class_id"],
        "class_name": GALAXY10_DECALS[label],
        "coarse": GALAXY10_DECALS_COARSE[label],
        "survey": "DECaLS",
        "ra": row["ra"],
        "dec": row["dec"],
        "label_source": "galaxy10",
    }
    url = legacy_address(float(row["ra"]), float(row["dec"]), root)
    return Cutout(f"galaxy10-{row['row']}", url, LEGACY_SIZE, cells)


def fetch_cutouts(
    cutouts: Sequence[Cutout],
    folder: str | Path,
    attribution: str,
    *,
    pause: float = PAUSE,
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Fetch cut-outs one after another into a folder that `open_dataset` opens.

    An image gets its name once it was found to be a whole JPEG file of the right size that
    is not blank. One that is there already is kept, so a run that broke off goes on.
    ``labels.csv`` is written last, with the images that are there.

    Parameters
    ----------
    cutouts : sequence of Cutout
    folder : str or Path
        New, empty, or begun by this function with the same `attribution`.
    attribution : str
        The text of ``ATTRIBUTION.txt``; its first line says what the folder holds.
    pause : float
        Seconds between requests; twice and four times as many before one is repeated.
    timeout : float, default 30
        Seconds without a byte after which a connection counts as broken.
    progress : callable, optional
        Called with the cut-outs that were dealt with and those there are.

    Returns
    -------
    dict
        Why a cut-out could not be had, by its name.

    Raises
    ------
    FetchError
        If none could be had, or the service gave nothing `IN_VAIN` times in a row.
    OutputError
        If the folder holds other things or cannot be written to.
    """
    folder = claim_folder(folder, attribution)
    failures: dict[str, str] = {}
    asked = in_vain = 0
    for number, cutout in enumerate(cutouts, start=1):
        if not _is_there(folder / cutout.filename, cutout.size):
            time.sleep(pause if asked else 0)
            asked += 1
            try:
                _fetch(cutout, folder / cutout.filename, pause, timeout)
                in_vain = 0
            except (TransferBrokenError, ServerRefusedError) as error:
                failures[cutout.name] = str(error)
                # A galaxy may be blank or not be covered; an answer of 401, 403 or 429 is for all.
                shut = isinstance(error, TransferBrokenError) or error.code in (401, 403, 429)
                in_vain = in_vain + 1 if shut else 0
            if in_vain == IN_VAIN:
                raise _given_up(f"{in_vain} in a row could not be fetched", failures)
        if progress is not None:
            progress(number, len(cutouts))
    had = [cutout for cutout in cutouts if cutout.name not in failures]
    if not had:
        raise _given_up("none could be fetched", failures)
    _write_labels(had, folder)
    return failures


def _given_up(what: str, failures: Mapping[str, str]) -> FetchError:
    name, reason = list(failures.items())[-1] if failures else ("cut-outs", "none is listed")
    return FetchError(
        f"{what} (last {name}: {reason}); look at the connection and run the command again: "
        "what has come is kept, and it goes on with the rest"
    )


def claim_folder(folder: str | Path, attribution: str) -> Path:
    """Make a folder for cut-outs and say in it whose they are; one that was begun will do.

    Raises
    ------
    OutputError
        If it holds other things or cannot be made.
    """
    folder = Path(folder)
    first = attribution.partition("\n")[0]
    if not can_replace(folder, lambda there: _first_line(there / ATTRIBUTION_FILE) == first):
        raise OutputError(f"{folder} holds other things; name another folder, or remove it first")
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make {folder}: {error.strerror or error}; name a place that is writable"
        ) from error
    with atomic_file(folder / ATTRIBUTION_FILE) as temporary:
        temporary.write_text(attribution, encoding="utf-8")
    return folder


def _first_line(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return None


def _is_there(file: Path, size: int) -> bool:
    """Tell whether an earlier run brought this image, and nothing happened to it since."""
    try:
        check_cutout(file.read_bytes(), size)
    except (OSError, TransferBrokenError, ServerRefusedError):
        return False
    return True


def _fetch(cutout: Cutout, target: Path, pause: float, timeout: float) -> None:
    """Fetch one image, look at it, name it."""

    def whole(content: bytes) -> bytes:
        check_cutout(content, cutout.size)
        return content

    content = read(cutout.url, whole, limit=_SIZE_LIMIT, timeout=timeout, pause=2 * pause)
    with atomic_file(target) as temporary:
        temporary.write_bytes(content)


def check_cutout(content: bytes, size: int) -> None:
    """Look whether these bytes are a cut-out: a JPEG file of this size that shows something.

    Raises
    ------
    TransferBrokenError
        If they are no whole JPEG file; a server may do better when it is asked again.
    ServerRefusedError
        If they are another one: of another size, or blank, as services draw a place that
        was not observed.
    """
    try:
        with decoding(), Pillow.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            if picture.size == (size, size):
                image = pixels_of(picture)
            else:
                image = None
    except Exception as error:  # a damaged file raises nearly anything inside Pillow
        raise TransferBrokenError(f"no whole JPEG file came, but {content[:16]!r}...") from error
    if image is None:
        width, height = picture.size
        raise ServerRefusedError(f"the image has {width}×{height} pixels; expected {size}×{size}")
    if np.ptp(image, axis=(0, 1)).max() < _LEVELS:
        raise ServerRefusedError("the image is blank; the survey has nothing at this place")


def _write_labels(cutouts: Sequence[Cutout], folder: Path) -> None:
    """Write ``labels.csv``, without columns that are empty throughout."""
    named = [name for name in cutouts[0].cells if any(cutout.cells[name] for cutout in cutouts)]
    with (
        atomic_file(folder / LABELS_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(["filename", *named])
        for cutout in cutouts:
            table.writerow([cutout.filename, *(cutout.cells[name] for name in named)])
