"""The family that runs statmorph."""

import sys
import warnings

import numpy as np
import pytest

from galfeat.errors import DataError, MissingDependencyError
from galfeat.features import DEFAULT_FAMILIES, FeatureExtractor
from galfeat.features.reference import statmorph as family
from galfeat.frame import measure_frame, whole_image_frame

NAMES = [column.name.removeprefix("statmorph.") for column in family.COLUMNS]


def measured(image):
    pytest.importorskip("statmorph", reason="statmorph is not installed")
    return dict(zip(NAMES, family.measure(measure_frame(image)), strict=True))


def test_a_known_galaxy_has_the_expected_values(paint):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = measured(paint(160, scale=8.0, q=0.6, noise=1.0))
    assert heard == []
    assert found["flag"] == 0
    assert found["sersic_n"] == pytest.approx(1.0, abs=0.1)  # painted exponential
    assert found["sersic_ellip"] == pytest.approx(0.4, abs=0.02)
    assert found["sersic_rhalf"] == pytest.approx(1.678 * 8.0, rel=0.05)
    assert abs(found["asymmetry"]) < 0.05


def test_missing_statmorph_values_are_nan():
    pytest.importorskip("statmorph", reason="statmorph is not installed")
    values = family.measure(whole_image_frame(np.zeros((64, 64, 3), np.uint8)))
    found = dict(zip(NAMES, values, strict=True))
    assert np.isnan(found["gini"])
    assert np.isnan(found["rpetro_ellip"])
    assert not (values == -99).any()


def test_too_many_images_are_rejected_before_the_first(paint):
    pytest.importorskip("statmorph", reason="statmorph is not installed")
    images = [paint(16)] * (family.MAX_IMAGES + 1)
    with pytest.raises(DataError, match="at most 1,000 images, and 1,001 were given"):
        FeatureExtractor(("statmorph",)).extract(images)


def test_without_the_package_the_extra_is_named(paint, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "statmorph", raising=False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'galfeat\[statmorph\]'"):
        FeatureExtractor(("statmorph",)).extract([paint(32)])


def test_it_is_measured_only_on_request():
    assert "statmorph" not in DEFAULT_FAMILIES
