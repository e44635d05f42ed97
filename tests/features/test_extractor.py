"""The extractor: a scikit-learn transformer whose result depends on the images alone."""

import pickle

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from galfeat.data import ArrayDataSet, open_dataset, pixel_digest
from galfeat.data.duplicates import sketch
from galfeat.errors import DataError, ImageError
from galfeat.features import DEFAULT_FAMILIES, FeatureExtractor, columns, measure_images
from galfeat.features.table import joined
from galfeat.frame import Flag


@pytest.fixture(scope="module")
def images(paint):
    """Nine galaxies in one array, the sixth blank."""
    rng = np.random.default_rng(1)
    stack = [
        paint(72, scale=rng.uniform(3, 7), q=rng.uniform(0.2, 1), pa=rng.uniform(0, 3), noise=3.0)
        for _ in range(9)
    ]
    stack[5] = np.full_like(stack[0], 17)
    return np.stack(stack)


@pytest.fixture(scope="module")
def values(images):
    return FeatureExtractor().transform(images)


def test_the_table_has_a_row_per_image_and_a_column_per_name(images, values):
    extractor = FeatureExtractor().fit(images)
    names = extractor.get_feature_names_out()
    assert values.dtype == np.float32
    assert values.shape == (9, len(names))
    assert extractor.n_features_out_ == len(names)
    assert names.tolist() == [column.name for column in columns(DEFAULT_FAMILIES)]
    table = extractor.extract(images)
    assert table.names == tuple(names)
    assert [bytes(digest) for digest in table.digests] == [pixel_digest(image) for image in images]


def test_clones_and_pickles_measure_the_same(images):
    extractor = FeatureExtractor(("colour", "shape"), n_jobs=2, batch_size=4)
    expected = extractor.fit_transform(images)
    for same in (clone(extractor), pickle.loads(pickle.dumps(extractor))):
        assert same.get_params() == extractor.get_params()
        np.testing.assert_array_equal(same.fit(images).transform(images), expected)


def test_set_output_and_pipelines(images):
    extractor = FeatureExtractor(("colour",)).set_output(transform="default")
    expected = extractor.fit(images).transform(images)
    assert isinstance(expected, np.ndarray)
    pipeline = make_pipeline(extractor, FunctionTransformer(feature_names_out="one-to-one"))
    np.testing.assert_array_equal(pipeline.fit_transform(images), expected)
    assert list(pipeline.get_feature_names_out()) == list(extractor.get_feature_names_out())


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_to_a_table(images, library):
    pytest.importorskip(library, reason=f"{library} is not installed")
    extractor = FeatureExtractor(("colour",)).set_output(transform=library)
    for given in (images, list(images), images[0], ArrayDataSet(images)):
        frame = extractor.fit_transform(given)
        assert type(frame).__module__.startswith(library)
        assert list(frame.columns) == list(extractor.get_feature_names_out())
        np.testing.assert_array_equal(
            frame.to_numpy(), FeatureExtractor(("colour",)).transform(given)
        )


def test_paths_pictures_and_single_images_give_the_same_bytes(images, values, tmp_path):
    pictures = [Image.fromarray(image) for image in images]
    paths = [tmp_path / f"{row}.png" for row in range(len(images))]
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)
    for source in (paths, [str(path) for path in paths], str(tmp_path), pictures):
        np.testing.assert_array_equal(FeatureExtractor().fit_transform(source), values)
    for source in (paths[2], str(paths[2]), pictures[2], images[2], [images[2]]):
        np.testing.assert_array_equal(FeatureExtractor().fit_transform(source), values[2:3])
        np.testing.assert_array_equal(measure_images(source).values, values[2:3])


@pytest.mark.parametrize("method", ["fit", "transform", "extract"])
def test_anything_but_images_is_a_typed_error(method):
    extractor = FeatureExtractor(("colour",))
    with pytest.raises(DataError, match="the number 5 was given as images; expected a path"):
        getattr(extractor, method)(5)
    with pytest.raises(DataError, match="a list without images"):
        getattr(extractor, method)([])


