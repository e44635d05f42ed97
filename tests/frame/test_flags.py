"""Each flag is raised in its case and in no other."""

import numpy as np
import pytest

from galfeat.errors import ImageError
from galfeat.features import FeatureExtractor
from galfeat.frame import Flag, describe_flags, measure_frame


def two(paint, distance, **second):
    """Two galaxies, the first in the middle."""
    one = paint(160, scale=6.0, q=0.7, noise=1.0).astype(int)
    other = paint(160, scale=6.0, q=0.7, sky=0.0, offset=(0.0, distance), **second)
    return np.clip(one + other, 0, 255).astype(np.uint8)


CASES = {
    "inclined disc": (lambda p: p(160, scale=9.0, q=0.6, noise=2.0), Flag(0)),
    "inclined disc in a small image": (lambda p: p(64, scale=4.0, q=0.6, noise=2.0), Flag(0)),
    "face-on": (lambda p: p(160, scale=9.0, noise=2.0), Flag.ROUND),
    "edge-on": (lambda p: p(160, scale=12.0, q=0.15, pa=0.4, noise=2.0), Flag.EDGE_ON),
    "from corner to corner": (
        lambda p: p(100, scale=25.0, q=0.3, pa=0.7, noise=1.0), Flag.FILLS_FRAME,
    ),
    "near a side": (
        lambda p: p(128, scale=12.0, q=0.6, offset=(0.0, 42.0), noise=2.0), Flag.OFF_EDGE,
    ),
    "compact": (
        lambda p: p(64, scale=0.7, gaussian=True, noise=1.0), Flag.TOO_SMALL | Flag.ROUND,
    ),
    "faint": (lambda p: p(160, scale=8.0, q=0.6, peak=9.0, noise=6.0), Flag.TOO_FAINT),
    "touching companion": (lambda p: two(p, 17.0), Flag.BLENDED),
    "distant companion": (lambda p: two(p, 60.0), Flag(0)),
    "one band": (lambda p: p(160, scale=9.0, q=0.6, noise=2.0)[:, :, 0], Flag.ONE_BAND),
    "touching star": (lambda p: two(p, 22.0, peak=40.0), Flag(0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_exactly_the_expected_flags_are_raised(paint, name):
    image, expected = CASES[name]
    found = measure_frame(image(paint)).flags
    assert found == expected, describe_flags(found)


def test_no_source_and_unreadable_are_flags_of_the_table():
    blank = np.full((64, 64, 3), 12, np.uint8)
    table = FeatureExtractor(("colour",)).extract([blank, blank[:8]])
    assert table.values[:, -1].tolist() == [Flag.NO_SOURCE, Flag.UNREADABLE]
    assert np.isnan(table.values[:, :-1]).all()
    assert list(table.errors) == [1]
    assert isinstance(table.errors[1], ImageError)


def test_every_flag_has_a_bit_and_a_name():
    assert [flag.value for flag in Flag] == [2**i for i in range(len(Flag))]
    assert describe_flags(0.0) == ""
    for flag in Flag:
        assert describe_flags(float(flag)) == flag.name.lower()
    everything = sum(flag.value for flag in Flag)
    assert describe_flags(everything).split(";") == [flag.name.lower() for flag in Flag]
    assert describe_flags(np.float32(Flag.OFF_EDGE | Flag.ROUND)) == "off_edge;round"
