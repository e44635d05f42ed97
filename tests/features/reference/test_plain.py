"""Features of the plain pipelines: scikit-image's HOG and small pixels."""

import numpy as np
from skimage.color import rgb2gray
from skimage.feature import hog

from galfeat.features.reference import skimage_hog
from galfeat.features.reference.pixels import PIXELS_32
from galfeat.frame import whole_image_frame


def test_skimage_hog_is_that_of_the_whole_grey_image(paint):
    image = paint(128, scale=9.0, q=0.6, noise=3.0)
    expected = hog(rgb2gray(image), 9, (16, 16), (2, 2), block_norm="L2-Hys")
    values = skimage_hog.measure(whole_image_frame(image))
    np.testing.assert_allclose(values, expected, atol=1e-6)
    names = [column.name for column in skimage_hog.COLUMNS]
    blocks = expected.reshape(7, 7, 2, 2, 9)
    assert values[names.index("skimage-hog.b3x1.c0x1.o6")] == np.float32(blocks[3, 1, 0, 1, 6])


def test_pixels_are_means_of_the_image():
    small = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image = np.repeat(np.repeat(small, 3, axis=0), 3, axis=1)
    values = PIXELS_32.measure(whole_image_frame(image))
    np.testing.assert_array_equal(values, small.ravel())
    names = [column.name for column in PIXELS_32.COLUMNS]
    assert values[names.index("pixels.y3x9.green")] == small[3, 9, 1]


def test_both_take_images_of_any_size(paint):
    for shape in ((16, 16), (16, 200), (301, 77)):
        frame = whole_image_frame(paint(shape, scale=4.0))
        for family in (PIXELS_32, skimage_hog):
            values = family.measure(frame)
            assert values.shape == (len(family.COLUMNS),)
            assert np.isfinite(values).all()
