"""The same galaxy turned, padded, cropped, dimmed and encoded again: the same features.

Differences are in standard deviations of a column over a population, averaged over galaxies:
one number per column. Of these numbers the median, the 95th percentile and the largest are
held to the bounds in `CHANGES`. Two galaxies taken at random differ by 1.1.
"""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import rotate

from galfeat.data import open_dataset
from galfeat.features import FeatureExtractor, columns
from galfeat.features.registry import OWN_FAMILIES
from galfeat.frame import Flag, measure_frame

COLUMNS = columns(OWN_FAMILIES)
NAMES = np.array([column.name for column in COLUMNS])
INVARIANT = np.array([column.invariant and not column.survey_bound for column in COLUMNS])
EXTRACTOR = FeatureExtractor(OWN_FAMILIES, n_jobs=2)


def pad_with_sky(image):
    """Widen an image by 24 pixels of its own sky on each side."""
    frame = measure_frame(image)
    height, width, _ = image.shape
    rng = np.random.default_rng(0)
    wide = rng.normal(frame.sky[0], frame.sky[1], (height + 48, width + 48, 3))
    wide[24:-24, 24:-24] = image
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def as_jpeg(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=95)
    return np.asarray(Image.open(stream).convert("RGB"))


def dimmed(image):
    """Return the image with seven tenths of its light above the sky, and of its noise."""
    sky = measure_frame(image).sky[0]
    return np.clip(np.rint(sky + 0.7 * (image - sky)), 0, 255).astype(np.uint8)


def turned(image):
    """Turn an image by 30 degrees about its middle; its corners fall out of the frame."""
    return rotate(image, 30.0, reshape=False, order=1, mode="mirror")


def halved(image):
    """Return an image at half resolution."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    parts = image[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return np.rint(parts.mean(axis=(1, 3))).astype(np.uint8)


#: What is done to an image, and the bounds: median, 95th percentile, largest.
#: Measured on 40 simulated galaxies and on 30 real ones of the SDSS, the larger of both:
CHANGES = {
    # 0.002, 0.030, 0.13
    "quarter turn": (np.rot90, (0.01, 0.06, 0.25)),
    "half turn": (lambda image: image[::-1, ::-1], (0.01, 0.06, 0.25)),
    "mirror": (lambda image: image[:, ::-1], (0.01, 0.06, 0.25)),
    "transpose": (lambda image: image.transpose(1, 0, 2), (0.01, 0.06, 0.25)),
    # nothing at all
    "padded with zeros": (
        lambda image: np.pad(image, ((20, 20), (20, 20), (0, 0))), (1e-6, 1e-6, 1e-6),
    ),
    # 0.103, 0.293, 0.57: the sky is measured on other pixels
    "padded with sky": (pad_with_sky, (0.15, 0.42, 0.85)),
    # 0.056, 0.262, 0.56
    "cropped by one pixel": (lambda image: image[1:-1, 1:-1], (0.09, 0.38, 0.8)),
    # 0.080, 0.249, 0.58
    "cropped to another format": (lambda image: image[20:-20], (0.12, 0.38, 0.85)),
    # 0.067, 0.258, 0.47: JPEG smooths the noise
    "JPEG of quality 95": (as_jpeg, (0.1, 0.38, 0.75)),
    # 0.068, 0.236, 0.59: the levels are fewer
    "seven tenths of the light": (dimmed, (0.1, 0.36, 0.85)),
    # 0.143, 0.382, 0.91: turned noise is smoother
    "any angle": (turned, (0.2, 0.55, 1.2)),
    # 0.299, 0.606, 0.83
    "half resolution": (halved, (0.4, 0.8, 1.1)),
}  # fmt: skip
#: These move the pixels and change none; a flag may, where a number lies on its threshold.
EXACT = ("quarter turn", "half turn", "mirror", "transpose")


def compare(images, before, deviation, change, *, exact):
    """Return the median, 95th percentile and largest mean difference of the columns."""
    change, _ = CHANGES[change]
    after = EXTRACTOR.extract([np.ascontiguousarray(change(image)) for image in images]).values
    changed_flags = (after[:, -1] != before[:, -1]).sum()
    assert changed_flags <= (1 if exact else 0.1 * len(images))
    usable = INVARIANT & (deviation > 0.0)
    with np.errstate(invalid="ignore"):
        differences = np.abs(after - before)[:, usable] / deviation[usable]
    mean = np.nanmean(differences, axis=0)
    return np.median(mean), np.percentile(mean, 95), mean.max()


@pytest.fixture(scope="module")
def simulated_galaxies(population):
    """Forty simulated galaxies, their features and the features' deviations over 100."""
    images = population[0].images
    values = EXTRACTOR.extract(images).values
    rows = np.concatenate([10 * np.arange(10) + k for k in range(4)])
    return images[rows], values[rows], np.nanstd(values, axis=0)