def test_scikit_learn_knows_that_it_takes_images_and_needs_no_fit():
    tags = FeatureExtractor().__sklearn_tags__()
    assert not tags.requires_fit
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string


def test_arrays_lists_and_data_sets_give_the_same_bytes(images, values, tmp_path):
    np.savez(tmp_path / "galaxies.npz", images=images)
    sources = (list(images), ArrayDataSet(images), open_dataset(tmp_path / "galaxies.npz"))
    for source in sources:
        np.testing.assert_array_equal(FeatureExtractor().transform(source), values)


def test_images_of_several_sizes_do_not_influence_each_other(paint, images, values):
    others = [paint((50, 90), scale=4.0, noise=2.0), paint(200, scale=9.0, noise=2.0)]
    mixed = [others[0], *images[:3], others[1], *images[3:]]
    measured = FeatureExtractor(batch_size=4, n_jobs=2).transform(mixed)
    np.testing.assert_array_equal(measured[[1, 2, 3, 5, 6, 7, 8, 9, 10]], values)


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_results_do_not_depend_on_threads_and_batches(images, values, n_jobs, batch_size):
    extractor = FeatureExtractor(n_jobs=n_jobs, batch_size=batch_size)
    np.testing.assert_array_equal(extractor.transform(images), values)


def test_results_do_not_depend_on_the_order(images, values):
    order = np.random.default_rng(0).permutation(9)
    np.testing.assert_array_equal(
        FeatureExtractor(n_jobs=2).transform(images[order]), values[order]
    )


def test_a_grey_image_is_its_three_equal_channels(images):
    grey = images[0, :, :, 0]
    extractor = FeatureExtractor()
    np.testing.assert_array_equal(
        extractor.transform([grey]), extractor.transform([np.repeat(grey[:, :, None], 3, axis=2)])
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((8, 8, 3), np.uint8), "8×8 pixels"),
        (np.zeros((64, 64, 2), np.uint8), r"shape \(64, 64, 2\)"),
        (np.zeros((64, 64, 3), np.int64), "int64"),
        (np.zeros((0, 64, 3), np.uint8), r"shape \(0, 64, 3\)"),
        (np.full((64, 64, 3), np.nan), "NaN"),
        (np.full((64, 64, 3), 7.5), "float image with values from 7.5"),
    ],
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_invalid_image_is_a_missing_row(images, values, bad, message, n_jobs):
    mixed = [*images[:4], bad, *images[4:]]
    extractor = FeatureExtractor(n_jobs=n_jobs, batch_size=3)
    table = extractor.extract(mixed)
    assert list(table.errors) == [4]
    assert isinstance(table.errors[4], ImageError)
    with pytest.raises(ImageError, match=message):
        raise table.errors[4]
    assert np.isnan(table.values[4, :-1]).all()
    assert table.values[4, -1] == Flag.UNREADABLE
    np.testing.assert_array_equal(np.delete(table.values, 4, axis=0), values)
    with pytest.raises(ImageError, match="1 of the images failed, first row 4: .*" + message):
        extractor.transform(mixed)


def test_a_blank_image_is_not_an_error_but_has_no_values(images, values):
    assert np.isnan(values[5, :-1]).all()
    assert values[5, -1] == Flag.NO_SOURCE
    assert not FeatureExtractor().extract(images).errors


def test_progress_is_called_after_each_batch(images):
    calls = []
    FeatureExtractor(("colour",), batch_size=4).extract(
        images, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(4, 9), (8, 9), (9, 9)]


def test_rows_of_a_table_can_be_chosen(images):
    table = FeatureExtractor(("colour",)).extract([*images[:3], images[0, :8], images[3]])
    chosen = table.select(np.array([4, 3, 0]))
    np.testing.assert_array_equal(chosen.values, table.values[[4, 3, 0]])
    np.testing.assert_array_equal(chosen.digests, table.digests[[4, 3, 0]])
    assert chosen.errors == {1: table.errors[3]}
    assert chosen.names == table.names


