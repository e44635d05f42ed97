"""Every reader on damaged files of its format: only arrays and typed errors come out."""

import gzip
import io
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from galfeat.data import open_dataset
from galfeat.errors import DataError, ImageError

ROWS = 6
IMAGES = np.random.default_rng(0).integers(0, 255, (ROWS, 16, 16, 3), dtype=np.uint8)
COLUMNS = {"ans": np.arange(ROWS) % 3, "ra": np.arange(6.0), "dec": np.arange(6.0)}
#: Address space and time of the process that reads HDF5 files, which the library may stop.
MEMORY, SECONDS = 6 * 2**30, 120
HDF5_FILES = 300


def hdf5_files():
    """HDF5 files in several layouts."""
    layouts = [
        {},
        {"chunks": (2, 16, 16, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (1, 8, 8, 3), "maxshape": (None, 16, 16, 3), "compression": "lzf"},
        {"chunks": (1, 8, 8, 3), "scaleoffset": True},
    ]
    for number, layout in enumerate(layouts):
        stream = io.BytesIO()
        with h5py.File(stream, "w", libver="latest" if number % 2 else "earliest") as file:
            file.create_dataset("images", data=IMAGES, **layout)
            for name, values in COLUMNS.items():
                file[name] = values
            file["ans"].attrs["class_names"] = [b"a", b"b", b"c"] if number % 2 else ["a", "b", "c"]
            file["source"] = np.array([b"x", b"yy"] * 3) if number % 2 else ["x", "yy"] * 3
            file["group/ra"] = h5py.SoftLink("/ra")
            file.create_dataset("group_id", data=np.arange(ROWS), chunks=(2,), compression="gzip")
        yield stream.getvalue()


def npz_files():
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, images=IMAGES, class_names=["a", "b", "c"], source=["x", "yy"] * 3, **COLUMNS)
        yield stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in {"images": IMAGES, **COLUMNS}.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, version=(2, 0))
    yield stream.getvalue()


def csv_files():
    rows = [f"{row}.png,{'ab'[row % 2]},{row}.5,{row},g{row},x" for row in range(ROWS)]
    text = "filename,label,ra,dec,group_id,source\n" + "\n".join(rows)
    yield text.encode()
    quoted = text.replace(",", '","').replace("\n", '"\r\n"')
    yield f'"{quoted}"\r\n'.encode("utf-8-sig")


def fits_files():
    flux = np.random.default_rng(1).normal(size=(3, 12, 16)).astype(np.float32)
    scaled = fits.ImageHDU((100 * flux[0]).astype(np.int16))
    scaled.header.update(BSCALE=0.01, BZERO=1.0, BLANK=-1)
    for units in ([fits.PrimaryHDU(flux)], [fits.PrimaryHDU(), scaled]):
        stream = io.BytesIO()
        fits.HDUList(units).writeto(stream)
        yield stream.getvalue()


def gzip_files():
    return [gzip.compress(content, mtime=0) for content in fits_files()]


def tables(**options):
    """Tables of images as astropy writes them."""
    columns = {"GalaxyID": np.arange(ROWS), "label": ["a", "b", ""] * 2, "ra": np.arange(6.0)}
    stream = io.BytesIO() if options["format"] in ("fits", "votable") else io.StringIO()
    Table(columns).write(stream, **options)
    content = stream.getvalue()
    yield content if isinstance(content, bytes) else content.encode()


def parquet_files():
    columns = {"id": list("abcabc"), "label": ["x", None] * 3, "ra": np.arange(6.0)}
    for options in ({"compression": "none"}, {"use_dictionary": False, "compression": "gzip"}):
        stream = io.BytesIO()
        parquet.write_table(pyarrow.table(columns), stream, **options)
        yield stream.getvalue()


