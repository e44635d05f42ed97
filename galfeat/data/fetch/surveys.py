"""The surveys' own services: where a cut-out is to be had, and where an object lies."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

from galfeat.data.fetch.transfer import ServerRefusedError, TransferBrokenError, read

LEGACY = "https://www.legacysurvey.org"
"""The DESI Legacy Imaging Surveys."""
SDSS = "https://skyserver.sdss.org/dr18"
"""The SkyServer of the Sloan Digital Sky Survey."""

#: Galaxy10 DECaLS was cut out of this release, with these pixels.
LEGACY_LAYER, LEGACY_SIZE, LEGACY_SCALE = "ls-dr8", 256, 0.262
#: Galaxy Zoo 2 showed so many pixels, each of this many radii petroR90_r.
SDSS_SIZE, SDSS_SCALE = 424, 0.02
#: Objects asked for at once: the SkyServer takes addresses of about 2,000 characters.
BATCH = 75
_TABLE_LIMIT = 2**20


class SkyPosition(NamedTuple):
    """Where an object of SDSS lies, and how big it is.

    Attributes
    ----------
    ra, dec : float
        Degrees, J2000.
    radius : float
        petroR90_r, arcseconds: what holds 90 % of the Petrosian flux in r.
    """

    ra: float
    dec: float
    radius: float


def legacy_address(ra: float, dec: float, root: str = LEGACY) -> str:
    """Return the address of a cut-out as Galaxy10 DECaLS has them: 256 pixels of 0.262″."""
    query = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "layer": LEGACY_LAYER,
        "pixscale": LEGACY_SCALE,
        "size": LEGACY_SIZE,
    }
    return f"{root.rstrip('/')}/viewer/jpeg-cutout?{urlencode(query)}"


def sdss_address(place: SkyPosition, root: str = SDSS) -> str:
    """Return the address of a cut-out as Galaxy Zoo 2 showed them: as wide as 8.48 radii."""
    query = {
        "ra": f"{place.ra:.6f}",
        "dec": f"{place.dec:.6f}",
        "scale": f"{SDSS_SCALE * place.radius:.6f}",
        "width": SDSS_SIZE,
        "height": SDSS_SIZE,
    }
    return f"{root.rstrip('/')}/SkyServerWS/ImgCutout/getjpeg?{urlencode(query)}"


def named_position(name: str) -> tuple[float, float] | None:
    """Return right ascension and declination of a name such as ``J160345.60+094222.1``.

    In degrees; None if the name is none of this form.
    """
    found = re.fullmatch(
        r"J([01]\d|2[0-3])([0-5]\d)([0-5]\d(?:\.\d+)?)([+-])(\d\d)([0-5]\d)([0-5]\d(?:\.\d+)?)",
        name,
    )
    if found is None:
        return None
    hours, minutes, seconds, sign, degrees, arcminutes, arcseconds = found.groups()
    ra = 15 * (int(hours) + int(minutes) / 60 + float(seconds) / 3600)
    dec = int(degrees) + int(arcminutes) / 60 + float(arcseconds) / 3600
    if dec > 90:
        return None
    return ra, -dec if sign == "-" else dec


def ask_positions(
    objects: Sequence[str], root: str = SDSS, *, timeout: float = 60.0, pause: float = 1.0
) -> dict[str, SkyPosition]:
    """Ask the SkyServer where objects of SDSS DR7 lie.

    Parameters
    ----------
    objects : sequence of str
        Up to `BATCH` object numbers (objID) of Data Release 7.

    Returns
    -------
    dict
        Those that its table PhotoObjDR7 has, with a position and a radius.

    Raises
    ------
    TransferBrokenError, ServerRefusedError
        If it gave no answer, or none of use.
    """
    command = (
        "SELECT dr7objid, ra, dec, petroR90_r FROM PhotoObjDR7 "
        f"WHERE dr7objid IN ({','.join(objects)})"
    )
    address = f"{root.rstrip('/')}/SkyServerWS/SearchTools/SqlSearch"
    url = f"{address}?format=csv&cmd={quote(command, safe=',()')}"
    found = read(url, _positions, limit=_TABLE_LIMIT, timeout=timeout, pause=pause)
    return {name: place for name, place in found.items() if name in objects}


def _positions(content: bytes) -> dict[str, SkyPosition]:
    """Read the SkyServer's table; its first line says ``#Table1``."""
    lines = content.decode("utf-8", "replace").splitlines()
    table = csv.DictReader(line for line in lines if line and not line.startswith("#"))
    if not {"dr7objid", "ra", "dec", "petroR90_r"} <= set(table.fieldnames or ()):
        raise TransferBrokenError(f"the SkyServer answered with no table: {content[:80]!r}")
    try:
        rows = {
            row["dr7objid"]: SkyPosition(
                *(float(row[name]) for name in ("ra", "dec", "petroR90_r"))
            )
            for row in table
        }
    except (TypeError, ValueError) as error:
        raise ServerRefusedError(
            f"the SkyServer's table holds what is no number ({error})"
        ) from error
    return {name: place for name, place in rows.items() if _makes_sense(place)}


def _makes_sense(place: SkyPosition) -> bool:
    """Tell a real position and radius from -9999, which stands for nothing measured."""
    return (
        all(map(math.isfinite, place))
        and 0 <= place.ra <= 360
        and abs(place.dec) <= 90
        and place.radius > 0
    )