def test_parts_of_a_table_are_views_and_joined_again(images):
    table = FeatureExtractor(("colour",)).extract([*images[:3], images[0, :8], images[3]])
    parts = list(table.batches(2))
    assert [len(part.values) for part in parts] == [2, 2, 1]
    assert list(parts[1].errors) == [1]
    assert np.shares_memory(parts[1].values, table.values)
    whole = joined(parts)
    np.testing.assert_array_equal(whole.values, table.values)
    np.testing.assert_array_equal(whole.digests, table.digests)
    assert whole.errors == table.errors
    (empty,) = table.select(np.arange(0)).batches(2)
    assert empty.values.shape == (0, len(table.names))


def test_sketches_depend_on_the_images_alone_and_follow_the_rows(images, tmp_path):
    listed = [tmp_path / f"{number}.png" for number in range(5)]
    for path, image in zip(listed, images[[0, 1, 2, 2, 3]], strict=True):
        Image.fromarray(image).save(path)
    listed[3].write_bytes(b"none")
    table = FeatureExtractor(("colour",)).extract(listed, sketches=True)
    expected = [sketch(image) for image in images[:4]]
    expected.insert(3, np.zeros_like(expected[0]))
    np.testing.assert_array_equal(table.sketches, expected)
    settings = {"n_jobs": 2, "batch_size": 2, "cache": tmp_path / "cache"}
    for _ in range(2):  # the second time from the cache
        again = FeatureExtractor(("colour",), **settings).extract(listed, sketches=True)
        np.testing.assert_array_equal(again.sketches, expected)
    np.testing.assert_array_equal(
        table.select(np.array([4, 0])).sketches, [expected[4], expected[0]]
    )
    parts = list(table.batches(2))
    np.testing.assert_array_equal(joined(parts).sketches, expected)
    without = FeatureExtractor(("colour",)).extract(listed)
    assert without.sketches is None
    assert joined([*parts, without]).sketches is None


def test_all_rows_in_order_are_not_copied(images):
    table = FeatureExtractor(("colour",)).extract(images)
    assert table.select(np.arange(len(images))) is table


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_images_are_measured_in_parts(images, rows):
    extractor = FeatureExtractor(("colour", "shape"), batch_size=4)
    parts = list(extractor.extract_batches(images, rows=rows))
    sizes = {1: [4, 4, 1], 5: [8, 1], 64: [9]}[rows]
    assert [len(part.values) for part in parts] == sizes
    np.testing.assert_array_equal(joined(parts).values, extractor.transform(images))


def test_without_frame_the_whole_image_is_measured(images):
    table = FeatureExtractor(frame=False).extract(images)
    expected = [Flag.ONE_BAND if row == 5 else 0 for row in range(9)]  # the blank one
    assert table.values[:, -1].tolist() == expected
    named = dict(zip(table.names, table.values.T, strict=True))
    np.testing.assert_array_equal(named["shape.neighbours.number.z0"], 0.0)
    np.testing.assert_array_equal(named["shape.companion.distance"], 9.0)
    assert (named["shape.axis_ratio"] == 1.0).all()


def test_an_empty_data_set_is_an_empty_table(images):
    table = FeatureExtractor(("colour",)).extract(ArrayDataSet(images).select([]))
    assert table.values.shape == (0, len(table.names))
    assert not table.errors


def test_without_families_images_are_read_and_digested_only(paint):
    images = [paint(40), np.zeros((4, 4, 3), np.uint8)]
    table = FeatureExtractor(()).extract(images)
    assert table.names == ("flags",)
    assert list(table.errors) == [1]
    assert table.values[0] == 0
    assert table.digests[0].tobytes() == pixel_digest(images[0])
