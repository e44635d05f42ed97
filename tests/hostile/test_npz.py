"""Files of arrays that declare or hold anything."""

import io
import struct
import zipfile

import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.errors import DataError, GalfeatWarning

IMAGES = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), **options)
    return stream.getvalue()


def header(text, version=(1, 0), data=b""):
    """A file of an array with any header."""
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin-1") + data


def declared(shape, dtype="|u1", data=b""):
    return header(str({"descr": dtype, "fortran_order": False, "shape": shape}) + "\n", data=data)


def short(value):
    """The name of a case, as contents may be long."""
    text = value if isinstance(value, str) else f"{len(value)} bytes" if value else "empty"
    return text[:40].encode("ascii", "replace").decode()


@pytest.fixture
def write(tmp_path):
    """Return a function that writes members, as pairs of name and content."""

    def write(*members, method=zipfile.ZIP_DEFLATED, **columns):
        path = tmp_path / "galaxies.npz"
        members = [*members, *((f"{name}.npy", npy(array)) for name, array in columns.items())]
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (declared((10**5, 256, 256, 3)), "but 19,660,800,000 of its bytes are missing"),
        (declared((1, 10**4, 10**4), data=bytes(10**8)), "image of 100,000,000 pixels"),
        (declared((3, 16, 16), data=bytes(767)), "1 of its bytes are missing"),
        (declared((-3, 16, 16), data=bytes(768)), "expected numbers or text"),
        (declared((3, 0, 16)), "has no pixels"),
        (declared((10**30, 16, 16)), "bytes are missing"),
        (declared((3, 16, 16), "<c8", bytes(6144)), "type complex64; expected"),
        (declared((3, 16, 16), "|O", bytes(6144)), "has type object .*; expected numbers or text"),
        (declared((3, 16, 16), "<M8[s]", bytes(6144)), "type datetime64.*; expected"),
        (declared((3, 16, 16), "|V4", bytes(3072)), r"type \|V4; expected"),
        (declared((3, 16, 16), "spam", bytes(768)), "'images' is not an array of numbers or text"),
        (header("{" * 9000), "'images' is not an array of numbers or text"),
        (header("(" * 9000 + ")" * 9000, (2, 0)), "'images' is not an array of numbers or text"),
        (header("1_0l\n"), "'images' is not an array of numbers or text"),
        (header("{}", (3, 0)), "'images' is not an array of numbers or text"),
        (header("{}", (9, 9)), "'images' is not an array of numbers or text"),
        (b"text", "'images' is not an array of numbers or text"),
        (b"", "'images' is not an array of numbers or text"),
    ],
    ids=short,
)  # fmt: skip
def test_odd_arrays_are_errors(write, content, message):
    with pytest.raises(DataError, match=message):
        open_dataset(write(("images.npy", content)))


def test_only_arrays_that_are_needed_are_read(write):
    objects = npy(np.array([object()]), allow_pickle=True)
    path = write(
        ("notes.txt", b"text"),
        ("other.npy", objects),
        ("huge.npy", declared((10**9, 10**9))),
        images=IMAGES,
        ans=[1, 0, 1],
    )
    data = open_dataset(path)
    assert data.labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(data.read([2])[0], IMAGES[2])
    with pytest.raises(DataError, match="expected numbers or text"):
        open_dataset(path, label="other")
    with pytest.raises(DataError, match=r"'notes\.txt' is not an array"):
        open_dataset(path, label="notes.txt")


def test_arrays_share_the_limit(write):
    path = write(images=np.zeros((100, 64, 64), np.uint8), ans=np.zeros(100, int))
    assert path.stat().st_size < 3000
    assert len(open_dataset(path, max_bytes=500_000)) == 100
    with pytest.raises(DataError, match=r"'images' in .* would take 400\.0 KiB"):
        open_dataset(path, max_bytes=400_000)
    with pytest.raises(DataError, match=r"the numbers of 100 images .* besides 400\.0 KiB"):
        open_dataset(path, max_bytes=410_000)


@pytest.mark.parametrize("names", [("images.npy", "images.npy"), ("images.npy", "images")])
def test_of_two_arrays_of_one_name_none_is_chosen(write, names):
    with pytest.warns(UserWarning, match="Duplicate name") if names[0] == names[1] else _nothing():
        path = write(*((name, npy(IMAGES)) for name in names))
    with pytest.raises(DataError, match="holds 2 arrays named 'images'"):
        open_dataset(path)


class _nothing:  # noqa: N801
    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return None


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(write, method):
    with pytest.raises(DataError, match="compressed in a way that NumPy does not write"):
        open_dataset(write(images=IMAGES, method=method))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"has shape \(2,\); expected one value for each of 3 images"),
        (0, r"has shape \(\)"),
        ([[[0]], [[1]], [[2]]], r"has shape \(3, 1, 1\)"),
        ([1j, 2j, 3j], "has type complex128; expected text, integers or floats"),
        (np.zeros(3, "M8[s]"), "has type datetime64.*; expected"),
        (np.zeros(3, [("x", "f8")]), "has type .*; expected"),
        (["x" * 5000, "b", "c"], "contains 5,000 characters in row 0"),
    ],
)
def test_odd_labels_are_errors_if_they_are_named(write, labels, message):
    path = write(images=IMAGES, ans=labels)
    with pytest.raises(DataError, match=f"column 'ans' {message}"):
        open_dataset(path, label="ans")
    with pytest.warns(GalfeatWarning, match="continuing without labels"):
        assert open_dataset(path).labels.tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("names", "expected"),
    [("spiral", ("spiral",)), (["a", "b"], ("a", "b")), (np.array([b"a", b"b"]), ("a", "b"))],
)
def test_class_names_of_any_kind_of_text_are_read(write, names, expected):
    path = write(images=IMAGES, ans=[0, 0, -1], class_names=names)
    assert open_dataset(path).class_names == expected


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([["a", "b"]], r"'class_names' in .* has shape \(1, 2\); expected a list"),
        (np.zeros(10_001, "U1"), "expected a list of at most 10,000 names"),
        ([1j], "'class_names' has type complex128"),
    ],
)
def test_odd_class_names_are_errors(write, names, message):
    with pytest.raises(DataError, match=message):
        open_dataset(write(images=IMAGES, ans=[0, 0, 0], class_names=names))


def test_encrypted_and_truncated_files_are_errors(write):
    path = write(images=IMAGES)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a complete \.npz file .*encrypted"):
        open_dataset(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"is not a complete \.npz file"):
        open_dataset(path)


def test_the_command_line_stays_within_its_memory(write, one_line_error):
    """22 GB of zeros would be compressed to this file of some megabytes."""
    path = write(("images.npy", declared((300_000, 160, 160, 3))))
    content = path.read_bytes()
    size = struct.pack("<I", len(declared((300_000, 160, 160, 3))))
    path.write_bytes(content.replace(size, b"\xf0\xff\xff\xff"))  # claim to hold all of it
    message, code = one_line_error("data", "info", path)
    assert "'images' in" in message
    assert code == 4
