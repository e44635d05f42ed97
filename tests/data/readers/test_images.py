"""Images in every form in which Python has them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat.data import ArrayDataSet, as_dataset, open_dataset
from galfeat.errors import DataError, ImageError


def picture(height=20, width=24, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def files(tmp_path):
    """Three PNG files of several sizes and their pixels."""
    images = [picture(20 + row, 24, row) for row in range(3)]
    paths = [tmp_path / f"galaxy{row}.png" for row in range(3)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    return paths, images


def assert_images(data, expected):
    found = data.read(np.arange(len(data)))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", [str, Path, np.str_, np.array])
def test_one_path_is_one_image(files, kind):
    paths, images = files
    assert_images(as_dataset(kind(str(paths[1]))), images[1:2])


def test_a_path_is_whatever_open_dataset_takes(files, tmp_path):
    _, images = files
    np.savez(tmp_path / "stack.npz", images=images[0][None], ans=["spiral"])
    for source, expected in (
        (str(tmp_path), images),
        (tmp_path / "*.png", images),
        (tmp_path / "stack.npz", images[:1]),
    ):
        data = as_dataset(source)
        assert_images(data, expected)
        assert data.ids.tolist() == open_dataset(source).ids.tolist()
    assert as_dataset(tmp_path / "stack.npz").class_names == ("spiral",)


@pytest.mark.parametrize(
    "column",
    [list, tuple, lambda paths: np.array([str(path) for path in paths]),
     lambda paths: np.array(paths, dtype=object)],
)  # fmt: skip
def test_several_paths_keep_their_order(files, column):
    paths, images = files
    data = as_dataset(column(paths[::-1]))
    assert_images(data, images[::-1])
    assert data.ids.tolist() == [str(path) for path in paths[::-1]]


def test_a_column_of_paths_of_a_pandas_table(files):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    paths, images = files
    table = pandas.DataFrame({"path": [str(path) for path in paths]}, index=[7, 8, 9])
    assert_images(as_dataset(table["path"]), images)
    assert_images(as_dataset(table["path"].astype(object)), images)
    with pytest.raises(DataError, match=r"a table .* pass its column of image paths"):
        as_dataset(table)
    with pytest.raises(DataError, match="item 1 is the number nan; expected a path"):
        as_dataset(pandas.Series([str(paths[0]), np.nan], dtype=object))


def test_a_column_of_paths_of_a_polars_table(files):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    paths, images = files
    table = polars.DataFrame({"path": [str(path) for path in paths]})
    assert_images(as_dataset(table["path"]), images)
    with pytest.raises(DataError, match=r"a table .* pass its column of image paths"):
        as_dataset(table)


def test_one_array_is_one_image():
    rgb = picture()
    grey = np.repeat(rgb[:, :, :1], 3, axis=2)
    assert_images(as_dataset(rgb), [rgb])
    assert_images(as_dataset(rgb[:, :, 0]), [grey])
    assert_images(as_dataset(rgb[:, :, :1]), [grey])
    assert as_dataset(rgb).ids.tolist() == ["0"]


def test_stacks_and_lists_of_arrays():
    stack = np.stack([picture(seed=seed) for seed in range(4)])
    assert_images(as_dataset(stack), stack)
    assert_images(as_dataset(list(stack)), stack)
    assert_images(as_dataset([stack[0], stack[1, :16]]), [stack[0], stack[1, :16]])
    grey = stack[:, :, :, 0]
    assert_images(as_dataset(grey), [np.repeat(one[:, :, None], 3, axis=2) for one in grey])


def test_channels_may_come_first():
    stack = np.stack([picture(seed=seed) for seed in range(2)])
    first = np.moveaxis(stack, -1, 1)
    assert_images(as_dataset(first), stack)
    assert_images(as_dataset(list(first)), stack)
    assert_images(as_dataset(first[0][np.newaxis]), stack[:1])
    grey = np.repeat(first[0, 0][:, :, None], 3, axis=2)
    assert_images(as_dataset(first[:1, :1]), [grey])
    assert_images(as_dataset(first[0, :1]), [grey])
    assert_images(as_dataset(list(first[0])), [np.repeat(p[..., None], 3, 2) for p in first[0]])


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
def test_floats_may_be_in_0_to_255(dtype):
    stack = np.stack([picture(seed=seed) for seed in range(4)])
    dark = np.stack([*stack, stack[0] // 200])  # one image of at most 1
    assert_images(as_dataset(dark.astype(dtype)), dark)
    assert_images(as_dataset(list(dark.astype(dtype))), dark)
    assert_images(as_dataset((stack / 255).astype(dtype)), stack)
    assert_images(as_dataset([stack[0], stack[1].astype(dtype)]), stack[:2])


@pytest.mark.parametrize(
    ("low", "high"), [(0, 100), (-1, 200), (0, 256), (-0.1, 1), (0, 1.1), (0, 4000)]
)
def test_floats_of_another_scale_are_errors_of_their_rows(low, high):
    values = np.linspace(low, high, 20 * 24).reshape(1, 20, 24)
    (found,) = as_dataset(values).read([0])
    assert isinstance(found, ImageError)
    assert f"values from {low:g} to {high:g}; expected 0 to 1 or 0 to 255" in str(found)


def test_a_data_set_is_returned_as_it_is():
    data = ArrayDataSet([picture()])
    assert as_dataset(data) is data


def test_what_a_data_set_read_is_a_list_of_images_and_errors(files):
    paths, images = files
    paths[1].write_bytes(b"no image")
    again = as_dataset(as_dataset(paths).read([0, 1, 2])).read([0, 1, 2])
    np.testing.assert_array_equal(again[2], images[2])
    assert isinstance(again[1], ImageError)
    assert "galaxy1.png" in str(again[1])


def in_mode(mode):
    rgb = Image.fromarray(picture())
    if mode.startswith("I"):
        deep = np.random.default_rng(1).integers(0, 65535, (20, 24)).astype(np.uint16)
        return Image.fromarray(deep if mode == "I;16" else deep.astype(np.int32))
    if mode == "F":
        return Image.fromarray(np.random.default_rng(1).random((20, 24)).astype(np.float32))
    if mode == "P":
        return rgb.quantize(16)
    if mode in ("RGBA", "LA"):
        layer = rgb.convert(mode)
        layer.putalpha(Image.fromarray(picture(seed=1)[:, :, 0]))
        return layer
    return rgb.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_a_picture_has_the_pixels_of_its_file(tmp_path, mode):
    original = in_mode(mode)
    assert original.mode == mode
    original.save(tmp_path / "a.tif")
    expected = open_dataset(tmp_path / "a.tif").read([0])
    assert_images(as_dataset(original), expected)
    with Image.open(tmp_path / "a.tif") as opened:
        assert_images(as_dataset([opened]), expected)


def test_exif_orientation_of_a_picture_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    Image.fromarray(picture()).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        assert_images(as_dataset(opened), [np.rot90(picture(), -1)])


def test_a_damaged_picture_is_an_error_in_its_row():
    file = io.BytesIO()
    Image.fromarray(picture(200, 200)).save(file, "JPEG")
    half = Image.open(io.BytesIO(file.getvalue()[: len(file.getvalue()) // 2]))
    good, bad = as_dataset([Image.fromarray(picture()), half]).read([0, 1])
    np.testing.assert_array_equal(good, picture())
    assert isinstance(bad, ImageError)
    assert "cannot be decoded" in str(bad)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, "None was given as images; expected a path"),
        (5, "the number 5 was given as images"),
        (np.float64(2.0), r"the number 2\.0 was given"),
        (np.array(5), r"an array of shape \(\) and type int64 was given"),
        ({"a": 1}, "type dict .* pass its values as a list"),
        ({"a.png"}, "type set .* make a list of it"),
        ((path for path in ["a.png"]), "type generator .* make a list of it"),
        (b"\x89PNG", r"type bytes .* PIL\.Image\.open\(io\.BytesIO"),
        ([], "a list without images was given; expected a path"),
        ((), "a tuple without images was given"),
        (np.array([], dtype=object), "a list without images was given"),
        ([1, 2, 3], "item 0 is the number 1; expected a path"),
        ([None], "item 0 is None; expected"),
        ([b"\x89PNG"], r"item 0 is an object of type bytes; .* PIL\.Image\.open"),
        ([[[0, 1], [2, 3]]], r"item 0 is an object of type list; .* numpy\.asarray"),
        (["a.png", picture()], "item 0 is an object of type str and item 1 .* ndarray; expected"),
        ([picture(), Image.new("L", (20, 20))], "item 0 is .* ndarray and item 1 is .* Image"),
        ("nowhere.png", r"found neither a data set nor images at nowhere\.png; expected"),
        (["nowhere.png"], r"found neither a data set nor images at nowhere\.png; expected"),
        ("", "a path is empty; expected"),
        ("a\0b.png", "found neither a data set nor images"),
        ("x" * 5000, "cannot be opened|found neither a data set nor images"),
        (np.arange(5), r"an array of shape \(5,\) and type int64 was given as images"),
        (np.zeros((0, 20, 20, 3), np.uint8), "holds no image; expected at least one"),
        (np.zeros((2, 2, 20, 20, 3), np.uint8), r"shape \(2, 2, 20, 20, 3\); expected"),
        (np.zeros((2, 4, 20, 20), np.uint8), r"shape \(4, 20, 20\) and type uint8"),
        (np.zeros((3, 20, 20), np.uint8), r"may be one image with channels first or three grey "
         r"images; pass array\[np.newaxis\] for one image, or list\(array\) for three"),
    ],
)  # fmt: skip
def test_anything_else_is_a_typed_error(X, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        as_dataset(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((20, 20, 4), np.uint8), r"shape \(20, 20, 4\) and type uint8; expected"),
        (np.zeros((20, 20), np.int64), r"shape \(20, 20\) and type int64; expected"),
        (np.zeros((0, 20, 3), np.uint8), "has no pixels"),
        (np.full((20, 20), None), "type object; expected"),
    ],
)
def test_an_array_that_is_no_image_is_an_image_error(X, message):
    with pytest.raises(ImageError, match=message):
        as_dataset(X)


def test_images_beyond_the_pixel_limit_of_pillow_are_errors(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 479)
    with pytest.raises(ImageError, match=r"image of 480 pixels; expected at most 479"):
        as_dataset(picture())
    small, large = as_dataset([picture(19), picture()]).read([0, 1])
    assert small.shape == (19, 24, 3)
    assert isinstance(large, ImageError)
    with pytest.raises(DataError, match="image of 480 pixels"):
        as_dataset(picture()[np.newaxis])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert len(as_dataset(picture())) == 1


def test_pictures_that_take_too_much_memory_are_errors_of_their_rows(monkeypatch):
    def refuse(picture):
        raise MemoryError

    monkeypatch.setattr("galfeat.data.readers.images.decode_picture", refuse)
    (found,) = as_dataset(Image.fromarray(picture())).read([0])
    assert "not enough memory" in str(found)
