"""Whatever is in an image, its features are finite, or missing for a reason that is stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galfeat.features import FeatureExtractor, columns
from galfeat.frame import Flag

FAMILIES = ("hog", "colour", "radial", "shape", "fourier")
NAMES = [column.name for column in columns(FAMILIES)]
CANONICAL = FeatureExtractor(FAMILIES)
PLAIN = FeatureExtractor(FAMILIES, frame=False)
DEPROJECTED = np.array([".deprojected." in name for name in NAMES])
ANGLE = np.array([name == "shape.position_angle" for name in NAMES])


def assert_sound(row):
    """Fail unless every value is finite, or NaN with a flag that says why."""
    assert row.dtype == np.float32
    assert row.shape == (len(NAMES),)
    assert not np.isinf(row).any()
    flags = Flag(int(row[-1]))
    if Flag.NO_SOURCE in flags:
        assert flags == Flag.NO_SOURCE
        assert np.isnan(row[:-1]).all()
        return
    missing = np.isnan(row)
    assert (missing == DEPROJECTED)[DEPROJECTED].all() or not missing[DEPROJECTED].any()
    assert missing[DEPROJECTED].all() == bool(flags & (Flag.EDGE_ON | Flag.BLENDED))
    assert missing[ANGLE].all() == (Flag.ROUND in flags)
    assert not missing[~DEPROJECTED & ~ANGLE].any(), np.array(NAMES)[missing]


def noise(shape, level=128.0, sigma=40.0):
    values = np.random.default_rng(0).normal(level, sigma, (*shape, 3))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def filled(shape, value, *places):
    """Return an image of one value with rectangles of white in it."""
    image = np.full((*shape, 3), value, np.uint8)
    for rows, columns_ in places:
        image[rows, columns_] = 255
    return image


def checks(shape):
    return np.repeat((255 * (np.indices(shape).sum(axis=0) % 2))[:, :, None], 3, 2).astype(np.uint8)


ALL = slice(None)
ODD = {
    "black": lambda p: filled((64, 64), 0),
    "white": lambda p: filled((64, 64), 255),
    "one pixel": lambda p: filled((64, 64), 0, (32, 32)),
    "one pixel of one channel": lambda p: filled((64, 64), 0, (32, 32)) * np.uint8([1, 0, 0]),
    "one row": lambda p: filled((64, 64), 0, (32, ALL)),
    "one column": lambda p: filled((64, 64), 30, (ALL, 31)),
    "half": lambda p: filled((64, 64), 0, (slice(32), ALL)),
    "quarter": lambda p: filled((64, 64), 9, (slice(40), slice(40))),
    "all but the border": lambda p: filled((64, 64), 0, (slice(1, -1), slice(1, -1))),
    "black hole": lambda p: 255 - filled((64, 64), 0, (slice(20, 44), slice(20, 44))),
    "chequers": lambda p: checks((64, 64)),
    "slope": lambda p: np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (64, 1, 3)),
    "noise": lambda p: noise((100, 100)),
    "faint noise": lambda p: noise((100, 100), 30.0, 3.0),
    "black and white noise": lambda p: noise((100, 100), 128.0, 9999.0),
    "smallest": lambda p: p(16, scale=2.0, noise=2.0),
    "smallest, filled": lambda p: p(16, scale=20.0, noise=1.0),
    "large": lambda p: p(1024, scale=60.0, q=0.6, noise=3.0),
    "large with a small galaxy": lambda p: p(1024, scale=1.5, noise=3.0),
    "long": lambda p: p((16, 600), scale=40.0, q=0.1, noise=2.0),
    "tall": lambda p: p((600, 16), scale=3.0, noise=2.0),
    "tall with a disc across it": lambda p: p((600, 16), scale=30.0, q=0.2, noise=2.0),
    "thinner than a pixel": lambda p: p(128, scale=30.0, q=0.01, pa=0.3),
    "off the edge": lambda p: p(100, scale=25.0, offset=(0.0, 49.0), noise=2.0),
    "off the corner": lambda p: p(100, scale=25.0, offset=(55.0, 55.0), noise=2.0),
    "sky of 255": lambda p: p(100, scale=8.0, sky=255.0),
    "sky of 0": lambda p: p(100, scale=8.0, q=0.5, sky=0.0),
    "light below the sky": lambda p: 255 - p(100, scale=8.0, noise=2.0),
    "saturated": lambda p: p(100, scale=12.0, q=0.7, peak=9999.0),
    "two sources": lambda p: np.maximum(
        p(100, scale=5.0, offset=(0.0, -9.0)), p(100, scale=5.0, offset=(0.0, 9.0))
    ),
    "one of four quarters padded": lambda p: np.pad(
        p(60, scale=5.0, noise=2.0), ((60, 0), (60, 0), (0, 0))
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_images_are_measured_or_flagged(paint, name):
    image = np.ascontiguousarray(ODD[name](paint), dtype=np.uint8)
    table = CANONICAL.extract([image])
    assert not table.errors
    assert_sound(table.values[0])
    plain = PLAIN.extract([image]).values[0]
    assert np.isfinite(plain[~ANGLE]).all()
    assert plain[-1] == 0.0


@st.composite
def images(draw):
    """Draw an image of any size, content, memory layout and number of channels."""
    height, width = draw(st.integers(16, 90)), draw(st.integers(16, 90))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["galaxies", "blocks", "noise", "few levels"]))
    image = np.full((height, width, 3), float(draw(st.integers(0, 255))))
    if kind == "galaxies":
        y, x = np.mgrid[:height, :width]
        for _ in range(draw(st.integers(1, 4))):
            cy, cx, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.3, 30.0)
            light = rng.uniform(1, 400) * np.exp(-np.hypot(y - cy, (x - cx) / 0.6) / size)
            image += light[:, :, None] * rng.uniform(0.3, 1.0, 3)
    elif kind == "blocks":
        for _ in range(draw(st.integers(1, 5))):
            top, left = rng.integers(0, height), rng.integers(0, width)
            image[top : top + rng.integers(1, 40), left : left + rng.integers(1, 40)] = (
                rng.integers(0, 256, 3)
            )
    elif kind == "few levels":
        image = rng.choice([0.0, 1.0, 255.0], image.shape, p=rng.dirichlet([1, 1, 1]))
    image += rng.normal(0.0, draw(st.sampled_from([0.0, 0.6, 5.0, 80.0])), image.shape)
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    layout = draw(st.sampled_from(["C", "F", "reversed", "strided", "turned", "grey", "read-only"]))
    if layout == "F":
        return np.asfortranarray(image)
    if layout == "reversed":
        return image[::-1, ::-1, ::-1]
    if layout == "strided":
        return np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)[::2, ::3]
    if layout == "turned":
        return image.transpose(1, 0, 2)
    if layout == "grey":
        return image[:, :, 1]
    if layout == "read-only":
        image.flags.writeable = False
    return image


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(images())
def test_any_image_is_measured_or_flagged(image):
    row = CANONICAL.extract([image]).values[0]
    assert_sound(row)
    np.testing.assert_array_equal(row, CANONICAL.extract([np.array(image)]).values[0])
