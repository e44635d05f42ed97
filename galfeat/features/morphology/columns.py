"""Columns of the morphology family: names, units, meanings and references."""

from __future__ import annotations

from galfeat.features.morphology import background
from galfeat.features.registry import Column

_BERTIN = "Bertin & Arnouts 1996"
_CONSELICE = "Conselice 2003"
_FREEMAN = "Freeman et al. 2013"
_LOTZ = "Lotz et al. 2004"
_PAWLIK = "Pawlik et al. 2016"
_RODRIGUEZ = "Rodriguez-Gomez et al. 2019"
_SERSIC = "Sérsic 1968"
_OWN = "galfeat"

#: Columns that depend on the image's orientation, position or pixel scale.
_COVARIANT = (
    ("petrosian_circular", "px", "Petrosian radius in circles", _LOTZ, "the diagonal if none"),
    ("petrosian_elliptical", "px", "Petrosian semi-major axis", _LOTZ, "the diagonal if none"),
    ("r20", "px", "radius of 20 % of the light", _CONSELICE, "0 without light"),
    ("r50", "px", "radius of 50 % of the light", _CONSELICE, "0 without light"),
    ("r80", "px", "radius of 80 % of the light", _CONSELICE, "0 without light"),
    ("centre_y", "px", "row of minimum asymmetry", _LOTZ, ""),
    ("centre_x", "px", "column of minimum asymmetry", _LOTZ, ""),
    ("position_angle", "rad", "of the moments, from x to rising rows", _BERTIN, "0 if round"),
)
#: Lengths are in circular Petrosian radii unless stated otherwise.
_INVARIANT = (
    ("axis_ratio", "minor over major axis of the moments", _BERTIN, ""),
    ("petrosian_ratio", "elliptical over circular Petrosian radius", _LOTZ, ""),
    ("r20_petrosian", "radius of 20 % of the light, in Petrosian radii", _CONSELICE, ""),
    ("r50_petrosian", "radius of 50 % of the light, in Petrosian radii", _CONSELICE, ""),
    ("r80_petrosian", "radius of 80 % of the light, in Petrosian radii", _CONSELICE, ""),
    ("concentration", "5 log10(r80 / r20)", _CONSELICE, "0 without light"),
    ("asymmetry", "difference from the half-turned image, minus the sky's", _LOTZ, ""),
    ("asymmetry_shift", "distance from centroid to centre of minimum asymmetry", _OWN, ""),
    ("outer_asymmetry", "asymmetry outside the half-light ellipse", "Wen et al. 2014", ""),
    ("shape_asymmetry", "asymmetry of the outline", _PAWLIK, ""),
    ("extent", "distance from the centre to the farthest pixel of the outline", _PAWLIK, ""),
    ("smoothness", "light of clumps over all, minus the sky's", _LOTZ, "0 if less than the sky's"),
    ("gini", "inequality of the light of pixels", _LOTZ, "0 without light"),
    ("m20", "log10 of the brightest 20 %'s second moment over all", _LOTZ, "0 without light"),
    ("bulge_statistic", "position along the sequence of Gini and M20", _RODRIGUEZ, ""),
    ("merger_statistic", "distance from the line of mergers in Gini and M20", _RODRIGUEZ, ""),
    ("signal_to_noise", "mean signal-to-noise ratio of pixels", _LOTZ, "0 without light"),
    ("multimode", "areas of the two largest regions, second over first", _FREEMAN, "0 if one"),
    ("intensity", "light of the two brightest basins, second over first", _FREEMAN, "0 if one"),
    ("deviation", "brightest peak to the centroid, in segment radii", _FREEMAN, ""),
    ("sersic_index", "Sérsic index of the elliptical profile, 0.1 to 8", _SERSIC, "0 without fit"),
    ("sersic_radius", "Sérsic r_e in elliptical Petrosian radii", _SERSIC, "0 without fit"),
    ("residual.sersic", "absolute residual minus the noise's, over all", "Hoyos et al. 2011", ""),
    ("residual.tides", "light above the mean profile outside r50, over all", _OWN, ""),
    ("residual.turned", "light above the half-turned image outside r50, over all", _OWN, ""),
    ("bulge_strength", "fraction of the light above an exponential disc", _OWN, "0 without disc"),
    ("bulge_excess", "height of light in the middle over that on both sides, minus 1", _OWN, ""),
    ("minor_axis.v0", "brightness on the minor axis from 0 to 0.06 over the mean", _OWN, ""),
    ("minor_axis.v1", "brightness on the minor axis from 0.06 to 0.12 over the mean", _OWN, ""),
    ("minor_axis.v2", "brightness on the minor axis from 0.12 to 0.24 over the mean", _OWN, ""),
    ("minor_axis.v3", "brightness on the minor axis from 0.24 to 0.48 over the mean", _OWN, ""),
    ("ellipticity.i0", "1 - q of the isophote around 1/16 of the Gini segment", _OWN, ""),
    ("ellipticity.i1", "1 - q of the isophote around 1/8 of the Gini segment", _OWN, ""),
    ("ellipticity.i2", "1 - q of the isophote around 1/4 of the Gini segment", _OWN, ""),
    ("ellipticity.i3", "1 - q of the isophote around 1/2 of the Gini segment", _OWN, ""),
    ("ellipticity.i4", "1 - q of the isophote around 3/4 of the Gini segment", _OWN, ""),
    ("isophotes.twist", "angle between inner and outer isophotes", _OWN, "0 if round"),
    ("isophotes.change", "largest difference of isophotes' ellipticities as vectors", _OWN, ""),
    ("isophotes.drift", "largest distance between two isophotes' centres", _OWN, ""),
    ("nuclei.number", "number of distinct nuclei", _OWN, "0 without light"),
    ("nuclei.flux_ratio", "second nucleus over the brightest", _OWN, "0 with one nucleus"),
    ("nuclei.separation", "distance between the two nuclei", _OWN, "0 with one nucleus"),
)
_DARK = "NaN if the segment contains no light"


def _degenerate(value: str) -> str:
    return f"{value}; {_DARK}" if value else _DARK


_STATISTICS = tuple(
    Column(f"morphology.{name}", unit, meaning, reference, False, _degenerate(degenerate))
    for name, unit, meaning, reference, degenerate in _COVARIANT
) + tuple(
    Column(
        f"morphology.{name}", "rad" if name == "isophotes.twist" else "1", meaning, reference,
        True, _degenerate(degenerate),
    )
    for name, meaning, reference, degenerate in _INVARIANT
)  # fmt: skip
#: In the order of measurement.
COLUMNS = (*_STATISTICS, *background.COLUMNS)
#: Names of the statistics without the prefix of the family.
NAMES = tuple(column.name.split(".", 1)[1] for column in _STATISTICS)
