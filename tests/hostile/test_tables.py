"""Tables of any size, with cells of any length."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from galfeat.data import open_dataset
from galfeat.errors import DataError, GalfeatWarning, ImageError

#: Address space of a process that groups or opens many rows: libraries take half of it.
MEMORY = 3 * 2**29


def table(folder, content):
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def short(value):
    """The name of a case, as contents may be long."""
    text = value if isinstance(value, str) else f"{len(value)} bytes" if value else "empty"
    return text[:40].encode("ascii", "replace").decode()


def within_memory(program, folder):
    """Run a program with a limit on memory, and return what it prints."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + textwrap.dedent(program)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_crowded_positions_take_little_memory(tmp_path):
    program = """
        import numpy as np
        from galfeat.data.catalogue import groups_by_position
        rng = np.random.default_rng(0)
        million = np.zeros(1_000_000)
        crowd = rng.uniform(0, 10 / 3600, (2, 30_000))
        clumps = rng.integers(0, 8, (2, 100_000)) * 72 / 3600 + rng.uniform(0, 1e-4, (2, 100_000))
        for ra, dec in (
            (million, million),
            crowd,
            (np.linspace(100, 200, 300_000), million[:300_000]),  # a filament
            clumps,
            (np.arange(300_000) % 2 * 0.03, million[:300_000]),  # two places, not linked
        ):
            print(len(np.unique(groups_by_position(ra, dec))))
    """
    assert within_memory(program, tmp_path) == ["1", "1", "1", "64", "2"]


def test_half_a_million_rows_open_in_little_memory(tmp_path):
    with (tmp_path / "labels.csv").open("w") as stream:
        stream.write("filename,label,ra,dec,source,notes\n")
        stream.writelines(
            f"images/{row:07d}.png,{'ab'[row % 2]},{row % 3600 / 10},{row % 100},x,{row * 7}\n"
            for row in range(500_000)
        )
    program = """
        from galfeat.data import open_dataset
        data = open_dataset("labels.csv")
        print(len(data), *data.class_names, data.ids[-1], data.labels[-1])
    """
    expected = ["500000", "a", "b", "images/0499999.png", "1"]
    assert within_memory(program, tmp_path) == expected


