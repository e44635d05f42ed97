"""Class frequencies from tables, and those of the published Galaxy10 DECaLS."""

import pytest

from galfeat.data.catalogue import GALAXY10_DECALS, galaxy10_frequencies, read_frequencies
from galfeat.errors import DataError

TABLES = {
    "a.csv": "class,frequency\nspiral,0.3\nsmooth,0.7\n",
    "b.csv": "\ufeffFrequency;remark;Class_Name\n0.3;a;spiral\n0.7;b;smooth\n",
    "c.tsv": "label\tprior\nspiral\t0.3\nsmooth\t0.7\n",
    "d.json": '{"spiral": 0.3, "smooth": 0.7}',
    "e.toml": "spiral = 0.3\nsmooth = 0.7\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_any_format(name, tmp_path):
    (tmp_path / name).write_text(TABLES[name], encoding="utf-8")
    assert read_frequencies(tmp_path / name) == {"spiral": 0.3, "smooth": 0.7}


def test_counts_and_classes_that_are_numbers(tmp_path):
    (tmp_path / "a.csv").write_text("class,count\n0,30\n1,70\n")
    assert read_frequencies(tmp_path / "a.csv") == {"0": 30.0, "1": 70.0}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "class,size\nspiral,1\n", "has the columns class, size; expected a table"),
        ("a.csv", "frequency\n1\n", "has the columns frequency"),
        ("a.csv", "", "expected a table"),
        ("a.csv", "class,frequency\nspiral,many\n", "'many' in row 1; expected a number"),
        ("a.csv", "class,frequency\nspiral,1\nspiral,2\n", "class 'spiral' twice"),
        ("a.csv", "class,frequency\nspiral\n", "has 1 cells"),
        ("a.csv", b"\xff\xfec\0l\0", "UTF-16"),
        ("a.json", "[1, 2]", r"holds \[1, 2\]; expected a table"),
        ("a.json", "{}", "holds {}"),
        ("a.json", '{"spiral": "1"}', "has '1' for 'spiral'"),
        ("a.json", '{"spiral": true}', "has True for 'spiral'"),
        ("a.json", "{", "cannot be read"),
        ("a.json", "[" * 5000, "cannot be read"),
        ("a.json", b"\xff", "cannot be read"),
        ("a.toml", "spiral = ", "cannot be read"),
        ("a.toml", "[spiral]\nn = 1\n", "for 'spiral'"),
        ("a.toml", b"\xff", "cannot be read"),
        ("a.xlsx", "spiral", "has an unknown format; expected a table"),
    ],
)
def test_files_that_are_no_table(name, content, message, tmp_path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message):
        read_frequencies(path)


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.toml"])
def test_files_that_are_missing_or_folders(name, tmp_path):
    with pytest.raises(DataError):
        read_frequencies(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(DataError):
        read_frequencies(tmp_path / name)


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(DataError, match="expected at most"):
        read_frequencies(tmp_path / "a.json")


def test_the_published_frequencies():
    counts = galaxy10_frequencies(GALAXY10_DECALS[::-1])
    assert sum(counts.values()) == 17_736
    assert (counts["Disturbed"], counts["Edge-on with Bulge"]) == (1081, 1873)
    coarse = galaxy10_frequencies(["smooth", "spiral", "edge-on", "merger"])
    assert sum(coarse.values()) == 17_736 - 1081
    assert coarse["smooth"] == 2645 + 2027 + 334


@pytest.mark.parametrize("classes", [["disc", "smooth"], GALAXY10_DECALS[1:], []])
def test_other_classes_have_no_published_frequencies(classes):
    with pytest.raises(DataError, match="give the class frequencies as a table"):
        galaxy10_frequencies(classes)
