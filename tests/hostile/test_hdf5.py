"""HDF5 files that declare, link or store anything."""

import struct
import zlib

import h5py
import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.data.readers import hdf5_file
from galfeat.errors import DataError, GalfeatWarning, ImageError

IMAGES = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "galaxies.h5"


def write(path, fill=None, **columns):
    """Write a file of three images; `fill` may do anything else to it."""
    with h5py.File(path, "w") as file:
        file["images"] = IMAGES
        for name, values in columns.items():
            file[name] = values
        if fill is not None:
            fill(file)
    return path


def replace_images(file, **options):
    del file["images"]
    return file.create_dataset("images", **options)


def null(name):
    def fill(file):
        file.pop(name, None)
        file[name] = h5py.Empty("u1")

    return fill


def of_type(name, dtype, shape=(3,)):
    def fill(file):
        file.pop(name, None)
        column = file.create_dataset(name, shape, dtype)
        if column.dtype != object:
            column[...] = np.zeros(shape, column.dtype)

    return fill


def lists(file):
    column = file.create_dataset("ans", (3,), h5py.vlen_dtype(np.int32))
    column[0] = [1, 2]


def references(file):
    file.create_dataset("ans", data=[file["images"].ref] * 3, dtype=h5py.ref_dtype)


def huge_image(file):
    shape = (1, 10**6, 112 * 10**3)
    replace_images(file, shape=shape, dtype="u1", chunks=(1, 64, 64))[0, 0, 0] = 1


def huge_stack(file):
    stack = replace_images(file, shape=(10**12, 16, 16, 3), dtype="u1", chunks=(1, 16, 16, 3))
    stack[0] = 1


def huge_text(file):
    column = file.create_dataset("ans", (3,), "S2000000000", chunks=(1,), compression="gzip")
    column.id.write_direct_chunk((0,), zlib.compress(bytes(1000)))


def never_written(file):
    replace_images(file, shape=(3, 16, 16, 3), dtype="u1")


def unknown_filter(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3, 16, 16, 3))
    properties.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
    create(file, properties)


def compressed_twice(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3, 16, 16, 3))
    properties.set_deflate(1)
    properties.set_deflate(1)
    create(file, properties)


def create(file, properties):
    del file["images"]
    space = h5py.h5s.create_simple(IMAGES.shape)
    images = h5py.h5d.create(file.id, b"images", h5py.h5t.NATIVE_UINT8, space, properties)
    images.write(h5py.h5s.ALL, h5py.h5s.ALL, IMAGES)


def short_chunk(file):
    images = replace_images(
        file, shape=IMAGES.shape, dtype="u1", chunks=(1, 16, 16, 3), fletcher32=True
    )
    images.id.write_direct_chunk((1, 0, 0, 0), b"x")


def long_chunk(file):
    images = replace_images(
        file, shape=IMAGES.shape, dtype="u1", chunks=(1, 16, 16, 3), compression="gzip"
    )
    images.id.write_direct_chunk((0, 0, 0, 0), zlib.compress(bytes(10**7)))


def names(values, **options):
    def fill(file):
        file["ans"].attrs.create("class_names", values, **options)

    return fill


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (null("images"), r"'images' in .* has shape \(\); expected \(n, H, W, 3\)"),
        (of_type("images", "u1", ()), r"'images' in .* has shape \(\)"),
        (of_type("images", [("r", "u1"), ("g", "u1")], (3, 16, 16)), "type .*; expected"),
        (of_type("images", "c8", (3, 16, 16)), "type complex64; expected"),
        (of_type("images", "V4", (3, 16, 16)), r"type \|V4; expected"),
        (of_type("images", "S4", (3, 16, 16)), r"type \|S4; expected"),
        (null("ra"), "column 'ra' has shape None; expected one value for each of 3 images"),
        (of_type("ra", "f8", ()), r"column 'ra' has shape \(\); expected one value for each"),
        (of_type("ra", "f8", (2,)), r"column 'ra' has shape \(2,\); expected one value for each"),
        (of_type("ra", "f8", (3, 2)), r"column 'ra' has shape \(3, 2\)"),
        (of_type("ra", "c16"), "column 'ra' has type complex128; expected text, integers"),
        (of_type("ra", "V8"), r"column 'ra' has type \|V8; expected"),
        (of_type("ra", [("x", "f8")]), "column 'ra' has type .*; expected"),
        (huge_image, "image of 112,000,000,000 pixels; expected at most"),
        (huge_stack, "the numbers of 1,000,000,000,000 images would take 76.4 TiB"),
        (never_written, "'images' in .* has no data, it was never written"),
        (unknown_filter, r"compressed with the filter .*32001.*, which h5py lacks"),
        (compressed_twice, r"compressed 2 times \(deflate, deflate\)"),
        (short_chunk, "'images' in .* has a damaged chunk"),
        (long_chunk, "'images' in .* has a damaged chunk"),
    ],
)  # fmt: skip
def test_odd_images_and_columns_are_errors(path, fill, message):
    columns = {"ra": np.zeros(3), "dec": np.zeros(3)}
    with pytest.raises(DataError, match=message):
        open_dataset(write(path, fill, **columns))


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (null("ans"), "column 'ans' has shape None"),
        (of_type("ans", "i4", (2,)), r"column 'ans' has shape \(2,\)"),
        (of_type("ans", "c16"), "column 'ans' has type complex128"),
        (of_type("ans", "V8"), r"column 'ans' has type \|V8"),
        (of_type("ans", [("x", "f8")]), "column 'ans' has type"),
        (lists, "column 'ans' has references or lists"),
        (references, "column 'ans' has references or lists"),
        (huge_text, "column 'ans' of 3 rows would take 5.6 GiB of memory"),
    ],
)
def test_odd_labels_are_errors_if_they_are_named(path, fill, message):
    write(path, fill)
    with pytest.raises(DataError, match=message):
        open_dataset(path, label="ans")
    with pytest.warns(GalfeatWarning, match="continuing without labels: " + message):
        data = open_dataset(path)
    assert data.labels.tolist() == [-1, -1, -1]
    np.testing.assert_array_equal(data.read([2])[0], IMAGES[2])


