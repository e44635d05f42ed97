"""Near-identical images, rows of one position, and conflicting labels."""

import io

import numpy as np
import pytest
from PIL import Image

from galfeat.data import pixel_digest
from galfeat.data.duplicates import copies_among, find_groups, fingerprints, near_identical, sketch
from galfeat.data.simulation import simulate

RENDERINGS = ("legacy", "sdss")


@pytest.fixture(scope="module", params=RENDERINGS)
def galaxies(request):
    """Different galaxies, of all classes, in one rendering."""
    return simulate(300, seed=31, rendering=request.param).images


def encoded(image, quality):
    """Return an image after compression as JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def scaled(image, side):
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))


COPIES = {
    "quality 95": lambda image: encoded(image, 95),
    "quality 75": lambda image: encoded(image, 75),
    "quality 50": lambda image: encoded(image, 50),
    "half the size": lambda image: scaled(image, image.shape[0] // 2),
    "larger": lambda image: scaled(image, 424),
    "very large": lambda image: scaled(image, 1500),
    "turned": np.rot90,
    "turned twice": lambda image: image[::-1, ::-1],
    "mirrored": lambda image: image[:, ::-1],
    "transposed, smaller and compressed": lambda image: encoded(
        scaled(image.transpose(1, 0, 2), 160), 80
    ),
}


def sketches_of(images):
    return np.stack([sketch(np.ascontiguousarray(image)) for image in images])


def digests_of(images):
    return np.array([np.frombuffer(pixel_digest(image), np.uint8) for image in images])


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_copies_are_found_and_different_galaxies_are_not(galaxies, change):
    copied = np.arange(0, 300, 6)
    sketches = sketches_of([*galaxies, *(change(galaxies[row]) for row in copied)])
    pairs, correlations = near_identical(sketches)
    found = {tuple(pair) for pair in pairs.tolist()}
    planted = {(int(row), 300 + number) for number, row in enumerate(copied)}
    assert found <= planted
    assert len(found) >= 0.98 * len(planted)
    assert correlations.min() >= 0.5


def test_fingerprints_recognise_copies_and_no_other_galaxies(galaxies):
    known = fingerprints(sketches_of(galaxies[:200]))
    assert known.shape == (200, 184)
    others = fingerprints(sketches_of(galaxies[200:]))
    assert not copies_among(others, known).any()
    for name, change in COPIES.items():
        copies = fingerprints(sketches_of([change(image) for image in galaxies[:200:5]]))
        assert copies_among(copies, known).mean() >= 0.95, name


def test_fingerprints_of_images_without_structure_match_nothing():
    blank = fingerprints(sketches_of([np.full((64, 64, 3), 32, np.uint8)] * 2))
    assert not blank.any()
    assert not copies_among(blank, blank).any()
    assert copies_among(blank[:0], blank).shape == (0,)


def test_the_sketch_turns_with_the_image(galaxies):
    first, turned = sketches_of([galaxies[0], np.rot90(galaxies[0])])
    levels = first[:1024].view(np.int8).reshape(32, 32).astype(int)
    difference = np.rot90(levels) - turned[:1024].view(np.int8).reshape(32, 32)
    assert np.abs(difference).max() <= 1


def test_real_galaxies_are_all_different(real_images):
    from galfeat import open_dataset

    dataset = open_dataset(real_images / "galaxyzoo-sdss")
    rows = np.arange(0, len(dataset), 6)
    sketches = sketches_of(dataset.read(rows))
    pairs, _ = near_identical(sketches)
    assert pairs.tolist() == []
    copies = sketches_of([encoded(scaled(image, 256), 75) for image in dataset.read(rows[::10])])
    pairs, _ = near_identical(np.concatenate([sketches, copies]))
    planted = [[10 * number, len(rows) + number] for number in range(len(copies))]
    assert pairs.tolist() == planted


def test_images_without_structure_are_compared_by_pixels_only():
    y, x = np.mgrid[-32:32, -32:32]
    smooth = [(20 + 200 * np.exp(-np.hypot(x, 4 * y) / size)).astype(np.uint8) for size in (5, 5.2)]
    blank = [np.full((64, 64), level, np.uint8) for level in (32, 32, 33)]
    images = [np.repeat(image[..., None], 3, axis=2) for image in [*smooth, *blank]]
    grouping = find_groups(digests_of(images), sketches_of(images))
    assert grouping.groups.tolist() == ["0", "1", "2", "2", "3"]
    assert (grouping.equal, len(grouping.pairs)) == (1, 0)


def test_crowds_of_equal_and_of_similar_images_are_one_group(galaxies):
    equal = np.repeat(sketches_of(galaxies[:1]), 2000, axis=0)
    similar = equal.copy()
    similar[:, :16] ^= np.random.default_rng(0).integers(0, 2, (2000, 16), dtype=np.uint8)
    other = sketches_of(galaxies[1:2])
    pairs, _ = near_identical(np.concatenate([equal, similar, other]))
    assert len(pairs) < 2 * 4000  # pairs grow with the rows, not with their square
    assert pairs.max() < 4000
    digests = np.random.default_rng(1).integers(0, 256, (4001, 16), dtype=np.uint8)
    grouping = find_groups(digests, np.concatenate([equal, similar, other]))
    assert set(grouping.groups[:4000]) == {"0"}
    assert grouping.groups[4000] == "1"


@pytest.mark.parametrize("n", [0, 1])
def test_no_or_one_image_has_no_pairs(n):
    sketches = np.zeros((n, 1216), np.uint8)
    assert near_identical(sketches)[0].shape == (0, 2)
    grouping = find_groups(np.zeros((n, 16), np.uint8), sketches, labels=np.zeros(n, int))
    assert grouping.groups.tolist() == ["0"][:n]


def test_unreadable_images_are_not_copies_of_each_other():
    grouping = find_groups(np.zeros((3, 16), np.uint8), labels=np.array([0, 1, 2]))
    assert grouping.copies.tolist() == [0, 1, 2]
    assert not grouping.conflicting.any()


def test_groups_positions_and_pixels_are_joined():
    digests = np.array([[1], [2], [3], [4], [4], [5]], np.uint8).repeat(16, axis=1)
    ra = np.array([10, 10 + 1.5 / 3600, 40, np.nan, np.nan, 10 + 60 / 3600])
    grouping = find_groups(
        digests,
        groups=np.array(["", "x", "", "x", "", ""]),
        ra=ra,
        dec=np.zeros(6),
        labels=np.array([0, 0, 0, 1, 2, 0]),
    )
    # Rows 0 and 1 by position, 1 and 3 by group, 3 and 4 by pixels.
    assert grouping.groups.tolist() == ["0", "0", "1", "0", "0", "2"]
    assert (grouping.equal, grouping.same_position, grouping.same_group) == (1, 1, 1)
    assert grouping.joined
    # A group may have several classes, a galaxy may not.
    assert [rows.tolist() for rows in grouping.conflicts()] == [[3, 4]]


def test_unlabelled_copies_contradict_nothing():
    digests = np.ones((4, 16), np.uint8)
    assert not find_groups(digests, labels=np.array([-1, 3, 3, -1])).conflicting.any()
    conflicting = find_groups(digests, labels=np.array([-1, 3, 4, -1])).conflicting
    assert conflicting.tolist() == [False, True, True, False]


def test_given_groups_alone_change_nothing():
    digests = np.arange(64, dtype=np.uint8).reshape(4, 16)
    assert not find_groups(digests, groups=np.array(["a", "b", "a", ""])).joined
    assert not find_groups(digests).joined