def test_a_long_cell_in_an_unused_column_costs_nothing(tmp_path):
    rows = "".join(f"{row}.png,a,x\n" for row in range(50_000))
    path = table(tmp_path, f"filename,label,notes\nz.png,b,{'y' * 130_000}\n{rows}")
    tracemalloc.start()
    data = open_dataset(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.class_names == ("a", "b")
    assert len(data) == 50_001
    assert peak < 50e6


@pytest.mark.parametrize("column", ["filename", "label", "group_id", "source"])
def test_a_long_cell_in_a_used_column_is_an_error(tmp_path, column):
    cells = {"filename": "b.png", "label": "b", "group_id": "g", "source": "s"}
    long = {**cells, column: "x" * 5000}
    path = table(
        tmp_path, "\n".join(",".join(row) for row in (cells, cells.values(), long.values()))
    )
    message = f"column '{column}' contains 5,000 characters in row 1; expected at most 4,096"
    with pytest.raises(DataError, match=message):
        open_dataset(path, label="label")


def test_one_long_name_among_many_rows_is_within_the_limit_or_an_error(tmp_path):
    path = table(tmp_path, "filename\n" + "x" * 4000 + ".png\n" + "a.png\n" * 100)
    assert len(open_dataset(path)) == 101
    with pytest.raises(
        DataError,
        match=r"column 'filename' of 101 rows and up to 4,004 characters would take 1\.5 MiB",
    ):
        open_dataset(path, max_bytes=10**6)


def test_the_columns_of_a_table_share_the_limit(tmp_path):
    path = table(tmp_path, "filename,label\n" + "image.png,spiral\n" * 30_000)
    with pytest.raises(DataError, match=r"columns of .*labels\.csv would take"):
        open_dataset(path, max_bytes=2 * 2**20)


@pytest.mark.parametrize("column", ["ra", "dec"])
def test_messages_quote_the_beginning_of_a_long_cell(tmp_path, column):
    other = {"ra": "dec", "dec": "ra"}[column]
    path = table(tmp_path, f"filename,{column},{other}\na.png,{'z' * 4000},3\n")
    with pytest.raises(DataError, match=f"column '{column}': 'zzz.* in row 0 is not a number") as e:
        open_dataset(path)
    assert len(str(e.value)) < 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('filename,label\na.png,"spiral\n' + "b.png,merger\n" * 3, "row 2, .*close its quote"),
        ('filename,label\na.png,"spiral\n' + "b.png,merger\n" * 50_000, "row 2, .*close its quote"),
        ('"filename\n' + "b.png,merger\n" * 3, "row 1, .*close its quote"),
        ('filename,label\n"a.png"x,b\n', "row 2, cannot be read as a CSV file"),
        ("filename,label\na.png," + "x" * 2_000_000, "row 2, has more than 1,048,576 characters"),
        ("filename,label\n" + '"a","\n' * 500_000, "row 2, "),
        (b"filename,label\na.png,b\0c\n", "row 2, contains NUL characters"),
        ("filename,label\na.png,b\n".encode("utf-16"), "in UTF-16; save it as CSV, UTF-8"),
        ("filename,label\na.png,b\n".encode("utf-16-be"), "contains NUL characters"),
        ("filename,label\né.png,b\n".encode("latin-1"), "UTF-8 .*save it as CSV, UTF-8"),
        ("a.png,b\nc.png,d\n", r"columns: a.png, b\); its first row lists an image: add a row"),
        ("filename;label\na.png;b,c;d\n", "row 2, has 3 cells; its header has 2"),
        ("\n\n\n", r"has no column 'filename' \(columns: none\)"),
        ("filename,label\n", "lists no images"),
        ("filename,label,label\na.png,b,c\n", "columns 2 and 3 of .* are both named 'label'"),
        ("filename,file,filename\na.png,b,c\n", "columns 1 and 3 of .* are both named 'filename'"),
        ("filename,label\na.png\n", "row 2, has 1 cells; its header has 2"),
        ("filename,label\na.png,b\nc.png,d,e\n", "row 3, has 3 cells; its header has 2"),
        (",".join(map(str, range(10**6))) + "\n", "row 1, has more than 1,048,576 characters"),
        (",".join(map(str, range(10**5))) + "\n", r"columns: 0, 1, .* 19 and 99980 more\)"),
    ],
    ids=short,
)  # fmt: skip
def test_odd_tables_are_errors_of_one_line(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as error:
        open_dataset(table(tmp_path, content))
    assert len(str(error.value)) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        "filename,label\r\na.png,x\r\nb.png,y\r\n",
        "filename,label\ra.png,x\rb.png,y",
        "filename,label\na.png,x\r\nb.png,y\r",
        "\ufefffilename,label\na.png,x\n\n\nb.png,y\n",
        " filename , label \n a.png , x \n b.png , y \n",
        '"filename","label"\n"a.png","x"\n"b.png","y"\n',
        "filename,label,,\na.png,x,1,2\nb.png,y,3,4\n",
        "filename,label,note,note\na.png,x,1,2\nb.png,y,3,4\n",
        "filename;label\na.png;x\nb.png;y\n",
        "filename\tlabel\na.png\tx\nb.png\ty\n",
        "ra;dec;filename;label\n1,5;0,5;a.png;x\n9,5;-0,5;b.png;y\n",
        "#,filename,label\n0,a.png,x\n1,b.png,y\n",
    ],
    ids=[
        *("CRLF", "CR", "mixed", "BOM", "spaces", "quotes", "unnamed columns", "unused twice"),
        *("semicolons", "tabs", "decimal commas", "no comments"),
    ],
)
def test_ordinary_variants_are_read(tmp_path, content):
    data = open_dataset(table(tmp_path, content))
    assert data.ids.tolist() == ["a.png", "b.png"]
    assert data.class_names == ("x", "y")


def test_a_column_that_is_named_must_be_unique(tmp_path):
    path = table(tmp_path, "filename,kind,kind\na.png,x,1\n")
    assert open_dataset(path).class_names == ()
    with pytest.raises(DataError, match=r"columns 2 and 3 of .* are both named 'kind'"):
        open_dataset(path, label="kind")


def test_the_nearest_of_very_many_and_very_long_names_is_found_fast(tmp_path):
    names = ["filename", "coarse", *(f"{row}{'x' * 1000}" for row in range(900))]
    path = table(tmp_path, ",".join(names) + "\n" + ",".join(["a"] * len(names)) + "\n")
    with pytest.raises(DataError, match="no column 'corse'; did you mean 'coarse'"):
        open_dataset(path, label="corse")


