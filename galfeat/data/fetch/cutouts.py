"""Fetch cut-outs of galaxies by position into a folder that is a data set."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.data.dataset import Progress
from galfeat.data.fetch.surveys import LEGACY, LEGACY_SIZE, legacy_address
from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError, fetch_content
from galfeat.data.readers.decode import decoding, pixels_of
from galfeat.data.readers.folder import LABELS_FILE
from galfeat.data.readers.headers import check_stream
from galfeat.errors import FetchError, OutputError
from galfeat.storage.atomic import atomic_file, can_replace
from galfeat.storage.reading import read_regular

ATTRIBUTION_FILE = "ATTRIBUTION.txt"
PAUSE = 0.5
"""Seconds between cut-outs."""
MAX_FAILURES = 3
"""Number of consecutive failures of a service after which fetching is aborted."""

#: Maximum bytes of a JPEG file; cut-outs have 10 to 100 kB.
_SIZE_LIMIT = 4 * 2**20
#: Maximum bytes of an attribution.
_TEXT_LIMIT = 2**16
#: Minimum range of the values of a channel, in grey levels.
_MIN_RANGE = 8


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
    """A cut-out to fetch from a survey's service.

    Attributes
    ----------
    name : str
        Name of its file, without the suffix.
    url : str
        Address of the JPEG file.
    size : int
        Height and width in pixels.
    cells : mapping of str to str
        Its row of ``labels.csv``, by column; all cut-outs have the same columns.

    Examples
    --------
    >>> from galfeat.data.fetch import Cutout
    >>> Cutout("m51", "https://example.org/m51.jpg", 256, {"class_name": "spiral"}).filename
    'images/m51.jpg'
    """

    name: str
    url: str
    size: int
    cells: Mapping[str, str]

    @property
    def filename(self) -> str:
        """Path of the file, relative to the folder."""
        return f"images/{self.name}.jpg"


def sample_cutouts(root: str = LEGACY) -> list[Cutout]:
    """Return the cut-outs of fifty real galaxies, five of each Galaxy10 DECaLS class.

    Parameters
    ----------
    root : str
        The server of the Legacy Surveys' viewer.

    Examples
    --------
    >>> from galfeat.data.fetch import sample_cutouts
    >>> len(sample_cutouts())
    50
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
    """Fetch cut-outs one after another into a folder that `open_dataset` reads.

    An image is stored once it is verified to be a complete JPEG file of the right size that
    is not blank. Existing images are kept, so an interrupted run resumes. ``labels.csv`` is
    written last and lists the fetched images.

    Parameters
    ----------
    cutouts : sequence of Cutout
    folder : str or Path
        New, empty, or partly filled by this function with the same `attribution`.
    attribution : str
        The text of ``ATTRIBUTION.txt``; its first line identifies the folder's contents.
    pause : float
        Seconds between requests; doubled and quadrupled before retries.
    timeout : float, default 30
        Seconds without data after which a connection counts as broken.
    progress : callable, optional
        Called with the number of cut-outs processed and the total.

    Returns
    -------
    dict
        Reasons of the failures, by name of the cut-out.

    Raises
    ------
    FetchError
        If no cut-out could be fetched, or the service failed `MAX_FAILURES` times in a row.
    OutputError
        If the folder contains other files or is not writable.

    Examples
    --------
    No server listens at this address:

    >>> import tempfile
    >>> from galfeat.data.fetch import Cutout, fetch_cutouts
    >>> cutout = Cutout("m51", "http://127.0.0.1:1/m51.jpg", 256, {"class_name": "spiral"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetch_cutouts([cutout], folder, "Spirals", pause=0)
    Traceback (most recent call last):
    ...
    galfeat.errors.FetchError: none could be fetched ...
    """
    folder = claim_folder(folder, attribution)
    failures: dict[str, str] = {}
    requests = consecutive_failures = 0
    for number, cutout in enumerate(cutouts, start=1):
        if not _is_fetched(folder / cutout.filename, cutout.size):
            time.sleep(pause if requests else 0)
            requests += 1
            try:
                _fetch(cutout, folder / cutout.filename, pause, timeout)
                consecutive_failures = 0
            except (TransferBrokenError, ServerRefusedError) as error:
                failures[cutout.name] = str(error)
                # Single galaxies may be blank or not covered; 401, 403 and 429 affect all.
                unavailable = isinstance(error, TransferBrokenError) or error.code in {
                    401,
                    403,
                    429,
                }
                consecutive_failures = consecutive_failures + 1 if unavailable else 0
            if consecutive_failures == MAX_FAILURES:
                raise _aborted(f"{consecutive_failures} in a row could not be fetched", failures)
        if progress is not None:
            progress(number, len(cutouts))
    fetched = [cutout for cutout in cutouts if cutout.name not in failures]
    if not fetched:
        raise _aborted("none could be fetched", failures)
    _write_labels(fetched, folder)
    return failures


