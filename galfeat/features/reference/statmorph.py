"""Measurements of statmorph (Rodriguez-Gomez et al. 2019) with galfeat's sky and segment.

For comparison with the standard code of the field. It takes seconds per galaxy, without threads.
"""

from __future__ import annotations

import threading
import warnings
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError, MissingDependencyError
from galfeat.features.registry import Column
from galfeat.frame import Frame

#: Maximum number of images: about an hour of computation.
MAX_IMAGES = 1000
#: Electrons per count. The true gain of a display image is unknown.
GAIN = 1.0
#: statmorph's own value for missing measurements.
_MISSING = -99.0

_CAS, _GINI, _MID = "Conselice 2003", "Lotz et al. 2004", "Freeman et al. 2013"
_PAWLIK, _PETROSIAN = "Pawlik et al. 2016", "Petrosian 1976"
_SERSIC, _OWN = "Sérsic 1963", "Rodriguez-Gomez et al. 2019"

COLUMNS = tuple(
    Column(f"statmorph.{name}", unit, meaning, reference, degenerate="NaN for statmorph's -99")
    for name, unit, meaning, reference in (
        ("concentration", "1", "5 log10 of r80 over r20, circular apertures", _CAS),
        ("asymmetry", "1", "residual of a half-turn, minus that of the sky", _CAS),
        ("smoothness", "1", "residual of smoothing, minus that of the sky", _CAS),
        ("gini", "1", "inequality of the light on the Gini segment", _GINI),
        ("m20", "1", "second moment of the brightest fifth of the light", _GINI),
        ("gini_m20_bulge", "1", "Gini-M20 bulge statistic", "Snyder et al. 2015"),
        ("gini_m20_merger", "1", "Gini-M20 merger statistic", "Snyder et al. 2015"),
        ("multimode", "1", "area of the second largest clump over the largest", _MID),
        ("intensity", "1", "light of the second brightest clump over the brightest", _MID),
        ("deviation", "1", "distance of the brightest peak from the centroid", _MID),
        ("outer_asymmetry", "1", "asymmetry outside the half-light ellipse", "Wen et al. 2014"),
        ("shape_asymmetry", "1", "asymmetry of the segment without its light", _PAWLIK),
        ("rms_asymmetry2", "1", "squared asymmetry, minus that of the sky", "Sazonova et al. 2024"),
        ("ellipticity_asymmetry", "1", "one minus the axis ratio, about the centre", _OWN),
        ("sn_per_pixel", "1", "mean signal-to-noise ratio of the Gini segment's pixels", _GINI),
        ("rpetro_circ", "px", "Petrosian radius, circular", _PETROSIAN),
        ("rpetro_ellip", "px", "Petrosian radius, elliptical", _PETROSIAN),
        ("rhalf_circ", "px", "radius of half the light, circular", _OWN),
        ("rhalf_ellip", "px", "radius of half the light, elliptical", _OWN),
        ("r20", "px", "radius of a fifth of the light within 1.5 Petrosian radii", _CAS),
        ("r50", "px", "radius of half the light within 1.5 Petrosian radii", _CAS),
        ("r80", "px", "radius of four fifths of the light within 1.5 Petrosian radii", _CAS),
        ("sersic_n", "1", "index of the fitted Sérsic model", _SERSIC),
        ("sersic_rhalf", "px", "half-light radius of the fitted Sérsic model", _SERSIC),
        ("sersic_ellip", "1", "ellipticity of the fitted Sérsic model", _SERSIC),
        ("flag", "1", "0 good, 1 suspect, 2 bad, 3 unusual, 4 catastrophic", _OWN),
        ("flag_sersic", "1", "the same for the Sérsic fit", _OWN),
    )
)

# Warning filters are global to the process, so only one thread at a time may change them.
_lock = threading.Lock()


def require_dependencies(n_images: int) -> None:
    """Raise an error unless statmorph is installed and the number of images acceptable.

    Raises
    ------
    MissingDependencyError
        If statmorph is not installed.
    DataError
        If there are more than `MAX_IMAGES`.
    """
    if find_spec("statmorph") is None:
        raise MissingDependencyError(
            "the feature family 'statmorph' needs the package statmorph, which is not installed; "
            "install it with: pip install 'galfeat[statmorph]'"
        )
    if n_images > MAX_IMAGES:
        raise DataError(
            f"statmorph takes seconds per galaxy, so it measures at most {MAX_IMAGES:,} images, "
            f"and {n_images:,} were given; draw a sample with `galfeat data sample`, or use "
            "another pipeline"
        )


def measure(frame: Frame) -> NDArray[np.float32]:
    """Run statmorph on the grey image of a frame and its segment, with other objects masked.

    NaN where statmorph returns -99; all NaN if it fails. Without a segment, as in the frame of
    a whole image, the segment is the whole image.
    """
    from statmorph import SourceMorphology

    own = frame.labels == frame.galaxy + 1
    others = (frame.labels != 0) & ~own
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            morphology = SourceMorphology(
                frame.grey.astype(np.float64), own.astype(np.int64), 1, mask=others, gain=GAIN
            )
        except Exception:  # any internal failure means missing measurements
            return np.full(len(COLUMNS), np.nan, np.float32)
    values = [getattr(morphology, column.name.removeprefix("statmorph.")) for column in COLUMNS]
    vector = np.array(values, dtype=np.float64)
    missing = ~np.isfinite(vector) | (vector == _MISSING) | (np.abs(vector) > 1e30)
    return np.where(missing, np.nan, vector).astype(np.float32)
