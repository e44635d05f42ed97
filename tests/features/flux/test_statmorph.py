"""Agreement with statmorph on one cut-out, where it is installed."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from galfeat.features.flux import measure
from galfeat.features.flux.columns import STATMORPH

statmorph = pytest.importorskip("statmorph", reason="compares with statmorph")
#: Relative and absolute tolerance; the fit integrates pixels near the centre.
CLOSE = {"sersic_": (0.03, 0.02), "": (2e-3, 1e-3)}


def compare(image, labels, mask, gain, psf=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = statmorph.SourceMorphology(image, labels, 1, mask=mask, gain=gain, psf=psf)
    table = measure(image, segmentation=labels, mask=mask, gain=gain, psf=psf, oversample=False)
    for name, theirs in STATMORPH.items():
        if name in ("sersic_aic", "sersic_bic"):
            continue
        rel, absolute = CLOSE["sersic_" if name.startswith("sersic_") else ""]
        assert table[name][0] == pytest.approx(getattr(other, theirs), rel=rel, abs=absolute), name
    assert table.quality[0] == other.flag


def test_a_noisy_galaxy_with_clumps_and_a_mask(paint):
    rng = np.random.default_rng(2)
    light = 20.0 * paint(1.2, 9.0, q=0.6, angle=0.4)
    light += 8.0 * paint(0.5, 2.0, centre=(70.0, 66.0)) + 5.0 * paint(0.5, 2.0, centre=(52, 55))
    image = light + rng.normal(0.0, 0.5, light.shape)
    mask = np.zeros(image.shape, bool)
    mask[70:74, 40:46] = True
    compare(image, (light > 1.5).astype(np.int64), mask, 2.0)


def test_a_galaxy_with_a_point_spread_function(paint):
    offsets = np.arange(-6, 7)
    line = np.exp(-0.5 * (offsets / 1.5) ** 2)
    rng = np.random.default_rng(4)
    light = 20.0 * paint(1.0, 7.0, q=0.8, angle=2.0)
    image = light + rng.normal(0.0, 0.3, light.shape)
    mask = np.zeros(image.shape, bool)
    compare(image, (light > 1.0).astype(np.int64), mask, 5.0, np.outer(line, line))


def test_the_image_of_its_own_tests():
    folder = os.environ.get("GALFEAT_TEST_DATA")
    if folder is None:
        pytest.skip("GALFEAT_TEST_DATA is not set")
    from galfeat.data.readers.fits.flux import read_plane

    path = Path(folder, "fits", "statmorph_slice.fits")
    if not path.exists():
        pytest.skip("the test data have no statmorph_slice.fits")
    image, labels, mask = (read_plane(path, hdu=k) for k in range(3))
    table = measure(image.astype(float), segmentation=labels, mask=mask, gain=1.0, oversample=False)
    published = {
        "petrosian_circular": 40.93755531944313, "petrosian_elliptical": 41.64283484446126,
        "gini": 0.38993180299621, "m20": -1.54448930789228, "concentration": 2.19100140632153,
        "multimode": 0.23423423423423, "intensity": 0.51203949030140,
        "deviation": 0.01522525597953, "shape_asymmetry": 0.16308278287864,
        "sersic_radius": 22.45788866502031, "sersic_index": 0.61206828194077,
    }  # fmt: skip
    for name, value in published.items():
        assert table[name][0] == pytest.approx(value, rel=2e-3), name
    assert table["asymmetry"][0] == pytest.approx(0.00377345808887, abs=1e-4)
    assert table["smoothness"][0] == pytest.approx(0.00430880839402, abs=1e-4)
    assert table.quality[0] == 0
