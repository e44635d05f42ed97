"""The surveys' services: addresses of cut-outs and positions of objects."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError, fetch_content

LEGACY = "https://www.legacysurvey.org"
"""The DESI Legacy Imaging Surveys."""
SDSS = "https://skyserver.sdss.org/dr18"
"""The SkyServer of the Sloan Digital Sky Survey."""

#: Layer, size in pixels and arcseconds per pixel of the Galaxy10 DECaLS cut-outs.
LEGACY_LAYER, LEGACY_SIZE, LEGACY_SCALE = "ls-dr8", 256, 0.262
#: Size in pixels of the Galaxy Zoo 2 cut-outs, and size of a pixel in radii petroR90_r.
SDSS_SIZE, SDSS_SCALE = 424, 0.02
#: Objects per query: the SkyServer accepts addresses of up to about 2,000 characters.
BATCH = 75
_TABLE_LIMIT = 2**20


class SkyPosition(NamedTuple):
    """Position and size of an SDSS object.

    Attributes
    ----------
    ra, dec : float
        Degrees, J2000.
    radius : float
        petroR90_r in arcseconds: the radius containing 90 % of the Petrosian flux in r.

    Examples
    --------
    >>> from galfeat.data.fetch import SkyPosition
    >>> SkyPosition(ra=202.47, dec=47.195, radius=12.5).dec
    47.195
    """

    ra: float
    dec: float
    radius: float


def legacy_address(ra: float, dec: float, root: str = LEGACY) -> str:
    """Return the address of a cut-out as in Galaxy10 DECaLS: 256 pixels of 0.262″."""
    query = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "layer": LEGACY_LAYER,
        "pixscale": LEGACY_SCALE,
        "size": LEGACY_SIZE,
    }
    return f"{root.rstrip('/')}/viewer/jpeg-cutout?{urlencode(query)}"


def sdss_address(position: SkyPosition, root: str = SDSS) -> str:
    """Return the address of a cut-out as in Galaxy Zoo 2: 8.48 radii wide."""
    query = {
        "ra": f"{position.ra:.6f}",
        "dec": f"{position.dec:.6f}",
        "scale": f"{SDSS_SCALE * position.radius:.6f}",
        "width": SDSS_SIZE,
        "height": SDSS_SIZE,
    }
    return f"{root.rstrip('/')}/SkyServerWS/ImgCutout/getjpeg?{urlencode(query)}"


def named_position(name: str) -> tuple[float, float] | None:
    """Return the position, in degrees, encoded in a name such as ``J160345.60+094222.1``.

    None if the name has another form.
    """
    match = re.fullmatch(
        r"J([01]\d|2[0-3])([0-5]\d)([0-5]\d(?:\.\d+)?)([+-])(\d\d)([0-5]\d)([0-5]\d(?:\.\d+)?)",
        name,
    )
    if match is None:
        return None
    hours, minutes, seconds, sign, degrees, arcminutes, arcseconds = match.groups()
    ra = 15 * (int(hours) + int(minutes) / 60 + float(seconds) / 3600)
    dec = int(degrees) + int(arcminutes) / 60 + float(arcseconds) / 3600
    if dec > 90:
        return None
    return ra, -dec if sign == "-" else dec


def query_positions(
    objects: Sequence[str], root: str = SDSS, *, timeout: float = 60.0, pause: float = 1.0
) -> dict[str, SkyPosition]:
    """Query the SkyServer for the positions of SDSS DR7 objects.

    Parameters
    ----------
    objects : sequence of str
        Up to `BATCH` object numbers (objID) of Data Release 7.

    Returns
    -------
    dict
        The objects with a position and a radius in its table PhotoObjDR7.

    Raises
    ------
    TransferBrokenError, ServerRefusedError
        If the response is missing or invalid.
    """
    command = (
        "SELECT dr7objid, ra, dec, petroR90_r FROM PhotoObjDR7 "
        f"WHERE dr7objid IN ({','.join(objects)})"
    )
    address = f"{root.rstrip('/')}/SkyServerWS/SearchTools/SqlSearch"
    url = f"{address}?format=csv&cmd={quote(command, safe=',()')}"
    positions = fetch_content(url, _positions, limit=_TABLE_LIMIT, timeout=timeout, pause=pause)
    return {name: position for name, position in positions.items() if name in objects}


def _positions(content: bytes) -> dict[str, SkyPosition]:
    """Parse the SkyServer's table; its first line is ``#Table1``."""
    lines = content.decode("utf-8", "replace").splitlines()
    table = csv.DictReader(line for line in lines if line and not line.startswith("#"))
    try:
        if not {"dr7objid", "ra", "dec", "petroR90_r"} <= set(table.fieldnames or ()):
            raise TransferBrokenError(f"the SkyServer returned no table: {content[:80]!r}")
        rows = {
            row["dr7objid"]: SkyPosition(
                *(float(row[name]) for name in ("ra", "dec", "petroR90_r"))
            )
            for row in table
        }
    except (TypeError, ValueError, csv.Error) as error:
        raise ServerRefusedError(
            f"the SkyServer's table contains a value that is not a number ({error})"
        ) from error
    return {name: position for name, position in rows.items() if _is_valid(position)}


def _is_valid(position: SkyPosition) -> bool:
    """Return whether position and radius are valid; -9999 means not measured."""
    return (
        all(map(math.isfinite, position))
        and 0 <= position.ra <= 360
        and abs(position.dec) <= 90
        and position.radius > 0
    )
