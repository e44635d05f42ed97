"""Cut-outs of a survey at the positions of a catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from galfeat.data.fetch.catalogue import SkyCatalogue
from galfeat.data.fetch.cutouts import Cutout
from galfeat.data.fetch.surveys import LEGACY, SDSS
from galfeat.errors import DataError


class Survey(NamedTuple):
    """A survey's service of cut-outs, with default and maximum sizes in pixels."""

    root: str
    address: Callable[[float, float, int, float, str], str]
    title: str
    credit: str
    size: int
    pixel_scale: float
    max_size: int


def survey_cutouts(
    catalogue: SkyCatalogue,
    survey: str,
    *,
    size: int | None = None,
    pixel_scale: float | None = None,
    root: str | None = None,
) -> list[Cutout]:
    r"""Return the cut-outs of a survey at the positions of a catalogue.

    Parameters
    ----------
    catalogue : SkyCatalogue
    survey : {"legacy-dr10", "legacy-dr9", "sdss"}
    size : int, optional
        Height and width in pixels; 256 by default, at least 16 and at most 512 (SDSS: 2,048).
    pixel_scale : float, optional
        Arcseconds per pixel; by default 0.262, or 0.396 for SDSS.
    root : str, optional
        Another server with the same paths.

    Raises
    ------
    DataError
        If the survey is unknown, or size or pixel scale are out of range.

    Examples
    --------
    >>> from pathlib import Path
    >>> from galfeat.data.fetch import read_positions, survey_cutouts
    >>> _ = Path("mine.csv").write_text("ra,dec\n202.47,47.195\n")
    >>> survey_cutouts(read_positions("mine.csv"), "legacy-dr10")[0].url
    'https://www.legacysurvey.org/viewer/jpeg-cutout?ra=202.470000&dec=47.195000&layer=ls-dr10...'
    """
    service, size, pixel_scale = _settings(survey, size, pixel_scale)
    root = (root or service.root).rstrip("/")
    return [
        Cutout(
            name,
            service.address(ra, dec, size, pixel_scale, root),
            size,
            {**cells, "survey": cells.get("survey") or service.title},
        )
        for name, ra, dec, cells in zip(
            catalogue.names,
            catalogue.ra.tolist(),
            catalogue.dec.tolist(),
            catalogue.cells,
            strict=True,
        )
    ]


def attribution(survey: str, size: int | None = None, pixel_scale: float | None = None) -> str:
    """Return the text of ``ATTRIBUTION.txt``; its first line identifies the kind of cut-outs."""
    service, size, pixel_scale = _settings(survey, size, pixel_scale)
    return (
        f"Cut-outs of {service.title}, {size} pixels of {pixel_scale:g} arcsec, at the positions "
        f"of a catalogue, fetched by galfeat.\n\n{service.credit}\n"
    )


def survey_names() -> list[str]:
    """Return the names of the surveys."""
    return list(_SURVEYS)


def _legacy(layer: str) -> Callable[[float, float, int, float, str], str]:
    def address(ra: float, dec: float, size: int, pixel_scale: float, root: str) -> str:
        query = {
            "ra": f"{ra:.6f}",
            "dec": f"{dec:.6f}",
            "layer": layer,
            "pixscale": f"{pixel_scale:g}",
            "size": size,
        }
        return f"{root}/viewer/jpeg-cutout?{urlencode(query)}"

    return address


def _sdss(ra: float, dec: float, size: int, pixel_scale: float, root: str) -> str:
    query = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "scale": f"{pixel_scale:g}",
        "width": size,
        "height": size,
    }
    return f"{root}/SkyServerWS/ImgCutout/getjpeg?{urlencode(query)}"


_LEGACY_CREDIT = (
    "Images: the DESI Legacy Imaging Surveys (Dey et al. 2019, AJ 157, 168; "
    "www.legacysurvey.org/acknowledgment)."
)
_SDSS_CREDIT = "Images: the Sloan Digital Sky Survey (www.sdss.org/collaboration/citing-sdss)."
_SURVEYS = {
    "legacy-dr10": Survey(
        LEGACY, _legacy("ls-dr10"), "Legacy Surveys DR10", _LEGACY_CREDIT, 256, 0.262, 512
    ),
    "legacy-dr9": Survey(
        LEGACY, _legacy("ls-dr9"), "Legacy Surveys DR9", _LEGACY_CREDIT, 256, 0.262, 512
    ),
    "sdss": Survey(SDSS, _sdss, "SDSS", _SDSS_CREDIT, 256, 0.396, 2048),
}


def _settings(
    survey: str, size: int | None, pixel_scale: float | None
) -> tuple[Survey, int, float]:
    if survey not in _SURVEYS:
        raise DataError(f"there is no survey {survey!r}; choose one of {', '.join(_SURVEYS)}")
    service = _SURVEYS[survey]
    size = service.size if size is None else size
    pixel_scale = service.pixel_scale if pixel_scale is None else pixel_scale
    if not 16 <= size <= service.max_size:
        raise DataError(
            f"the size is {size} pixels; {service.title} provides 16 to {service.max_size}"
        )
    if not 0.05 <= pixel_scale <= 60:
        raise DataError(f"the pixel scale is {pixel_scale:g}; expected 0.05 to 60 arcsec")
    return service, size, pixel_scale
