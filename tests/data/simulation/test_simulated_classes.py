"""Each simulated class looks like the real one, by the features that told them apart."""

import numpy as np
import pytest

from galfeat import FeatureExtractor
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS
from galfeat.data.simulation import simulate

PER_CLASS = 60
FAMILIES = ("colour", "radial", "shape", "fourier", "morphology")

# 20th and 80th percentile of real galaxies on SDSS images, with classes from Galaxy Zoo.
REAL = {
    "Disturbed": {"shape.aligned.asymmetry": (0.151, 0.239)},
    "Round Smooth": {
        "morphology.concentration": (2.291, 2.546),
        "morphology.ellipticity.i1": (0.068, 0.171),
    },
    "In-between Round Smooth": {
        "morphology.ellipticity.i0": (0.185, 0.374),
        "shape.neighbours.light.z1": (0.066, 0.218),
    },
    "Cigar Shaped Smooth": {
        "morphology.ellipticity.i1": (0.560, 0.747),
        "morphology.m20": (-1.647, -1.440),
        "radial.major.x3": (2.927, 3.429),
    },
    "Barred Spiral": {"shape.bridge": (0.063, 0.282)},
    "Unbarred Tight Spiral": {
        "morphology.concentration": (1.973, 2.468),
        "morphology.m20": (-1.654, -1.435),
        "fourier.deprojected.a3.r1": (0.014, 0.031),
    },
    "Unbarred Loose Spiral": {"colour.red_green.disc": (0.007, 0.180)},
    "Edge-on without Bulge": {"fourier.deprojected.arms.strength": (0.045, 0.110)},
    "Edge-on with Bulge": {
        "morphology.ellipticity.i0": (0.380, 0.666),
        "morphology.ellipticity.i2": (0.569, 0.753),
    },
}


@pytest.fixture(scope="module")
def measured():
    """Features by column, shape (10, galaxies), of galaxies drawn as SDSS shows them."""
    drawn = simulate(
        10 * PER_CLASS, seed=20, rendering="sdss", jobs=2, class_counts=[PER_CLASS] * 10
    )
    extractor = FeatureExtractor(FAMILIES, n_jobs=2)
    table = extractor.extract(list(drawn.images))
    columns = table.values.T.reshape(len(table.names), 10, PER_CLASS)
    return dict(zip(table.names, columns, strict=True))


@pytest.mark.parametrize(
    ("name", "feature"), [(name, feature) for name, ranges in REAL.items() for feature in ranges]
)
def test_a_typical_galaxy_is_typical_of_real_ones(measured, name, feature):
    low, high = REAL[name][feature]
    assert low < np.nanmedian(measured[feature][GALAXY10_DECALS.index(name)]) < high


def test_edge_on_discs_are_reddened_by_their_dust(measured):
    """Real ones are 0.11 to 0.15 redder than loose spirals in the core; so are these."""
    core = np.nanmedian(measured["colour.red_green.core"], axis=1)
    assert core[8] > core[7]
    assert core[9] > core[7] + 0.05
