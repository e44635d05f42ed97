"""``galfeat extract``: the same table in three formats."""

import csv
import sys

import h5py
import numpy as np
import pytest

from galfeat.data import open_dataset
from galfeat.features import FeatureExtractor
from galfeat.features.registry import OWN_FAMILIES


@pytest.fixture
def galaxies(simulated, tmp_path):
    """Four simulated galaxies; the last image is a single colour."""
    with h5py.File(simulated) as file, h5py.File(tmp_path / "four.h5", "w") as four:
        images = file["images"][:48:12]
        images[3] = 32
        four["images"] = images
        four["label"] = [0, 1, -1, 1]
    return tmp_path / "four.h5"


@pytest.fixture
def table(galaxies):
    return FeatureExtractor(OWN_FAMILIES).extract(open_dataset(galaxies))


def test_npz_holds_ids_classes_names_values_digests_and_flags(galfeat, galaxies, table, tmp_path):
    galfeat("extract", galaxies, "-o", tmp_path / "out.npz", "--jobs", 2)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["values"], table.values)
        np.testing.assert_array_equal(found["digests"], table.digests)
        assert found["names"].tolist() == list(table.names)
        assert found["ids"].tolist() == ["0", "1", "2", "3"]
        assert found["labels"].tolist() == [0, 1, -1, 1]
        assert found["class_names"].tolist() == ["0", "1"]
        assert found["flags"][3]
        assert found["errors"].tolist() == [""] * 4


def test_csv_values_round_trip(galfeat, galaxies, table, tmp_path):
    galfeat("extract", galaxies, "-o", tmp_path / "out.csv", "--jobs", 1)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "class", "digest", *table.names, "error"]
    assert [row["class"] for row in rows] == ["0", "1", "", "1"]
    for row, values, digest in zip(rows, table.values, table.digests, strict=True):
        assert row["digest"] == digest.tobytes().hex()
        read = [row[name] or "nan" for name in table.names[:-1]]
        np.testing.assert_array_equal(np.array(read, dtype=np.float32), values[:-1])


def test_parquet_has_the_columns_of_the_csv(galfeat, galaxies, table, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    galfeat("extract", galaxies, "-o", tmp_path / "out.parquet", "--jobs", 1)
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found.column_names == ["id", "class", "digest", *table.names, "error"]
    np.testing.assert_array_equal(found[table.names[0]].to_numpy(), table.values[:, 0])


def test_parquet_without_pyarrow_names_the_extra(galfeat, galaxies, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = galfeat("extract", galaxies, "-o", tmp_path / "out.parquet", code=9)
    assert "galfeat[parquet]" in result.stderr
    assert not (tmp_path / "out.parquet").exists()


def test_an_unknown_format_is_refused_early(galfeat, galaxies, tmp_path):
    assert ".parquet" in galfeat("extract", galaxies, "-o", tmp_path / "out.xls", code=2).stderr


def test_an_unreadable_image_has_a_row_with_its_error(galfeat, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    galfeat("extract", tmp_path, "-o", tmp_path / "out.csv", code=3)
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == str(tmp_path / "broken.jpg")
    assert row["error"]
    assert row["digest"] == "0" * 32