def test_enumerated_boolean_and_missing_labels_are_read(path):
    shapes = h5py.enum_dtype({"disc": 0, "smooth": 1}, np.uint8)

    def fill(file):
        file.create_dataset("kind", data=[0, 1, 1], dtype=shapes)
        file["barred"] = np.array([True, False, True])
        file["number"] = [1.0, np.nan, 2.0]

    write(path, fill)
    assert open_dataset(path, label="kind").labels.tolist() == [0, 1, 1]
    assert open_dataset(path, label="barred").class_names == ("False", "True")
    assert open_dataset(path, label="number").labels.tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (names(np.array([["a", "b"]], "S1")), r"'class_names' in .* has shape \(1, 2\)"),
        (names(h5py.Empty("S1")), "'class_names' in .* has shape None"),
        (names(np.array([1j])), "'class_names' in .* has type complex128; expected text"),
        (names(np.zeros(7_001)), r"'class_names' in .* has shape \(7001,\).* at most 7,000"),
    ],
)
def test_odd_class_names_are_errors(path, fill, message, monkeypatch):
    monkeypatch.setattr(hdf5_file, "MAX_CLASSES", 7_000)  # an attribute holds up to 64 kB
    with pytest.raises(DataError, match=message):
        open_dataset(write(path, fill, ans=[0, 1, 0]))


@pytest.mark.parametrize(
    "values", [["spiral", "é"], np.array([b"spiral", "é".encode()]), np.array(["spiral", "é"], "O")]
)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_class_names_of_any_kind_of_text_are_read(path, values, libver):
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = list(values)
    with h5py.File(path, "w", libver=libver) as file:
        file["images"] = IMAGES
        file["ans"] = [0, 1, 0]
        file["ans"].attrs["class_names"] = values
    assert open_dataset(path).class_names == ("spiral", "é")


def test_one_class_name_may_be_a_scalar(path):
    write(path, names("spiral"), ans=[0, 0, -1])
    assert open_dataset(path).class_names == ("spiral",)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (2,)},
        {"chunks": (2,), "compression": "gzip"},
        {"dtype": h5py.string_dtype(length=4)},
    ],
    ids=["in one piece", "in chunks", "compressed", "of fixed length"],
)
def test_text_in_any_layout_is_read(path, options):
    def fill(file):
        file.create_dataset("group_id", data=[b"g", b"", "gé".encode()], **options)

    assert open_dataset(write(path, fill)).groups.tolist() == ["g", "row 1", "gé"]


def heap(content):
    return content.index(b"GCOL")


def endless_heap(content):
    """Make the first object of a heap free space of no size."""
    content[heap(content) + 16 : heap(content) + 32] = bytes(16)


def long_text(content):
    """Declare that the first text has 4 GB."""
    place = content.index(struct.pack("<IQI", 1, heap(content), 1))
    content[place : place + 4] = b"\xff\xff\xff\xff"


def text_elsewhere(content):
    place = content.index(struct.pack("<IQI", 1, heap(content), 1))
    content[place + 4 : place + 12] = struct.pack("<Q", 10**6)