def test_very_many_classes_of_one_name_are_found_fast(tmp_path):
    images = np.zeros((1, 8, 8, 3), np.uint8)
    names = [str(number) for number in range(9_999)] + ["9998"]
    np.savez(tmp_path / "a.npz", images=images, ans=[0], class_names=names)
    with pytest.warns(GalfeatWarning, match="named '9998'; give each a unique name"):
        open_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("arguments", "env"), [(["--max-bytes", 1000], {}), ([], {"GALFEAT_MAX_BYTES": "1000"})]
)
def test_the_command_line_names_its_limit(tmp_path, one_line_error, arguments, env):
    table(tmp_path, "filename,label\n" + "a.png,b\n" * 100)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    message, code = one_line_error("data", "info", ".", *arguments, env=env)
    assert "would take" in message
    assert "expected at most 1000 bytes" in message
    assert "--max-bytes" in message
    assert code == 4


def test_repeated_text_of_parquet_takes_the_memory_of_one(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    path = tmp_path / "t.parquet"
    long = "x" * 4000
    columns = pyarrow.table({"id": ["a"] * 20_000, "label": [long, None] * 10_000})
    parquet.write_table(columns, path)
    data = open_dataset(path, max_bytes=2 * 2**20)
    assert data.class_names == (long,)
    with pytest.raises(DataError, match=r"t\.parquet would take .*expected at most 97\.7 KiB"):
        open_dataset(path, max_bytes=100_000)


def test_tables_that_unpack_to_more_than_the_limit_are_refused(tmp_path):
    pytest.importorskip("astropy")
    bomb = gzip.compress(bytes(200 * 2**20))
    for name in ("t.ecsv", "t.vot"):
        (tmp_path / name).write_bytes(bomb)
        with pytest.raises(DataError, match="would take"):
            open_dataset(tmp_path / name, max_bytes=10 * 2**20)
    for packed in (bz2.compress(b"x"), lzma.compress(b"x")):
        (tmp_path / "t.ecsv").write_bytes(packed)
        with pytest.raises(DataError, match="is compressed; unpack it"):
            open_dataset(tmp_path / "t.ecsv")
    (tmp_path / "t.csv").write_bytes(bomb[:1000])
    with pytest.raises(DataError, match=r"CSV file in UTF-8|NUL"):
        open_dataset(tmp_path / "t.csv")


def test_a_votable_does_not_fetch_its_data(tmp_path):
    tables = pytest.importorskip("astropy.table")
    tables.Table({"id": ["a"], "label": ["x"]}).write(tmp_path / "t.vot", format="votable")
    content = (tmp_path / "t.vot").read_text()
    start, end = content.index("<TABLEDATA>"), content.index("</TABLEDATA>") + len("</TABLEDATA>")
    (tmp_path / "secret").write_bytes(bytes(100))
    stream = f'<BINARY><STREAM\n href="file://{tmp_path}/secret"/></BINARY>'
    for text in (content[:start] + stream + content[end:], content.encode("utf-16")):
        (tmp_path / "t.vot").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(DataError, match="save it as a VOTable that holds its data"):
            open_dataset(tmp_path / "t.vot")


def test_folders_are_listed_once_however_a_table_spells_them(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "deep" / "a.png")
    listings = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listings.append(path), scan(path))[1])
    names = [f"deep{'/../deep' * number}/b{number}" for number in range(50)]
    images = open_dataset(table(tmp_path, "\n".join(["filename", *names]))).read(range(50))
    assert all(isinstance(image, ImageError) for image in images)
    assert len(listings) <= 4


@pytest.mark.parametrize("name", ["t.parquet", "t.ecsv", "t.vot", "t.fits"])
def test_damaged_tables_are_errors_of_one_line(tmp_path, name):
    pytest.importorskip("pyarrow" if name == "t.parquet" else "astropy")
    (tmp_path / name).write_bytes(b"{'id': [1, 2]}" * 3)
    if name == "t.fits":
        pytest.importorskip("astropy.table").Table({"id": [1, 2]}).write(
            tmp_path / name, overwrite=True
        )
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:5760].replace(b"TFIELDS ", b"TFIELDZ "))
    with pytest.raises(DataError, match="cannot be read as"):
        open_dataset(tmp_path / name)
