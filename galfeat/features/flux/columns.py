"""Columns of the flux family: names, units, meanings, references and statmorph's names."""

from __future__ import annotations

from galfeat.features.registry import Column

_BERTIN = "Bertin & Arnouts 1996"
_CONSELICE = "Conselice 2003"
_FREEMAN = "Freeman et al. 2013"
_LOTZ = "Lotz et al. 2004"
_PAWLIK = "Pawlik et al. 2016"
_PETROSIAN = "Petrosian 1976"
_RODRIGUEZ = "Rodriguez-Gomez et al. 2019"
_SAZONOVA = "Sazonova et al. 2024"
_SERSIC = "Sérsic 1968"
_SNYDER = "Snyder et al. 2015"
_WEN = "Wen et al. 2014"

#: Name, unit, meaning, reference and statmorph's name. ``flux`` is the unit of the image.
_MEASURED = (
    ("centroid_x", "px", "column of the centroid of the segment", _BERTIN, "xc_centroid"),
    ("centroid_y", "px", "row of the centroid of the segment", _BERTIN, "yc_centroid"),
    ("centroid_ellipticity", "1", "1 - q of the moments about the centroid", _BERTIN,
     "ellipticity_centroid"),
    ("centroid_angle", "rad", "major axis of the moments about the centroid, from x to y", _BERTIN,
     "orientation_centroid"),
    ("centre_x", "px", "column of minimum asymmetry", _LOTZ, "xc_asymmetry"),
    ("centre_y", "px", "row of minimum asymmetry", _LOTZ, "yc_asymmetry"),
    ("ellipticity", "1", "1 - q of the moments about the centre", _BERTIN,
     "ellipticity_asymmetry"),
    ("position_angle", "rad", "major axis of the moments about the centre, from x to y", _BERTIN,
     "orientation_asymmetry"),
    ("flux_circular", "flux", "light within two circular Petrosian radii", _RODRIGUEZ,
     "flux_circ"),
    ("flux_elliptical", "flux", "light within two elliptical Petrosian radii", _RODRIGUEZ,
     "flux_ellip"),
    ("petrosian_circular", "px", "Petrosian radius in circles", _PETROSIAN, "rpetro_circ"),
    ("petrosian_elliptical", "px", "Petrosian semi-major axis", _PETROSIAN, "rpetro_ellip"),
    ("rmax_circular", "px", "centre to the farthest pixel of the outline", _PAWLIK, "rmax_circ"),
    ("rmax_elliptical", "px", "semi-major axis of the ellipse around the outline", _RODRIGUEZ,
     "rmax_ellip"),
    ("half_light_circular", "px", "radius of half the light within rmax_circular", _RODRIGUEZ,
     "rhalf_circ"),
    ("half_light_elliptical", "px", "semi-major axis of half the light within rmax_elliptical",
     _RODRIGUEZ, "rhalf_ellip"),
    ("r20", "px", "radius of 20 % of the light within 1.5 Petrosian radii", _CONSELICE, "r20"),
    ("r50", "px", "radius of 50 % of the light within 1.5 Petrosian radii", _CONSELICE, "r50"),
    ("r80", "px", "radius of 80 % of the light within 1.5 Petrosian radii", _CONSELICE, "r80"),
    ("flux_r50", "flux", "light within r50", _CONSELICE, ""),
    ("concentration", "1", "5 log10(r80 / r20)", _CONSELICE, "concentration"),
    ("asymmetry", "1", "difference from the half-turned image, minus the sky's", _LOTZ,
     "asymmetry"),
    ("smoothness", "1", "light of clumps over all, minus the sky's", _LOTZ, "smoothness"),
    ("gini", "1", "inequality of the light of pixels", _LOTZ, "gini"),
    ("m20", "1", "log10 of the brightest 20 %'s second moment over all", _LOTZ, "m20"),
    ("bulge_statistic", "1", "position along the sequence of Gini and M20, F(G, M20)", _SNYDER,
     "gini_m20_bulge"),
    ("merger_statistic", "1", "distance from the line of mergers, S(G, M20)", _SNYDER,
     "gini_m20_merger"),
    ("signal_to_noise", "1", "mean signal-to-noise ratio of the Gini segment's pixels", _LOTZ,
     "sn_per_pixel"),
    ("multimode", "1", "areas of the two largest regions, second over first", _FREEMAN,
     "multimode"),
    ("intensity", "1", "light of the two brightest regions, second over first", _FREEMAN,
     "intensity"),
    ("deviation", "1", "brightest peak to the centroid, in radii of the MID segment", _FREEMAN,
     "deviation"),
    ("rms_asymmetry", "1", "squared difference from the half-turned image, minus the sky's",
     _SAZONOVA, "rms_asymmetry2"),
    ("outer_asymmetry", "1", "asymmetry outside the half-light ellipse", _WEN, "outer_asymmetry"),
    ("shape_asymmetry", "1", "asymmetry of the outline", _PAWLIK, "shape_asymmetry"),
    ("isophote_asymmetry_3", "1", "asymmetry of the outline at 3 sigma of the sky", _SAZONOVA, ""),
    ("isophote_asymmetry_10", "1", "asymmetry of the outline at 10 sigma of the sky", _SAZONOVA,
     ""),
    ("isophote_asymmetry_30", "1", "asymmetry of the outline at 30 sigma of the sky", _SAZONOVA,
     ""),
    ("substructure", "1", "light of contiguous clumps over that of the segment",
     "after statmorph-lsst", ""),
    ("sky_mean", "flux", "mean of the box of sky", _RODRIGUEZ, "sky_mean"),
    ("sky_median", "flux", "median of the box of sky", _RODRIGUEZ, "sky_median"),
    ("sky_sigma", "flux", "standard deviation of the box of sky", _RODRIGUEZ, "sky_sigma"),
)  # fmt: skip
_FITTED = (
    ("sersic_amplitude", "flux", "brightness at the half-light ellipse", "sersic_amplitude"),
    ("sersic_radius", "px", "semi-major axis of half the light", "sersic_rhalf"),
    ("sersic_index", "1", "Sérsic index, 0.05 to 12", "sersic_n"),
    ("sersic_x", "px", "column of the centre", "sersic_xc"),
    ("sersic_y", "px", "row of the centre", "sersic_yc"),
    ("sersic_ellipticity", "1", "1 - q", "sersic_ellip"),
    ("sersic_angle", "rad", "major axis from x to y, 0 to pi", "sersic_theta"),
    ("sersic_chi2", "1", "chi squared per degree of freedom", "sersic_chi2_dof"),
    ("sersic_aic", "1", "Akaike information criterion", "sersic_aic"),
    ("sersic_bic", "1", "Bayesian information criterion", "sersic_bic"),
    ("sersic_flux", "flux", "light of the model out to infinity", ""),
)  # fmt: skip
_RESIDUAL = (
    "residual_sersic", "1", "absolute residual minus the noise's, over all", "Hoyos et al. 2011",
    "",
)  # fmt: skip
#: Lengths that are also given in arcsec where the pixel scale is known.
LENGTHS = (
    "petrosian_circular", "petrosian_elliptical", "rmax_circular", "rmax_elliptical",
    "half_light_circular", "half_light_elliptical", "r20", "r50", "r80", "sersic_radius",
)  # fmt: skip
_CALIBRATED = (
    ("magnitude_circular", "mag", "magnitude of flux_circular", _RODRIGUEZ),
    ("magnitude", "mag", "magnitude of flux_elliptical", _RODRIGUEZ),
    ("sersic_magnitude", "mag", "magnitude of sersic_flux", _SERSIC),
    ("surface_brightness_r50", "mag/arcsec2", "mean surface brightness within r50", _CONSELICE),
)
_WITHOUT = "NaN where undefined"
_SCALE, _ZERO = "NaN without a pixel scale", "NaN without a zero point or light"
_COVARIANT = ("px", "rad", "flux", "arcsec", "mag")

_ROWS = (
    *((*row, _WITHOUT) for row in _MEASURED),
    *(
        (name, unit, f"2-D Sérsic fit: {meaning}", _SERSIC, other, "NaN without a fit")
        for name, unit, meaning, other in _FITTED
    ),
    (*_RESIDUAL, "NaN without a fit"),
    *(
        (f"{name}_arcsec", "arcsec", f"{name} in arcsec", _RODRIGUEZ, "", _SCALE)
        for name in LENGTHS
    ),
    *((*row, "", _ZERO) for row in _CALIBRATED),
)

#: The columns of the family.
COLUMNS = tuple(
    Column(f"flux.{name}", unit, meaning, reference, unit not in _COVARIANT, degenerate)
    for name, unit, meaning, reference, _, degenerate in _ROWS
)
#: Their names without the family.
NAMES = tuple(row[0] for row in _ROWS)
#: statmorph's name of each that it has.
STATMORPH = {row[0]: row[4] for row in _ROWS if row[4]}