def _aborted(problem: str, failures: Mapping[str, str]) -> FetchError:
    name, reason = list(failures.items())[-1] if failures else ("cut-outs", "none is listed")
    return FetchError(
        f"{problem} (last {name}: {reason}); check the connection and run the command again: "
        "it keeps the fetched images and resumes with the missing ones"
    )


def claim_folder(folder: str | Path, attribution: str) -> Path:
    """Create a folder for cut-outs and write its attribution, or reuse a partly filled one.

    Raises
    ------
    OutputError
        If the folder contains other files or cannot be created.
    """
    folder = Path(folder)
    first = attribution.partition("\n")[0]
    if not can_replace(folder, lambda folder: _first_line(folder / ATTRIBUTION_FILE) == first):
        raise OutputError(f"{folder} holds other things; choose another folder, or remove it first")
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create {folder}: {error.strerror or error}; choose a writable folder"
        ) from error
    with atomic_file(folder / ATTRIBUTION_FILE) as temporary:
        temporary.write_text(attribution, encoding="utf-8")
    return folder


def _first_line(file: Path) -> str | None:
    try:
        return read_regular(file, _TEXT_LIMIT).decode().partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return None


def _is_fetched(file: Path, size: int) -> bool:
    """Return whether an intact image from an earlier run exists."""
    try:
        check_cutout(read_regular(file, _SIZE_LIMIT), size)
    except (OSError, TransferBrokenError, ServerRefusedError):
        return False
    return True


def _fetch(cutout: Cutout, target: Path, pause: float, timeout: float) -> None:
    """Fetch, check and store one image."""

    def checked(content: bytes) -> bytes:
        check_cutout(content, cutout.size)
        return content

    content = fetch_content(
        cutout.url, checked, limit=_SIZE_LIMIT, timeout=timeout, pause=2 * pause
    )
    with atomic_file(target) as temporary:
        temporary.write_bytes(content)


def check_cutout(content: bytes, size: int) -> None:
    """Check that the content is a complete JPEG file of the given size and not blank.

    Raises
    ------
    TransferBrokenError
        If it is not a complete JPEG file; a retry may help.
    ServerRefusedError
        If the image has another size or is blank, as services draw unobserved positions.
    """
    try:
        check_stream(io.BytesIO(content), "JPEG")
        with decoding(), Pillow.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            if picture.size == (size, size):
                image = pixels_of(picture)
            else:
                image = None
    except Exception as error:  # damaged files raise many kinds of errors inside Pillow
        raise TransferBrokenError(
            f"the content is not a complete JPEG file: {content[:16]!r}..."
        ) from error
    if image is None:
        width, height = picture.size
        raise ServerRefusedError(f"the image has {width}×{height} pixels; expected {size}×{size}")
    if np.ptp(image, axis=(0, 1)).max() < _MIN_RANGE:
        raise ServerRefusedError("the image is blank; the survey does not cover this position")


def _write_labels(cutouts: Sequence[Cutout], folder: Path) -> None:
    """Write ``labels.csv`` without empty columns."""
    named = [name for name in cutouts[0].cells if any(cutout.cells[name] for cutout in cutouts)]
    with (
        atomic_file(folder / LABELS_FILE) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream)
        table.writerow(["filename", *named])
        for cutout in cutouts:
            table.writerow([cutout.filename, *(cutout.cells[name] for name in named)])
