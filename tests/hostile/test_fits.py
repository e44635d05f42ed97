"""FITS files that declare or unpack to anything."""

import bz2
import gzip

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from galfeat.data import open_dataset
from galfeat.errors import ImageError

PIXELS = np.random.default_rng(0).normal(size=(20, 24)).astype(np.float32)


def header(*cards, end=True):
    """A header of cards as they stand, in blocks of 2,880 bytes."""
    text = "".join(card.ljust(80) for card in (*cards, "END" if end else ""))
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def image(*sizes, bits=8, first="SIMPLE  =                    T"):
    axes = [f"NAXIS{axis:<3}= {size:>20}" for axis, size in enumerate(sizes, start=1)]
    return header(first, f"BITPIX  = {bits:>20}", f"NAXIS   = {len(sizes):>20}", *axes)


EXTENSION = "XTENSION= 'IMAGE   '"


def short(value):
    """The name of a case, as contents may be long."""
    text = value if isinstance(value, str) else f"{len(value)} bytes" if value else "empty"
    return text[:40].encode("ascii", "replace").decode()


def read(path, content):
    path.write_bytes(content)
    (result,) = open_dataset(path).read([0])
    return result


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (image(10**5, 10**5, bits=-32), "image of 10,000,000,000 pixels|more than 2.0 GiB"),
        (image(10**9, 10**9, 3, bits=-64), "pixels; expected at most|more than 2.0 GiB"),
        (image(20, 24, 2), r"the image has shape \(2, 24, 20\); expected"),
        (image(20, 24, 3, 5), r"the image has shape \(5, 3, 24, 20\); expected"),
        (image(-20, -24), r"the image has shape \(-24, -20\); expected"),
        (image(20, 0), r"the image has shape \(0, 20\); expected"),
        (image("1.5", "T"), "cannot be decoded|the image has shape"),
        (image("'a'", 24), "cannot be decoded|the image has shape"),
        (image(20, 24, bits=7) + bytes(2880), "cannot be decoded"),
        (image(20, 24, bits=-32), "cannot be decoded"),
        (image() + image(9000, 9000, 3, bits=-64, first=EXTENSION), "cannot be decoded"),
        (image(), "no HDU contains an image"),
        (header("SIMPLE  =                    T", end=False), "cannot be decoded|no HDU"),
        (image(20, 24)[:80] + header(*["COMMENT x"] * 300_000), "headers take more than 16.0 MiB"),
        (header("SIMPLE  = T", *[f"KEY{n:<5}= 1" for n in range(10**5)] * 3, end=False),
         "the headers take more than"),
        (b"", "cannot be decoded"),
        (b"SIMPLE", "cannot be decoded"),
        (bytes(5760), "cannot be decoded|no HDU"),
    ],
    ids=short,
)  # fmt: skip
def test_odd_files_are_errors_of_their_rows(tmp_path, name, content, message):
    result = read(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    assert isinstance(result, ImageError)
    with pytest.raises(ImageError, match=message):
        raise result


def test_an_extension_of_negative_size_does_not_end_in_a_circle(tmp_path):
    circle = header(
        "XTENSION= 'CIRCLE  '", "BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 1",
        "PCOUNT  = -2881", "GCOUNT  = 1",
    )  # fmt: skip
    assert isinstance(read(tmp_path / "a.fits", image() + circle * 3), ImageError)


def test_a_file_that_unpacks_to_too_much_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    table = header(
        "XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2", f"NAXIS1  = {20_160_000}",
        "NAXIS2  = 1", "PCOUNT  = 0", "GCOUNT  = 1", "TFIELDS = 0",
    )  # fmt: skip
    content = image() + table + bytes(20_160_000) + image(20, 24, first=EXTENSION) + bytes(2880)
    packed = read(tmp_path / "a.fits.gz", gzip.compress(content))
    assert isinstance(packed, ImageError)
    assert "declares or unpacks to more than 16.0 MiB" in str(packed)
    assert read(tmp_path / "a.fits", content).shape == (24, 20, 3), "it need not be read as a whole"


def test_a_packed_file_may_be_damaged_anywhere(tmp_path):
    content = gzip.compress(image(20, 24) + bytes(2880))
    for size in (5, 30, len(content) // 2):
        assert isinstance(read(tmp_path / "a.fits.gz", content[:size]), ImageError)


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz"])
def test_the_content_decides_whether_a_file_is_unpacked(tmp_path, name):
    content = image(20, 24) + bytes(2880)
    for packed in (content, gzip.compress(content)):
        assert read(tmp_path / name, packed).shape == (24, 20, 3)
    for packed in (bz2.compress(content), b"PK\3\4" + content):
        assert isinstance(read(tmp_path / name, packed), ImageError)


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
def test_compressed_images_are_read_and_their_sizes_checked(tmp_path, monkeypatch, kind):
    path = tmp_path / "a.fits.fz"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(PIXELS, compression_type=kind)]).writeto(
        path
    )
    content = path.read_bytes()
    assert read(path, content).shape == (20, 24, 3)
    tile = content.index(b"ZTILE1")
    larger = content[:tile] + b"ZTILE1  =           2000000000".ljust(80) + content[tile + 80 :]
    assert isinstance(read(path, larger), ImageError)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 479)
    result = read(path, content)
    assert isinstance(result, ImageError)
    assert "image of 480 pixels; expected at most 479" in str(result)


def test_images_are_stretched_in_blocks_with_the_same_pixels(tmp_path, monkeypatch):
    planes = np.random.default_rng(1).normal(size=(3, 50, 40))
    planes[:, 3:9] = np.nan
    fits.PrimaryHDU(planes).writeto(tmp_path / "a.fits")
    whole = read(tmp_path / "a.fits", (tmp_path / "a.fits").read_bytes())
    monkeypatch.setattr("galfeat.data.readers.fits._BLOCK", 100)
    np.testing.assert_array_equal(
        read(tmp_path / "a.fits", (tmp_path / "a.fits").read_bytes()), whole
    )


def test_the_command_line_goes_on_within_its_memory(tmp_path, run_limited):
    (tmp_path / "huge.fits").write_bytes(image(10**5, 10**5, bits=-32))
    (tmp_path / "bomb.fits.gz").write_bytes(
        gzip.compress(image(9000, 9000, 3, bits=-64) + bytes(3 * 10**7))
    )
    (tmp_path / "good.fits").write_bytes(image(20, 24) + bytes(2880))
    done = run_limited("data", "info", tmp_path)
    assert done.returncode == 3
    assert "2 unreadable" in done.stdout
    assert "24" in done.stdout
