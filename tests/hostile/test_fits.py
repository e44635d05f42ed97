"""FITS files that declare or unpack to anything."""

import bz2
import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from galfeat.data import open_dataset
from galfeat.data.readers.fits.flux import read_flux
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
        (image("1.5", "T"), "damaged or cut short|the image has shape"),
        (image("'a'", 24), "damaged or cut short|the image has shape"),
        (image(20, 24, bits=7) + bytes(2880), "damaged or cut short"),
        (image(20, 24, bits=-32), "damaged or cut short"),
        (image() + image(9000, 9000, 3, bits=-64, first=EXTENSION), "damaged or cut short"),
        (image(), "no HDU contains an image"),
        (header("SIMPLE  =                    T", end=False), "damaged or cut short|no HDU"),
        (image(20, 24)[:80] + header(*["COMMENT x"] * 300_000), "headers take more than 16.0 MiB"),
        (header("SIMPLE  = T", *[f"KEY{n:<5}= 1" for n in range(10**5)] * 3, end=False),
         "the headers take more than"),
        (b"", "damaged or cut short"),
        (b"SIMPLE", "damaged or cut short"),
        (bytes(5760), "damaged or cut short|no HDU"),
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


@pytest.mark.parametrize("held", [1000, 2**24])
def test_a_packed_file_may_be_damaged_anywhere(tmp_path, monkeypatch, held):
    monkeypatch.setattr("galfeat.data.readers.fits.file.HELD", held)
    content = gzip.compress(image(20, 24) + bytes(2880))
    for size in (5, 30, len(content) // 2):
        assert isinstance(read(tmp_path / "a.fits.gz", content[:size]), ImageError)


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.fits.bz2"])
def test_the_content_decides_whether_a_file_is_unpacked(tmp_path, name):
    content = image(20, 24) + bytes(2880)
    for packed in (content, gzip.compress(content), bz2.compress(content)):
        assert read(tmp_path / name, packed).shape == (24, 20, 3)
    assert isinstance(read(tmp_path / name, b"PK\3\4" + content), ImageError)


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


def tiled(path, kind, pixels=PIXELS, **options):
    """The content of a file with a compressed image."""
    unit = fits.CompImageHDU(pixels, compression_type=kind, quantize_level=0, **options)
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path, overwrite=True)
    return path.read_bytes()


def bomb(path, kind, size):
    """A compressed image of one tile whose content unpacks to `size` bytes."""
    packed = gzip.compress(bytes(size), 9, mtime=0)
    noise = np.random.default_rng(1).integers(0, 2**31, (256, 256)).astype("i4")
    content = tiled(path, kind, noise, tile_shape=(256, 256))
    place = content.index(b"\x1f\x8b")
    assert len(packed) <= len(content) - place - 2880
    return content[:place] + packed + content[place + len(packed) :]


READERS = {"shown": lambda path: open_dataset(path).read([0])[0], "measured": read_flux}


def failure(path, how):
    """The error of a file, however it is read."""
    try:
        result = READERS[how](path)
    except ImageError as error:
        return str(error)
    assert isinstance(result, ImageError)
    return str(result)


@pytest.mark.parametrize("how", READERS)
@pytest.mark.parametrize("kind", ["GZIP_1", "GZIP_2"])
def test_a_tile_that_unpacks_to_too_much_is_an_error(tmp_path, kind, how):
    path = tmp_path / "a.fits.fz"
    path.write_bytes(bomb(path, kind, 200_000_000))
    tracemalloc.start()
    try:
        assert "tile 0 of the image unpacks to more than its pixels take" in failure(path, how)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_small_tiles_do_not_count_as_headers(tmp_path, monkeypatch):
    path = tmp_path / "a.fits.fz"
    tiled(path, "RICE_1", np.ones((3, 400, 30), "i4"), tile_shape=(1, 1, 30))
    monkeypatch.setattr("galfeat.data.readers.fits.file.MAX_HEADERS", 30_000)
    assert READERS["shown"](path).shape == (400, 30, 3)


def test_a_packed_file_is_not_unpacked_without_end(tmp_path, monkeypatch):
    path = tmp_path / "a.fits.fz"
    noise = np.random.default_rng(0).integers(0, 2**20, (3, 400, 30)).astype("i4")
    path.write_bytes(gzip.compress(tiled(path, "GZIP_1", noise, tile_shape=(1, 1, 30))))
    held = READERS["shown"](path)
    monkeypatch.setattr("galfeat.data.readers.fits.file.HELD", 1000)
    np.testing.assert_array_equal(READERS["shown"](path), held)
    monkeypatch.setattr("galfeat.data.readers.fits.file.MAX_REPEATS", 0)
    assert "takes too long to unpack; unpack it" in failure(path, "shown")