def overlapping_heaps(content):
    size = heap(content) + 8
    content[size : size + 8] = struct.pack("<Q", 2**40)


@pytest.mark.parametrize("damage", [endless_heap, long_text, text_elsewhere, overlapping_heaps])
@pytest.mark.parametrize("where", ["column", "attribute"])
def test_damaged_text_is_an_error(path, damage, where):
    if where == "column":
        write(path, source=["a", "b", "c"])
    else:
        write(path, names(["a", "b", "c"]), ans=[0, 1, 2])
    content = bytearray(path.read_bytes())
    damage(content)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged; fetch|would take 4.0 GiB of memory"):
        open_dataset(path)


def test_rows_that_share_a_long_text_take_no_memory(path):
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((3000, 4, 4), np.uint8)
        file["source"] = ["x" * 60_000] + ["y"] * 2999
        place = file["source"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place : place + 3000 * 16] = content[place : place + 16] * 3000
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"'/source' in .* would take 171\.7 MiB"):
        open_dataset(path, max_bytes=2**27)
    with pytest.raises(DataError, match="'source' contains 60,000 characters"):
        open_dataset(path)


def test_text_that_the_library_never_returns_from_is_an_error(path, monkeypatch):
    def fill(file):
        file.create_dataset("source", data=["a", "b", "c"], chunks=(3,), maxshape=(None,))

    write(path, fill)
    content = bytearray(path.read_bytes())
    endless_heap(content)
    path.write_bytes(content)
    monkeypatch.setattr(hdf5_file, "_SECONDS", 2)
    with pytest.raises(DataError, match=r"'/source' in .* the HDF5 library did not return"):
        open_dataset(path)


