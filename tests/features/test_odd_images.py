"""Whatever is in an image, its features are finite, or missing for a reason that is stated."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galfeat.features import FAMILIES, FeatureExtractor, columns
from galfeat.features.registry import COLOUR_COLUMNS
from galfeat.frame import Flag

#: Those that need nothing but galfeat itself.
OWN = tuple(name for name in FAMILIES if name != "statmorph")
COLUMNS = columns(OWN)
NAMES = [column.name for column in COLUMNS]
CANONICAL = FeatureExtractor(OWN)
PLAIN = FeatureExtractor(OWN, frame=False)
DEPROJECTED = np.array([".deprojected." in name for name in NAMES])
ANGLE = np.array([name == "shape.position_angle" for name in NAMES])
COLOUR = np.array([bool(re.match(COLOUR_COLUMNS, name)) for name in NAMES])
MAY_LACK = np.array(["NaN" in column.degenerate for column in COLUMNS]) | DEPROJECTED | ANGLE


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
    assert not (missing & ~MAY_LACK).any(), np.array(NAMES)[missing & ~MAY_LACK]
    assert flags or not missing.any(), np.array(NAMES)[missing]
    assert (missing[DEPROJECTED] == bool(flags & (Flag.EDGE_ON | Flag.BLENDED))).all()
    assert (missing[COLOUR] == (Flag.ONE_BAND in flags)).all()
    assert (missing[ANGLE] == (Flag.ROUND in flags)).all()


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
    assert np.isfinite(plain[~MAY_LACK]).all()
    one_band = (image == image[:, :, :1]).all()
    assert plain[-1] == (Flag.ONE_BAND if one_band else 0)
    assert (np.isnan(plain[COLOUR]) == one_band).all()


SIZES = st.integers(16, 90)
LARGE = st.sampled_from([255, 256, 257, 511, 1000, 1024])


def galaxy(rng, shape, centre, size):
    """Return the light of a flat, coloured galaxy."""
    y, x = np.indices(shape)
    light = rng.uniform(1, 300) * np.exp(-np.hypot(y - centre[0], (x - centre[1]) / 0.6) / size)
    return light[:, :, None] * rng.uniform(0.3, 1.0, 3)


def add_galaxies(image, rng, least, most, spread=0.15):
    """Add galaxies about the middle, by the spread in units of the image's sides."""
    shape = np.array(image.shape[:2])
    for _ in range(rng.integers(least, most + 1)):
        centre = rng.normal(0.5, spread, 2) * shape
        image += galaxy(rng, shape, centre, rng.uniform(0.3, 0.3 * shape.max()))


def add_blocks(image, rng):
    """Put rectangles of one colour anywhere."""
    for _ in range(rng.integers(1, 6)):
        top, left = (rng.integers(0, side) for side in image.shape[:2])
        image[top : top + rng.integers(1, 40), left : left + rng.integers(1, 40)] = rng.integers(
            0, 256, 3
        )


def add_pixel(image, rng):
    """Light a single pixel."""
    image[tuple(rng.integers(0, image.shape[:2]))] = rng.integers(0, 256, 3)


def replace_by_levels(image, rng):
    """Leave black, white, and almost black, in any shares."""
    image[:] = rng.choice([0.0, 1.0, 255.0], image.shape, p=rng.dirichlet([1, 1, 1]))


CONTENTS = {
    "two sources": lambda image, rng: add_galaxies(image, rng, 2, 2),
    "several sources": lambda image, rng: add_galaxies(image, rng, 1, 5),
    "off the edge": lambda image, rng: add_galaxies(image, rng, 1, 1, spread=0.4),
    "saturated": lambda image, rng: add_galaxies(image, rng, 20, 40),
    "one galaxy": lambda image, rng: add_galaxies(image, rng, 1, 1, spread=0.01),
    "blocks": add_blocks,
    "one pixel": add_pixel,
    "few levels": replace_by_levels,
    "blank": lambda image, rng: None,  # but for the noise
}


@st.composite
def images(draw, sizes=SIZES):
    """Draw an image of any size and content: uint8, (H, W, 3)."""
    shape = draw(sizes), draw(sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = np.full((*shape, 3), float(draw(st.sampled_from([3, 32, 0, 120, 255]))))
    CONTENTS[draw(st.sampled_from(list(CONTENTS)))](image, rng)
    image += rng.normal(0.0, draw(st.sampled_from([0.0, 0.6, 5.0, 30.0])), image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def spaced(image):
    """Return the image as every second row and third column of a larger array."""
    return np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)[::2, ::3]


def read_only(image):
    """Return the image as Pillow and memory maps give it."""
    image = image.copy()
    image.flags.writeable = False
    return image


LAYOUTS = {
    "columns first": np.asfortranarray,
    "backwards": lambda image: np.ascontiguousarray(image[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
    "every other": spaced,
    "planes": lambda image: np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0),
    "with alpha": lambda image: np.dstack([image, image[:, :, :1]])[:, :, :3],
    "read-only": read_only,
    "uint16": lambda image: image.astype(np.uint16) * 257,
    "other byte order": lambda image: (image.astype(np.uint16) * 257).astype(">u2"),
    "float32 of other byte order": lambda image: (image.astype(np.float32) / 255).astype(">f4"),
    "float32": lambda image: image.astype(np.float32) / 255,
    "float64, every other": lambda image: spaced(image / 255.0),
}


@given(images())
@settings(max_examples=300)
def test_any_image_is_measured_or_flagged(image):
    table = CANONICAL.extract([image])
    assert not table.errors
    assert_sound(table.values[0])


@given(images(LARGE))
@settings(max_examples=15)
def test_any_large_image_is_measured_or_flagged(image):
    assert_sound(CANONICAL.extract([image]).values[0])


@given(images(st.integers(16, 60)), st.sampled_from(sorted(LAYOUTS)))
@settings(max_examples=100)
def test_an_image_measures_the_same_in_any_layout_and_type(image, layout):
    expected = CANONICAL.extract([image])
    found = CANONICAL.extract([LAYOUTS[layout](image)])
    assert found.values.tobytes() == expected.values.tobytes()
    assert found.digests.tobytes() == expected.digests.tobytes()


@given(images(st.integers(16, 60)))
@settings(max_examples=20)
def test_a_grey_image_measures_as_its_three_equal_channels(image):
    grey = image[:, :, 1]  # every third byte of the colour image
    expected = CANONICAL.extract([np.dstack([grey] * 3)]).values
    assert CANONICAL.extract([grey]).values.tobytes() == expected.tobytes()
    assert CANONICAL.extract([grey[:, :, None]]).values.tobytes() == expected.tobytes()


@given(images(), st.sampled_from([np.int8, np.int64, np.complex64, np.bool_, object, "U1"]))
@settings(max_examples=12)
def test_an_invalid_type_is_an_error_of_its_row(image, dtype):
    table = CANONICAL.extract([image, image.astype(dtype)])
    assert list(table.errors) == [1]
    assert_sound(table.values[0])
    assert np.isnan(table.values[1, :-1]).all()
    assert Flag(int(table.values[1, -1])) == Flag.UNREADABLE
