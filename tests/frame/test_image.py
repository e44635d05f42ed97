"""Validation of images: accepted inputs and error messages."""

import numpy as np
import pytest

from galfeat.errors import ImageError
from galfeat.frame import as_rgb, measure_frame, whole_image_frame

NAN = np.full((64, 64, 3), np.nan)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((3, 64, 64), np.uint8), r"shape \(3, 64, 64\)"),
        (np.zeros((64, 64, 4), np.uint8), r"shape \(64, 64, 4\)"),
        (np.zeros((2, 64, 64, 3), np.uint8), r"shape \(2, 64, 64, 3\)"),
        (np.zeros(64, np.uint8), r"shape \(64,\)"),
        (np.uint8(3), r"shape \(\)"),
        ([], r"shape \(0,\)"),
        (np.zeros((64, 64, 3)), "dtype float64"),
        (NAN, "dtype float64"),
        (NAN.astype(np.float32), "dtype float32"),
        (np.zeros((64, 64), np.uint16), "dtype uint16"),
        (np.zeros((64, 64, 3), bool), "dtype bool"),
        (np.zeros((64, 64, 3), object), "dtype object"),
        (np.zeros((0, 0, 3), np.uint8), "0×0 pixels"),
        (np.zeros((0, 64), np.uint8), "0×64 pixels"),
        (np.zeros((15, 400, 3), np.uint8), "15×400 pixels"),
        (np.zeros((400, 15), np.uint8), "400×15 pixels"),
    ],
)
def test_invalid_images_raise_a_helpful_error(image, found):
    for take in (as_rgb, measure_frame, whole_image_frame):
        with pytest.raises(ImageError, match=found + ".*; expected .*: (pass|stretch|cut) "):
            take(image)


def test_grey_becomes_three_equal_channels():
    grey = np.arange(400, dtype=np.uint8).reshape(20, 20)
    rgb = as_rgb(grey)
    assert rgb.shape == (20, 20, 3)
    for channel in range(3):
        np.testing.assert_array_equal(rgb[:, :, channel], grey)


def test_the_memory_layout_does_not_matter(paint):
    image = paint(64, q=0.6, pa=0.4, noise=2.0)
    plain = measure_frame(image)
    spaced = np.zeros((128, 192, 3), np.uint8)
    spaced[::2, ::3] = image
    locked = image.copy()
    locked.flags.writeable = False
    layouts = {
        "Fortran": np.asfortranarray(image),
        "turned twice": np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1],
        "every other": spaced[::2, ::3],
        "channels first": np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0),
        "channels reversed": np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1],
        "read-only": locked,
    }
    for name, same in layouts.items():
        np.testing.assert_array_equal(as_rgb(same), image, err_msg=name)
        frame = measure_frame(same)
        assert (frame.yc, frame.xc, frame.q, frame.pa) == (plain.yc, plain.xc, plain.q, plain.pa)
        np.testing.assert_array_equal(frame.context[0].light, plain.context[0].light)


def test_the_callers_image_is_left_alone(paint):
    image = paint(64, noise=2.0)
    before = image.copy()
    frame = measure_frame(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(frame.rgb, before)


@pytest.mark.parametrize("shape", [(16, 16), (16, 600), (301, 17)])
def test_the_smallest_and_the_longest_images_are_measured(paint, shape):
    frame = measure_frame(paint(shape, scale=2.5))
    row, column = frame.origin  # far from the galaxy the painted sky is flat, like padding
    assert abs(row + frame.yc - 0.5 * (shape[0] - 1)) < 0.5
    assert abs(column + frame.xc - 0.5 * (shape[1] - 1)) < 0.5