@pytest.mark.parametrize("how", READERS)
def test_too_many_tiles_are_an_error(tmp_path, monkeypatch, how):
    path = tmp_path / "a.fits.fz"
    tiled(path, "RICE_1", np.ones((40, 30), "i4"), tile_shape=(1, 30))
    assert READERS[how](path) is not None
    monkeypatch.setattr("galfeat.data.readers.fits.tiles.MAX_TILES", 39)
    assert "the image has 40 tiles; expected at most 39" in failure(path, how)


@pytest.mark.parametrize("how", READERS)
def test_a_tile_that_states_another_size_never_reaches_the_decoder(tmp_path, how):
    path = tmp_path / "a.fits.fz"
    content = tiled(path, "HCOMPRESS_1", np.ones((64, 64), "i4"), tile_shape=(64, 64))
    place = content.index(b"\xdd\x99") + 2
    path.write_bytes(content[:place] + struct.pack(">ii", 2000, 2000) + content[place + 8 :])
    assert "tile 0 of the image states 2000 by 2000 pixels; expected at most 4,096" in failure(
        path, how
    )


@pytest.mark.parametrize("name", ["a.fits", "a.fits.gz", "a.fits.bz2"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (image(20, 24)[:80] + header(*["COMMENT x"] * 300_000), "headers take more than 16.0 MiB"),
        (image(10**5, 10**5, bits=-32), "declares (an image of|or unpacks to) more than 1.0 GiB"),
        (image(20, 24) + bytes(2880) + image(10**9, 8, first=EXTENSION), "cut short|unpacks to"),
        (image(20, 24, bits=-32), "damaged or cut short"),
    ],
    ids=short,
)  # fmt: skip
def test_the_flux_of_odd_files_is_an_error(tmp_path, monkeypatch, name, content, message):
    monkeypatch.setenv("GALFEAT_MAX_BYTES", str(2**30))
    pack = {".gz": gzip.compress, ".bz2": bz2.compress}.get((tmp_path / name).suffix, bytes)
    (tmp_path / name).write_bytes(pack(content))
    with pytest.raises(ImageError, match=message):
        read_flux(tmp_path / name)


@pytest.mark.parametrize("held", [1000, 2**24])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_flux_is_unpacked_up_to_the_limit(tmp_path, monkeypatch, pack, held):
    monkeypatch.setattr("galfeat.data.readers.fits.file.HELD", held)
    path = tmp_path / "a.fits.gz"
    path.write_bytes(pack(image(300, 400, bits=-64) + bytes(960_000)))
    assert read_flux(path)[0].flux.shape == (400, 300)
    monkeypatch.setenv("GALFEAT_MAX_BYTES", "900000")
    with pytest.raises(ImageError, match=r"more than 878.9 KiB; .* --max-bytes or GALFEAT_MAX"):
        read_flux(path)


def test_integers_count_as_the_floats_they_become(tmp_path, monkeypatch):
    unit = fits.PrimaryHDU(np.ones((400, 300), "u1"))
    unit.header.update({"BSCALE": 0.5})
    unit.writeto(tmp_path / "a.fits")
    monkeypatch.setenv("GALFEAT_MAX_BYTES", "500000")
    with pytest.raises(ImageError, match=r"declares an image of more than 488\.3 KiB"):
        read_flux(tmp_path / "a.fits")


def test_a_cube_of_countless_planes_is_an_error(tmp_path):
    result = read(tmp_path / "a.fits", image(20, 24, 2**31 - 1))
    assert "the image has shape (2147483647, 24, 20)" in str(result)


def test_the_command_line_measures_within_its_memory(tmp_path, run_limited):
    (tmp_path / "huge.fits").write_bytes(image(10**5, 10**5, bits=-32))
    (tmp_path / "bomb.fits.gz").write_bytes(
        gzip.compress(image(9000, 9000, bits=-64) + bytes(3 * 10**8), 1)
    )
    path = tmp_path / "tile.fits.fz"
    path.write_bytes(bomb(path, "GZIP_1", 200_000_000))
    (tmp_path / "good.fits").write_bytes(image(20, 24, bits=16) + bytes(2880))
    done = run_limited(
        "measure", "huge.fits", "bomb.fits.gz", "tile.fits.fz", "good.fits", "-o", "out.csv",
        "--max-bytes", 10**8, "--jobs", 1,
    )  # fmt: skip
    assert done.returncode == 3
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) == 5
    assert "declares an image of more than 95.4 MiB" in rows[1]
    assert "more than 95.4 MiB" in rows[2]
    assert "tile 0 of the image unpacks to more" in rows[3]
    assert rows[4].startswith("good.fits,,0,4,no-source")


def test_images_are_stretched_in_blocks_with_the_same_pixels(tmp_path, monkeypatch):
    planes = np.random.default_rng(1).normal(size=(3, 50, 40))
    planes[:, 3:9] = np.nan
    fits.PrimaryHDU(planes).writeto(tmp_path / "a.fits")
    whole = read(tmp_path / "a.fits", (tmp_path / "a.fits").read_bytes())
    monkeypatch.setattr("galfeat.data.readers.fits.display._BLOCK", 100)
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