BASES = {
    "fit": list(tables(format="fits")),
    "ecsv": list(tables(format="ascii.ecsv")),
    "vot": [*tables(format="votable"), *tables(format="votable", tabledata_format="binary")],
    "parquet": list(parquet_files()),
    "npz": list(npz_files()),
    "csv": list(csv_files()),
    "fits": list(fits_files()),
    "fits.gz": gzip_files(),
}


def edits():
    """Changes of a file as (kind, place, value); places from 0 to 1."""
    kinds = st.sampled_from(["flip", "set", "wipe", "copy", "insert", "delete", "cut"])
    places = st.floats(0, 1, exclude_max=True)
    return st.lists(st.tuples(kinds, places, st.integers(0, 2**32 - 1)), min_size=1, max_size=6)


def edited(content, changes):
    content = bytearray(content)
    for kind, share, value in changes:
        place, size = int(share * len(content)), 1 + value % 16
        if kind == "flip":
            content[place : place + 1] = bytes([content[place] ^ 1 << value % 8])
        elif kind == "set":
            content[place : place + 1] = bytes([value % 256])
        elif kind == "wipe":
            content[place : place + size] = bytes([255 * (value >> 8 & 1)]) * size
        elif kind == "copy":
            content[place : place + size] = content[value % len(content) :][:size]
        elif kind == "insert":
            content[place:place] = bytes(size)
        elif kind == "delete":
            del content[place : place + size]
        elif len(content) > 20:
            del content[max(20, place) :]
        if len(content) < 2:
            break
    return bytes(content)


def check(path):
    """Open and read a file; anything but images and typed errors is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = open_dataset(path)
        except DataError:
            return False
        first = min(len(data), ROWS)
        for image in data.read(np.arange(first)):
            assert isinstance(image, np.ndarray | ImageError)
            assert isinstance(image, ImageError) or image.dtype == np.uint8
        assert len(data.ids) == len(data.labels) == len(data)
        return True


@pytest.mark.parametrize("kind", BASES)
@settings(max_examples=150)
@given(st.data())
def test_damaged_files_give_images_or_typed_errors(tmp_path_factory, kind, data):
    path = Path(tmp_path_factory.getbasetemp(), f"damaged.{kind}")
    base = data.draw(st.sampled_from(BASES[kind]))
    path.write_bytes(edited(base, data.draw(edits())))
    check(path)


@pytest.mark.parametrize("kind", BASES)
def test_the_files_are_intact_before_they_are_damaged(tmp_path, kind):
    for content in BASES[kind]:
        (tmp_path / f"a.{kind}").write_bytes(content)
        assert check(tmp_path / f"a.{kind}")


def test_damaged_hdf5_files_never_stop_the_process(tmp_path):
    """The HDF5 library may crash or hang, so the files are read by another process."""
    done = subprocess.run(
        [sys.executable, __file__, "0", str(HDF5_FILES)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    last = done.stdout.splitlines()[-1:] or ["none"]
    assert done.returncode == 0, f"stopped at file {last[0]}: {done.stderr[-2000:]}"
    opened, refused = map(int, last[0].split())
    assert min(opened, refused) > HDF5_FILES / 10


def read_hdf5_files(start, count):
    """Damage and read HDF5 files, numbered from `start`; print the numbers and then the counts."""
    import random
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    bases = list(hdf5_files())
    opened = 0
    for number in range(start, start + count):
        print(number, flush=True)
        rng = random.Random(number)
        kinds = ["flip", "set", "wipe", "copy", "insert", "delete", "cut"]
        weights = [8, 4, 2, 2, 1, 1, 1]
        changes = [
            (
                rng.choices(kinds, weights)[0],
                rng.random() * rng.choice([0.1, 0.5, 1]),
                rng.getrandbits(32),
            )
            for _ in range(rng.randint(1, 6))
        ]
        path = Path(f"damaged{number}.h5")
        path.write_bytes(edited(bases[number % len(bases)], changes))
        opened += check(path)
        path.unlink()
    print(opened, count - opened)


if __name__ == "__main__":
    read_hdf5_files(int(sys.argv[1]), int(sys.argv[2]))
