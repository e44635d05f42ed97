"""Pixel scale, zero point, unit and gain of a FITS image from its header cards."""

from __future__ import annotations

import math
import re
from typing import Any

#: Cards of the zero point, in order of preference.
ZERO_POINTS = ("MAGZERO", "MAGZPT", "MAGZP", "ZEROPOINT", "ZEROPNT", "PHOTZP", "ABMAGZP", "ABMAG",
               "ABZPT", "ZP", "PHOT_ZP")  # fmt: skip
#: Cards of the pixel scale in arcsec.
_SCALES = ("PIXSCALE", "PIXSCAL1", "PIXSCL", "SECPIX", "SECPIX1", "CD_SCALE")
#: AB magnitude of one unit of flux, by unit without spaces and in lower case.
_ABSOLUTE = (
    (r"nano-?magg(y|ies)|nmgy", 22.5),
    (r"(?<![a-z])magg(y|ies)", 0.0),
    (r"njy|nanojansky", 31.4),
    (r"ujy|µjy|microjansky", 23.9),
    (r"mjy(?!/)|millijansky", 16.4),
    (r"^jy$|^jansky$|^jy/(pix|pixel)$", 8.9),
)
_SQUARE_ARCSEC = (180.0 / math.pi * 3600.0) ** 2


def _number(cards: Any, key: str) -> float | None:  # noqa: ANN401
    """Return a card as a finite number, or None."""
    value = cards.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _first(key: str, *headers: Any) -> float | None:  # noqa: ANN401
    return next((v for cards in headers if (v := _number(cards, key)) is not None), None)


def unit_of(*headers: Any) -> str:  # noqa: ANN401
    """Return the card ``BUNIT``; nanomaggy for images of the Legacy Surveys without it."""
    for cards in headers:
        unit = str(cards.get("BUNIT", "")).strip()
        if unit:
            return unit
    return "nanomaggy" if _legacy_survey(headers[0]) else ""


def in_nanomaggies(*headers: Any) -> bool:  # noqa: ANN401
    """Return whether the flux is that of the Legacy Surveys, or its unit is the nanomaggy."""
    return any(map(_legacy_survey, headers)) or "nanomag" in unit_of(*headers).lower()


def _legacy_survey(cards: Any) -> bool:  # noqa: ANN401
    survey = re.sub(r"[^a-z]", "", str(cards.get("SURVEY", "")).lower())
    return survey.startswith(("decals", "legacysurvey"))


def pixel_scale_of(header: Any) -> float | None:  # noqa: ANN401
    """Return the pixel scale in arcsec from the coordinate system or a card, or None.

    The scale is the root of a pixel's area. Cards without a celestial type, such as a
    ``CDELT1`` of 1, count only if they are between 0.3 milliarcsec and 6 arcmin.
    """
    for key in _SCALES:
        value = _number(header, key)
        if value is not None and value > 0.0:
            return value
    cd = [_number(header, key) for key in ("CD1_1", "CD1_2", "CD2_1", "CD2_2")]
    if any(cd):
        a, b, c, d = (value or 0.0 for value in cd)
    else:
        steps = _number(header, "CDELT1"), _number(header, "CDELT2")
        if steps[0] is None:
            return None
        x, y = steps[0], steps[1] if steps[1] is not None else steps[0]
        pc = [_number(header, key) for key in ("PC1_1", "PC1_2", "PC2_1", "PC2_2")]
        if pc[1] is None and pc[2] is None:
            # A rotation whose other elements are lost does not change the scale.
            pc = [None] * 4
        one, two, three, four = (
            default if value is None else value
            for value, default in zip(pc, (1.0, 0.0, 0.0, 1.0), strict=True)
        )
        a, b, c, d = x * one, x * two, y * three, y * four
    scale = math.sqrt(abs(a * d - b * c))
    return scale * 3600.0 if 1e-7 < scale < 0.1 else None


def zero_point_of(header: Any, primary: Any, scale: float | None) -> float | None:  # noqa: ANN401
    """Return the AB magnitude of one unit of flux, or None.

    From a card of the zero point, else from the unit (nanomaggies, janskys, MJy/sr with
    ``PIXAR_SR`` or the pixel scale), else from ``PHOTFNU``, or ``PHOTFLAM`` and ``PHOTPLAM``, of
    the Hubble Space Telescope.
    """
    for key in ZERO_POINTS:
        value = _first(key, header, primary)
        if value is not None and -50.0 < value < 70.0:
            return value
    unit = re.sub(r"[\s\"']", "", unit_of(header, primary))
    if unit in ("MJy/sr", "MJysr-1", "MJy.sr-1", "MJysr**-1", "MJysr^-1"):
        area = _first("PIXAR_SR", header, primary)
        if area is None and scale is not None:
            area = scale * scale / _SQUARE_ARCSEC
        return -2.5 * math.log10(1e6 * area) + 8.9 if area else None
    for pattern, value in _ABSOLUTE:
        if re.search(pattern, unit.lower()):
            return value
    if not re.search(r"electron|e-|count|adu|dn", unit.lower()):
        return None
    inverse = _first("PHOTFNU", header, primary)
    if inverse is not None and inverse > 0.0:
        return -2.5 * math.log10(inverse) + 8.9
    sensitivity = _first("PHOTFLAM", header, primary)
    pivot = _first("PHOTPLAM", header, primary)
    if sensitivity and pivot and sensitivity > 0.0 and pivot > 0.0:
        return -2.5 * math.log10(sensitivity) - 5.0 * math.log10(pivot) - 2.408
    return None


def gain_of(header: Any, primary: Any) -> float | None:  # noqa: ANN401
    """Return the electrons per unit of flux, or None.

    The exposure time for electrons per second, 1 for electrons, the card ``GAIN``, ``EGAIN`` or
    ``CCDGAIN`` for counts (times the exposure time for counts per second).
    """
    unit = re.sub(r"\s", "", unit_of(header, primary)).lower()
    rate = bool(re.search(r"/s(ec)?|s-1|s\^-1|s\*\*-1", unit))
    time = _first("EXPTIME", header, primary) or _first("TEXPTIME", header, primary)
    if re.search(r"electron|^e-?(/|$)", unit):
        if not rate:
            return 1.0
        return time if time and time > 0.0 else None
    if not re.search(r"count|adu|^dn|cps", unit):
        return None
    for key in ("GAIN", "EGAIN", "CCDGAIN"):
        gain = _first(key, header, primary)
        if gain is not None and gain > 0.0:
            if not rate and unit != "cps":
                return gain
            return gain * time if time and time > 0.0 else None
    return None
