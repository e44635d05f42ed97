"""Descriptions of all columns in the registry, and agreement of the families."""

import re

import numpy as np
import pytest

from galfeat.errors import PipelineError
from galfeat.features import (
    DEFAULT_FAMILIES,
    FAMILIES,
    FeatureExtractor,
    classifier_columns,
    columns,
)
from galfeat.features.registry import FLAGS, family_module
from galfeat.frame import measure_frame, whole_image_frame

#: Measured from the image itself, whatever the frame.
PLAIN = ("skimage-hog", "pixels", "pixels-64", "pixels-128", "pixels-256")
UNITS = {"1", "px", "rad", "deg", "radii", "frame radii", "counts"}
#: Measured by galfeat and by what it always comes with.
OWN = tuple(name for name in FAMILIES if name != "statmorph")


@pytest.mark.parametrize("family", OWN)
def test_a_family_measures_exactly_its_columns(paint, family):
    module = family_module(family)
    for frame in (
        measure_frame(paint(100, scale=6.0, q=0.6, noise=2.0)),
        measure_frame(paint(100, scale=6.0, noise=2.0)),
        whole_image_frame(paint(100, scale=6.0, noise=2.0)),
    ):
        if frame.galaxy < 0 and family == "shape":
            continue  # neighbours of no galaxy are not asked for
        values = module.measure(frame)
        assert values.dtype == np.float32
        assert values.shape == (len(module.COLUMNS),)
        assert np.isfinite(values).sum() >= len(values) - 1  # a round galaxy's position angle


@pytest.mark.parametrize("family", FAMILIES)
def test_columns_are_named_and_explained(family):
    listed = family_module(family).COLUMNS
    for column in listed:
        assert column.family == family
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9_]+)+", column.name), column.name
        assert column.unit in UNITS, column.name
        assert len(column.meaning) > 5, column.name
        assert "\n" not in column.meaning
        assert column.reference == "galfeat" or re.search(r" (19|20)\d\d$", column.reference)


def test_names_are_unique_over_all_families():
    names = [column.name for column in columns(tuple(FAMILIES))]
    assert len(names) == len(set(names))


def test_flags_close_the_table():
    for families in ((), ("colour",), DEFAULT_FAMILIES):
        listed = columns(families)
        assert listed[-1].name == FLAGS
        assert listed[-1].unit == "bits"
        assert [c.name for c in listed].count(FLAGS) == 1


def test_columns_come_in_the_order_asked_for():
    forth = [c.name for c in columns(("colour", "radial"))][:-1]
    back = [c.name for c in columns(("radial", "colour"))][:-1]
    assert forth != back
    assert sorted(forth) == sorted(back)
    assert back[0].startswith("radial.")


@pytest.mark.parametrize("call", [columns, lambda names: FeatureExtractor(names).fit()])
def test_an_unknown_family_is_an_error_that_lists_all(call):
    with pytest.raises(PipelineError, match="no feature family 'hogg'; choose from hog, colour"):
        call(("hog", "hogg"))


def test_classifiers_get_only_invariant_columns():
    listed = columns()
    chosen = classifier_columns([c.name for c in listed])
    left_out = {c.name for i, c in enumerate(listed) if i not in set(chosen.tolist())}
    assert {"shape.r50", "shape.position_angle", FLAGS} < left_out
    assert left_out == {c.name for c in listed if not c.invariant or c.survey_bound}


@pytest.mark.parametrize("family", PLAIN)
def test_plain_pipelines_get_all_columns_but_flags(family):
    names = [c.name for c in columns((family,))]
    np.testing.assert_array_equal(classifier_columns(names), np.arange(len(names) - 1))


def test_covariant_columns_are_left_out_next_to_a_plain_family():
    names = [c.name for c in columns(("pixels", "shape"))]
    chosen = {names[i] for i in classifier_columns(names)}
    assert "pixels.y3x4.red" in chosen
    assert "shape.gini" not in names
    assert "shape.axis_ratio" in chosen
    assert "shape.r50" not in chosen
