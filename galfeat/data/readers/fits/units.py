"""Choose the image of a FITS file among its HDUs, and its bands for display."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from galfeat.data.readers.pixels import check_pixels
from galfeat.errors import ImageError

#: Names of extensions that are no science image, in capitals.
NOT_SCIENCE = frozenset(
    (
        "DQ", "MASK", "BADPIX", "BPM", "FLAGS", "ERR", "ERROR", "ERRORS", "SIGMA", "RMS", "UNC",
        "UNCERT", "WHT", "WEIGHT", "WEIGHTS", "WGT", "IVAR", "INVVAR", "VAR", "VARIANCE",
        "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "VAR_SKY", "SEG", "SEGM", "SEGMAP",
        "SEGMENTATION", "CON", "CTX", "CONTEXT", "PSF", "AREA", "COVERAGE", "EXP", "EXPMAP",
        "NEXP", "MAXVAL", "MINVAL", "BKG", "BACKGROUND", "SKY", "MODEL", "RESIDUAL", "TIME", "SAMP",
    )
)  # fmt: skip
#: Names of science extensions, in order of preference.
SCIENCE = ("SCI", "SCIENCE", "IMAGE", "FLUX", "DATA", "COADD", "PRIMARY")
#: Optical bands in order of wavelength, and with those of the near infrared.
BLUE_TO_RED = "ugrizy"
_WAVELENGTHS = BLUE_TO_RED + "jhk"
_LISTED = 20
#: Bands shown of images with more than three, by the first that the image has.
DISPLAYED = ("gri", "grz", "riz", "izy")
#: Maximum number of planes of a cube.
MAX_PLANES = 10_000
#: A last axis shorter than this, with longer ones before it, is one of bands, not of columns.
_MIN_COLUMNS = 16
_FILTER_CARDS = ("FILTER", "BAND", "FILTNAM1", "FILTER1", "FILTER2")
_BAND = re.compile(rf"(?:.*[^A-Z0-9])?([{_WAVELENGTHS.upper()}]|F\d{{3,4}}[A-Z]{{1,2}})")


class Band(NamedTuple):
    """One band of an image: its name, HDU and position on the leading axes."""

    name: str
    unit: Any
    place: tuple[int, ...] = ()

    @property
    def wavelength(self) -> int:
        """Return the place of the band from blue to red; -1 if unknown."""
        return _WAVELENGTHS.find(self.name.lower()) if len(self.name) == 1 else -1


def has_image(unit: Any) -> bool:  # noqa: ANN401
    """Return whether an HDU has an image, from its header."""
    return bool(unit.is_image) and int(unit.header.get("NAXIS", 0)) >= 2 and unit.size > 0


def is_science(unit: Any) -> bool:  # noqa: ANN401
    """Return whether the name of an HDU is not that of a mask, error, weight or the like."""
    name = unit.name.upper()
    return name not in NOT_SCIENCE and not NOT_SCIENCE.intersection(re.split(r"[^A-Z]+", name))


def science_unit(units: Sequence[Any]) -> Any:  # noqa: ANN401
    """Return the HDU of the science image.

    Raises
    ------
    ImageError
        If there is none.
    """
    images = [unit for unit in units if has_image(unit)]
    usable = [unit for unit in images if is_science(unit)]
    for name in SCIENCE:
        for unit in usable:
            if unit.name.upper() == name:
                return unit
    if usable:
        return usable[0]
    if not images:
        raise ImageError("no HDU contains an image; expected one of (H, W) or (bands, H, W)")
    listed = ", ".join(unit.name or "unnamed" for unit in images)
    raise ImageError(
        f"no HDU contains a science image, only {listed}; choose one of these with --hdu"
    )


def flux_bands(units: Sequence[Any]) -> tuple[list[Band], str]:
    """Return all bands of a file, and a note if other science images are not among them.

    Those of the science image, or of several HDUs named like bands or with cards ``FILTER``. Two
    HDUs named ``SCI`` are bands if their filters differ.

    Raises
    ------
    ImageError
        If there is no science image, or its shape is wrong.
    """
    first = science_unit(units)
    images = [unit for unit in units if has_image(unit) and is_science(unit)]
    if first.name.upper() in SCIENCE[:-1]:
        images = [unit for unit in images if unit.name.upper() == first.name.upper()]
    bands = _extension_bands(images)
    if len(bands) > 1:
        return bands, ""
    others = [_numbered(units, unit) for unit in images if unit is not first]
    note = ""
    if others:
        listed = ", ".join(others[:_LISTED]) + (" and others" if len(others) > _LISTED else "")
        note = (
            f"only HDU {_numbered(units, first)} is measured, not {listed}, which are not named "
            "like bands; choose another with --hdu"
        )
    return unit_bands(first, units[0].header), note


def _numbered(units: Sequence[Any], unit: Any) -> str:  # noqa: ANN401
    """Return the number of an HDU, with its name if it has one."""
    number = next(k for k, other in enumerate(units) if other is unit)
    return f"{number} ({unit.name})" if unit.name else str(number)


def header_names(number: int, *headers: Any) -> list[str]:  # noqa: ANN401
    """Return the names of planes from ``BANDS``, or ``BAND0`` and so on; empty without them."""
    for cards in headers:
        bands = str(cards.get("BANDS", "")).strip()
        parts = re.split(r"[\s,;]+", bands)
        names = [list(bands), parts, *([cards.get(f"BAND{first + k}") for k in range(number)]
                                       for first in (0, 1))]  # fmt: skip
        for listed in names:
            if len(listed) == number and all(listed):
                return [str(name).strip() for name in listed]
    return []


def filter_name(*headers: Any) -> str:  # noqa: ANN401
    """Return the name of the filter of a single band; empty if unknown."""
    for key in _FILTER_CARDS:
        for cards in headers:
            name = str(cards.get(key, "")).strip()
            if name and not name.upper().startswith(("CLEAR", "N/A")):
                return name
    return ""


def display_bands(units: Sequence[Any], chosen: str | None = None) -> list[Band]:
    """Return the bands of a file that are displayed, one or three, from blue to red.

    Parameters
    ----------
    units : sequence of astropy HDUs
    chosen : str, optional
        Their names, one letter each (``"gri"``) or separated by commas. By default the bands of
        the science image, or of several extensions named like bands: all if these are one or
        three; grz of griz; otherwise gri, grz, riz or izy.

    Raises
    ------
    ImageError
        If there is no image, its shape is wrong, it lacks a chosen band, or has other bands and
        none are chosen.
    """
    images = [unit for unit in units if unit.is_image and unit.shape != () and is_science(unit)]
    if not images:
        names = ", ".join(unit.name or "unnamed" for unit in units if unit.is_image and unit.shape)
        contained = f"a science image, only {names}" if names else "an image"
        raise ImageError(f"no HDU contains {contained}; expected one of (H, W) or (bands, H, W)")
    images = [unit for unit in images if len(unit.shape) > 1] or images
    primary = units[0].header
    extensions = _extension_bands(images)
    named = next(
        (unit for name in SCIENCE[:-1] for unit in images if unit.name.upper() == name), None
    )
    if len(extensions) > 1 and named is None:
        bands = extensions
    else:
        bands = unit_bands(named if named is not None else images[0], primary)
    for band in bands:
        check_pixels(math.prod(band.unit.shape[-2:]))
    if chosen is not None:
        return _chosen(bands, _chosen_names(chosen, bands))
    return _displayed(bands)


def unit_bands(unit: Any, primary: Any) -> list[Band]:  # noqa: ANN401
    """Return the bands of one HDU of shape (H, W) or (bands, H, W), with axes of length 1."""
    shape = unit.shape
    sizes = [size for size in shape if isinstance(size, int)]
    check_bands_first(sizes)
    leading = [size for size in sizes[:-2] if size != 1]
    usual = len(leading) <= 1 and math.prod(leading) <= MAX_PLANES
    if len(sizes) < max(2, len(shape)) or min(sizes) < 1 or not usual:
        raise ImageError(f"the image has shape {shape}; expected (H, W) or (bands, H, W)")
    number, headers = math.prod(leading), (unit.header, primary)
    if number == 1:
        names = header_names(1, *headers) or [_band_name(filter_name(*headers))]
    else:
        names = header_names(number, *headers) or [str(plane) for plane in range(number)]
    return [
        Band(name, unit, tuple(0 if size == 1 else plane for size in sizes[:-2]))
        for plane, name in enumerate(names)
    ]


def check_bands_first(shape: Sequence[int]) -> None:
    """Raise ImageError for a shape such as (424, 424, 3), whose bands are last."""
    if len(shape) > 2 and shape[-1] < _MIN_COLUMNS <= min(shape[-3:-1]):
        raise ImageError(
            f"the image has shape {tuple(shape)}, with the bands last; expected (H, W) or (bands, "
            "H, W): move the last axis to the front, as np.moveaxis(image, -1, 0) does"
        )


def _extension_bands(images: Sequence[Any]) -> list[Band]:
    """Return the bands that are in HDUs of their own, named like bands or with a filter."""
    bands: dict[str, Band] = {}
    for unit in images:
        if len([size for size in unit.shape if size != 1]) != 2:
            continue
        own = bool(_BAND.fullmatch(unit.name.upper()))
        name = _band_name(unit.name if own else filter_name(unit.header))
        if name and name.lower() not in bands:
            bands[name.lower()] = unit_bands(unit, unit.header)[0]._replace(name=name)
    return list(bands.values())


def _band_name(text: str) -> str:
    """Return the band in a name such as ``IMAGE-G`` or ``r DECam SDSS``; the name without one."""
    for name in (text, text.partition(" ")[0]):
        if match := _BAND.fullmatch(name.upper()):
            band = match.group(1)
            return band.lower() if len(band) == 1 else band
    return text


def _chosen_names(chosen: str, bands: Sequence[Band]) -> list[str]:
    if any(band.name.lower() == chosen.lower() for band in bands):
        return [chosen]
    return [name.strip() for name in (chosen.split(",") if "," in chosen else chosen)]


def _chosen(bands: Sequence[Band], names: Sequence[str]) -> list[Band]:
    """Return the named bands."""
    by_name = {band.name.lower(): band for band in bands}
    missing = [name for name in names if name.lower() not in by_name]
    if missing and len(bands) == 1 and not bands[0].name:
        raise ImageError(
            f"the image has no band {', '.join(missing)}; it has one band without a name: omit "
            "--bands, or name it with a card FILTER"
        )
    if missing:
        raise ImageError(
            f"the image has no band {', '.join(missing)}; it has {_listed(bands)}: choose others "
            "with --bands"
        )
    if len(set(names)) != len(names) or len(names) not in (1, 3):
        raise ImageError(
            f"the bands {', '.join(names)} were chosen; expected one or three different ones"
        )
    return _blue_to_red([by_name[name.lower()] for name in names])


def _displayed(bands: Sequence[Band]) -> list[Band]:
    """Return the bands displayed by default."""
    if len(bands) in (1, 3):
        return _blue_to_red(bands)
    names = {band.name.lower(): band for band in bands}
    choices = ("grz", *DISPLAYED) if set(names) == set("griz") else DISPLAYED
    for letters in choices:
        if set(letters) <= set(names):
            return [names[letter] for letter in letters]
    shape = bands[0].unit.shape
    raise ImageError(
        f"the image has shape {shape}; expected (H, W) or (3, H, W): choose one or three of its "
        f"bands with --bands, which are {_listed(bands)}"
    )


def _blue_to_red(bands: Sequence[Band]) -> list[Band]:
    """Sort bands of known wavelength; keep the order of others."""
    if any(band.wavelength < 0 for band in bands):
        return list(bands)
    return sorted(bands, key=lambda band: band.wavelength)


def _listed(bands: Sequence[Band]) -> str:
    names = [band.name or "without a name" for band in bands]
    return ", ".join(names[:_LISTED]) + (" and others" if len(names) > _LISTED else "")