@pytest.mark.parametrize("name", ["images", "ans", "ra"])
def test_external_storage_is_refused(path, tmp_path, name):
    (tmp_path / "secret").write_bytes(bytes(range(256)) * 100)
    shape, dtype = (IMAGES.shape, "u1") if name == "images" else ((3,), "i4")

    def fill(file):
        del file[name]
        file.create_dataset(
            name, shape, dtype, external=[(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
        )

    write(path, fill, ans=[0, 1, 0], ra=np.zeros(3), dec=np.zeros(3))
    with pytest.raises(DataError, match=rf"'{name}' in .* is stored in the file .*secret"):
        open_dataset(path, label="ans")


@pytest.mark.parametrize("name", ["images", "group/images"])
def test_links_to_other_files_are_refused(path, tmp_path, name):
    write(tmp_path / "other.h5")

    def fill(file):
        del file["images"]
        link = h5py.ExternalLink("other.h5", "/images" if name == "images" else "/")
        file[name.partition("/")[0]] = link

    with pytest.raises(DataError, match=rf"'{name}' in .* is a link to the file other\.h5"):
        open_dataset(write(path, fill), images=name)


def test_links_within_the_file_are_followed(path):
    def fill(file):
        file["data/pixels"] = file.pop("images")[()]
        file["data/kind"] = [1, 0, 1]
        file["images"] = h5py.SoftLink("/data/pixels")
        file["ans"] = h5py.SoftLink("/here/kind")
        file["here"] = h5py.SoftLink("data")
        file["data/here"] = h5py.SoftLink("kind")
        file["ra"] = h5py.SoftLink("/nowhere")

    data = open_dataset(write(path, fill))
    assert data.labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(data.read([1])[0], IMAGES[1])
    assert open_dataset(path, label="data/here").labels.tolist() == [1, 0, 1]


def test_circles_of_links_end(path):
    def fill(file):
        group = file.create_group("a")
        group["b"] = file["/"]
        group["a"] = group
        file["ans"] = h5py.SoftLink("/class")
        file["class"] = h5py.SoftLink("/ans")

    write(path, fill)
    with pytest.raises(DataError, match=r"'.*' in .* is a link that leads nowhere"):
        open_dataset(path)
    with pytest.raises(DataError, match="there is no column 'kind'"):
        open_dataset(path, label="kind")


def test_groups_named_like_columns_are_not_columns(path):
    write(path, **{"ans/label": [0, 1, 0], "ra/ra": np.zeros(3), "a/images": np.zeros((9, 4, 4))})
    data = open_dataset(path)
    assert (data.label_column, data.ra) == (None, None)
    with pytest.raises(DataError, match="no column 'ra/dec'; did you mean 'ra/ra'"):
        open_dataset(path, label="ra/dec")
    assert open_dataset(path, label="ans/label").labels.tolist() == [0, 1, 0]


def virtual(path, source, name="images", shape=IMAGES.shape):
    layout = h5py.VirtualLayout(IMAGES.shape, "u1")
    layout[:] = h5py.VirtualSource(source, name, shape=shape)[: IMAGES.shape[0]]

    def fill(file):
        del file["images"]
        file.create_virtual_dataset("images", layout)

    return write(path, fill)


@pytest.mark.parametrize("folder", ["", "parts/"])
def test_virtual_data_sets_are_read_from_files_below(path, tmp_path, folder):
    (tmp_path / "parts").mkdir()
    write(tmp_path / folder / "part.h5")
    data = open_dataset(virtual(path, f"{folder}part.h5"))
    np.testing.assert_array_equal(data.read([0, 1, 2]), IMAGES)


def test_virtual_data_sets_without_their_sources_are_errors(path, tmp_path):
    virtual(path, "part.h5")
    with pytest.raises(DataError, match=r"takes its data from part\.h5, which does not exist"):
        open_dataset(path)
    write(tmp_path / "part.h5")
    assert len(open_dataset(path)) == 3
    with h5py.File(tmp_path / "part.h5", "a") as file:
        del file["images"]
        file["images"] = IMAGES[:2]
    with pytest.raises(
        DataError, match=r"takes data of shape .*, which has shape \(2, 16, 16, 3\)"
    ):
        open_dataset(path)
    with h5py.File(tmp_path / "part.h5", "a") as file:
        del file["images"]
    with pytest.raises(DataError, match=r"takes data of shape .*, which has shape None"):
        open_dataset(path)


def test_virtual_data_sets_are_not_read_from_other_folders(path, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside / "part.h5")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.h5").symlink_to(outside / "part.h5")
    for source in (str(outside / "part.h5"), "../outside/part.h5", "link.h5"):
        virtual(inside / "galaxies.h5", source)
        with pytest.raises(DataError, match=r"expected files in the folder .*inside or below"):
            open_dataset(inside / "galaxies.h5")


def test_sources_of_virtual_data_sets_are_checked_too(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(10_000))
    with h5py.File(tmp_path / "part.h5", "w") as file:
        external = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("images", IMAGES.shape, "u1", external=external)
    with pytest.raises(DataError, match=r"'images' in .*part\.h5 is stored in the file .*secret"):
        open_dataset(virtual(path, "part.h5"))
    virtual(tmp_path / "part.h5", "galaxies.h5")
    with pytest.raises(DataError, match="is a virtual data set whose sources lead nowhere"):
        open_dataset(path)


def test_chunks_that_hold_more_than_they_declare_are_errors_of_their_rows(path):
    shape = (4, 256, 256)

    def fill(file):
        images = replace_images(
            file, shape=shape, dtype="u1", chunks=(2, 256, 256), compression="gzip",
            shuffle=True,
        )  # fmt: skip
        images[:] = 7
        images.id.write_direct_chunk((2, 0, 0), zlib.compress(bytes(2 * 10**7)))

    data = open_dataset(write(path, fill), max_bytes=10**7)
    first, second, third, fourth = data.read(range(4))
    assert (first == 7).all()
    assert (second == 7).all()
    for image in (third, fourth):
        assert isinstance(image, ImageError)
        assert "a chunk holds more than it declares" in str(image)


def test_large_images_are_read_one_after_another(path, monkeypatch):
    blocks = []
    read = h5py.Dataset.__getitem__

    def counted(self, key, **options):
        blocks.append(key)
        return read(self, key, **options)

    data = open_dataset(write(path), max_bytes=2 * IMAGES[0].nbytes)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    np.testing.assert_array_equal(data.read([0, 1, 2]), IMAGES)
    assert blocks == [slice(0, 2), slice(2, 3)]
    with pytest.raises(DataError, match=r"one image of 'images' in .* would take 768 bytes"):
        open_dataset(path, max_bytes=767)


def test_an_image_that_takes_too_much_memory_costs_only_its_row(path, monkeypatch):
    read = h5py.Dataset.__getitem__

    def limited(self, key, **options):
        if isinstance(key, slice) and key.start <= 1 < key.stop:
            raise MemoryError
        return read(self, key, **options)

    data = open_dataset(write(path))
    monkeypatch.setattr(h5py.Dataset, "__getitem__", limited)
    first, second, third = data.read([0, 1, 2])
    np.testing.assert_array_equal([first, third], IMAGES[[0, 2]])
    assert isinstance(second, ImageError)
    assert "row 1: not enough memory" in str(second)


@pytest.mark.parametrize("fill", [huge_stack, huge_image], ids=["stack", "image"])
def test_the_command_line_stays_within_its_memory(path, one_line_error, fill):
    message, code = one_line_error("data", "info", write(path, fill))
    assert "'images'" in message or "images would take" in message
    assert code == 4