@pytest.mark.parametrize("change", CHANGES)
def test_simulated_galaxies_keep_their_features(simulated_galaxies, change):
    images, before, deviation = simulated_galaxies
    found = compare(images, before, deviation, change, exact=change in EXACT)
    assert np.less(found, CHANGES[change][1]).all(), found


@pytest.fixture(scope="module")
def real_galaxies(real_images):
    """Thirty real galaxies, their features and the features' deviations over 120."""
    data = open_dataset(real_images / "galaxyzoo-sdss", label="class_id").labelled()
    images = data.read(np.linspace(0, len(data) - 1, 120).astype(int))
    values = EXTRACTOR.extract(images).values
    return images[::4], values[::4], np.nanstd(values, axis=0)


@pytest.mark.parametrize("change", CHANGES)
def test_real_galaxies_keep_their_features(real_galaxies, change):
    images, before, deviation = real_galaxies
    found = compare(images, before, deviation, change, exact=change in EXACT)
    assert np.less(found, CHANGES[change][1]).all(), found


def test_no_column_is_constant(simulated_galaxies):
    _, _, deviation = simulated_galaxies
    assert (deviation[INVARIANT] > 1e-4).all(), NAMES[INVARIANT & (deviation <= 1e-4)]


def test_the_position_angle_turns_with_the_image_and_the_size_stays(population):
    simulated, table = population
    flags = table.values[:, -1].astype(int)
    rows = np.flatnonzero((flags & (Flag.ROUND | Flag.BLENDED | Flag.NO_SOURCE)) == 0)[::4]
    column = NAMES.tolist().index("shape.position_angle")
    size = NAMES.tolist().index("shape.r50")
    turned = EXTRACTOR.extract([np.rot90(simulated.images[row]).copy() for row in rows]).values
    difference = turned[:, column] - table.values[rows, column]
    np.testing.assert_allclose(np.abs(np.cos(difference)), 0.0, atol=0.02)
    np.testing.assert_allclose(turned[:, size], table.values[rows, size], rtol=0.02)


def test_features_do_not_depend_on_file_format_and_name(population, tmp_path):
    simulated, table = population
    plain = FeatureExtractor()
    for row, name in ((3, "a.png"), (44, "merging.tif"), (77, "zzz.tiff"), (98, "0.PNG")):
        path = tmp_path / name
        Image.fromarray(simulated.images[row]).save(path)
        values = plain.extract(open_dataset([path])).values
        np.testing.assert_array_equal(values[0], table.values[row])


def test_a_wide_canvas_of_sky_hardly_changes_what_is_measured(paint):
    """Four times the pixels, the same galaxy."""
    small = paint(100, scale=6.0, q=0.6, pa=0.5, noise=3.0)
    large = np.random.default_rng(9).normal(20.0, 3.0, (200, 240, 3))
    large[50:150, 70:170] = small
    one, other = (
        measure_frame(np.clip(np.rint(i), 0, 255).astype(np.uint8)) for i in (small, large)
    )
    assert other.radius == pytest.approx(one.radius, rel=0.03)
    assert other.q == pytest.approx(one.q, abs=0.01)
    assert other.pa == pytest.approx(one.pa, abs=0.02)
    assert other.flags == one.flags
