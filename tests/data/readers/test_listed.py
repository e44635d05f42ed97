"""Tables of images as people have them: any format, column, spelling and place of the files."""

import numpy as np
import pytest
from PIL import Image

from galfeat.data import open_dataset
from galfeat.data.catalogue.astropy_tables import is_fits_table
from galfeat.errors import DataError, GalfeatWarning, ImageError

COLUMNS = {"GalaxyID": [1, 2, 3, 4], "class": ["spiral", "", "smooth", "spiral"]}


def save(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), shade).save(path)


def write_csv(path, columns=COLUMNS, separator=","):
    rows = [columns, *zip(*columns.values(), strict=True)]
    path.write_text("\n".join(separator.join(map(str, row)) for row in rows))


def write_parquet(path, columns):
    pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def write_votes_parquet(path):
    classes = [name or None for name in COLUMNS["class"]]
    write_parquet(path, {"GalaxyID": COLUMNS["GalaxyID"], "class": classes})


def write_astropy(path, **options):
    table = pytest.importorskip("astropy.table", reason="FITS, VOTable and ECSV need astropy")
    classes = table.MaskedColumn(COLUMNS["class"], mask=[not name for name in COLUMNS["class"]])
    columns = {"GalaxyID": COLUMNS["GalaxyID"], "class": classes}
    table.Table(columns).write(path, **options)


def shades(data):
    """The grey level of each image, None for errors."""
    images = data.read(np.arange(len(data)))
    return [None if isinstance(image, ImageError) else int(image[0, 0, 0]) for image in images]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("votes.csv", write_csv),
        ("votes.txt", lambda path: write_csv(path, separator="\t")),
        ("votes.tsv", lambda path: write_csv(path, separator="\t")),
        ("VOTES.CSV", lambda path: write_csv(path, separator=";")),
        ("votes.parquet", write_votes_parquet),
        ("votes.fits", write_astropy),
        ("votes.fits.gz", write_astropy),
        ("votes.ecsv", write_astropy),
        ("votes.vot", lambda path: write_astropy(path, format="votable")),
    ],
)
def test_every_format_lists_the_same_images(tmp_path, name, write):
    for number in range(1, 5):
        save(tmp_path / "images" / f"{number}.jpg", number)
    write(tmp_path / name)
    data = open_dataset(tmp_path / name)
    assert data.ids.tolist() == ["1", "2", "3", "4"]
    assert data.class_names == ("smooth", "spiral")
    assert data.labels.tolist() == [1, -1, 0, 1]
    assert shades(data) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "column",
    [
        *("filename", "FILE", "Path", "image", "file_loc", "id", "GalaxyID", "id_str", "iauname"),
        *("objid", "dr7objid", "image_path"),
    ],
)
def test_the_column_of_files_has_any_usual_name_in_any_case(tmp_path, column):
    save(tmp_path / "a.png", 5)
    write_csv(tmp_path / "t.csv", {"note": ["x"], column: ["a.png"]})
    assert shades(open_dataset(tmp_path / "t.csv")) == [5]


def test_a_named_column_of_files_is_used(tmp_path):
    save(tmp_path / "a.png", 5)
    write_csv(tmp_path / "t.csv", {"filename": ["b.png"], "stamp": ["a"]})
    assert shades(open_dataset(tmp_path / "t.csv", file_column="Stamp")) == [5]
    with pytest.raises(DataError, match="no column 'stmp'; did you mean 'stamp'"):
        open_dataset(tmp_path / "t.csv", file_column="stmp")


@pytest.mark.parametrize(
    ("listed", "file"),
    [
        ("m51", "m51.png"),
        ("m51", "m51.JPG"),
        ("m51.jpg", "m51.JPG"),
        ("M51.PNG", "M51.png"),
        ("J0120.5", "J0120.5.png"),
        (r"Test\m51.png", "Test/m51.png"),
        (r"Test\m51", "Test/m51.JPEG"),
        ("Test/m51.png", "images/m51.png"),
        (r"C:\Users\me\m51.png", "m51.png"),
        ("/home/me/stamps/m51.png", "images/m51.png"),
        ("1.0", "1.png"),
    ],
)
def test_names_are_found_as_people_write_them(tmp_path, listed, file):
    save(tmp_path / file, 7)
    save(tmp_path / "other.png", 9)
    table = tmp_path / "t.csv"
    write_csv(table, {"filename": [listed], "label": ["a"]})
    if listed == "1.0":  # a column of numbers with a gap, as Parquet files have
        table = tmp_path / "t.parquet"
        write_parquet(table, {"objid": [1.0]})
    assert shades(open_dataset(table)) == [7]


def test_ids_that_became_floats_are_found(tmp_path):
    save(tmp_path / "107388.png", 1)
    save(tmp_path / "5.0.png", 2)
    write_csv(tmp_path / "table.csv", {"GalaxyID": ["107388.0", "5.0"]})
    assert shades(open_dataset(tmp_path / "table.csv")) == [1, 2]


def test_exact_names_come_first(tmp_path):
    for shade, name in enumerate(["a.png", "a.PNG", "a.jpg", "images/a.png", "b.jpg", "b.png"]):
        save(tmp_path / name, shade)
    (tmp_path / "c").mkdir()
    save(tmp_path / "c.png", 8)
    write_csv(tmp_path / "t.csv", {"filename": ["a.PNG", "a.png", "images/a", "b", "c"]})
    assert shades(open_dataset(tmp_path / "t.csv")) == [1, 0, 3, 4, 8]


def test_folders_are_dropped_from_names_only_if_that_is_unambiguous(tmp_path):
    save(tmp_path / "1.png", 1)
    save(tmp_path / "2.png", 2)
    save(tmp_path / "spiral" / "1.png", 3)
    names = ["spiral/1.png", "smooth/1.png", "smooth/2.png", "smooth/2.png"]
    write_csv(tmp_path / "t.csv", {"filename": names})
    assert shades(open_dataset(tmp_path / "t.csv")) == [3, None, 2, 2]


def test_images_are_looked_for_in_the_given_folder_only(tmp_path):
    save(tmp_path / "a.png", 1)
    save(tmp_path / "elsewhere" / "a.png", 2)
    write_csv(tmp_path / "t.csv", {"filename": ["Test/a.png", "b"]})
    data = open_dataset(tmp_path / "t.csv", images_in=tmp_path / "elsewhere")
    assert shades(data) == [2, None]
    assert f"looked in {tmp_path / 'elsewhere'}" in str(data.read([1])[0])
    with pytest.raises(DataError, match="nowhere is not a folder"):
        open_dataset(tmp_path / "t.csv", images_in=tmp_path / "nowhere")


@pytest.mark.parametrize("column", ["label", "class_id"])
@pytest.mark.parametrize("missing", ["", "NA", "N/A", "None", "nan", "NaN", "null", "NULL"])
def test_missing_values_are_no_labels(tmp_path, missing, column):
    values = ["1", missing, "0"] if column == "class_id" else ["b", missing, "a"]
    write_csv(tmp_path / "t.csv", {"file": ["a", "b", "c"], column: values})
    data = open_dataset(tmp_path / "t.csv")
    assert data.labels.tolist() == [1, -1, 0]
    assert len(data.class_names) == 2


def test_the_class_none_of_galaxies_without_a_bar_is_kept(tmp_path):
    write_csv(tmp_path / "t.csv", {"file": ["a", "b"], "label": ["none", "weak"]})
    assert open_dataset(tmp_path / "t.csv").class_names == ("none", "weak")


def test_columns_of_a_catalogue_are_found_in_any_case(tmp_path):
    table = {"FILE": ["a", "b", "c"], "RA": [1, 1, 9], "Dec": [2, 2, 2], "CLASS": ["x", "x", "y"]}
    write_csv(tmp_path / "t.csv", table)
    data = open_dataset(tmp_path / "t.csv")
    assert data.label_column == "CLASS"
    assert data.groups.tolist() == ["0", "0", "2"]
    assert open_dataset(tmp_path / "t.csv", label="class").label_column == "CLASS"


def test_a_column_of_splits_divides_a_table(tmp_path):
    table = {"id": ["a", "b", "c"], "SPLIT": ["Train", "validation", ""], "label": ["x", "y", "z"]}
    write_csv(tmp_path / "t.csv", table)
    data = open_dataset(tmp_path / "t.csv")
    assert data.splits.tolist() == ["train", "val", ""]
    part = open_dataset(tmp_path / "t.csv", split="val")
    assert (part.ids.tolist(), part.class_names) == (["b"], ("y",))
    with pytest.raises(DataError, match=r"no images of the split 'test' \(splits: train, val\)"):
        open_dataset(tmp_path / "t.csv", split="test")
    write_csv(tmp_path / "t.csv", {**table, "SPLIT": ["train", "fold 2", ""]})
    assert open_dataset(tmp_path / "t.csv").splits is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,x\na,b\n", "has no column 'filename'"),
        ("filename,label\na.png,b,c\n", "row 2, has 3 cells"),
        (
            "filename,label\nelsewhere.png,b\n",
            "none of the 1 images that .* lists exists, such as 'elsewhere.png'",
        ),
        ("filename,label\n", "lists no images"),
    ],
)
def test_a_table_that_cannot_be_used_does_not_block_its_folder(tmp_path, content, message):
    save(tmp_path / "spiral" / "a.png", 1)
    save(tmp_path / "smooth" / "b.png", 2)
    (tmp_path / "labels.csv").write_text(content)
    with pytest.warns(GalfeatWarning, match=f"continuing with all images .*: .*{message}"):
        data = open_dataset(tmp_path)
    assert (shades(data), data.label_column) == ([2, 1], None)
    assert data.notes == ()
    if "exists" not in message:
        with pytest.raises(DataError, match=message):
            open_dataset(tmp_path, label="label")


def test_fits_images_are_not_tables(tmp_path):
    fits = pytest.importorskip("astropy.io.fits", reason="FITS needs astropy")

    image = np.zeros((8, 8), np.float32)
    table = fits.BinTableHDU.from_columns([fits.Column("id", "5A", array=["a"])])
    for name, units, expected in (
        ("image", [fits.PrimaryHDU(image)], False),
        ("later", [fits.PrimaryHDU(), fits.ImageHDU(image)], False),
        ("packed", [fits.PrimaryHDU(), fits.CompImageHDU(image)], False),
        ("catalogue", [fits.PrimaryHDU(), table], True),
        ("beside", [fits.PrimaryHDU(image), table], False),
    ):
        path = tmp_path / f"{name}.fits"
        fits.HDUList(units).writeto(path)
        assert is_fits_table(path) is expected, name
    (tmp_path / "short.fits").write_bytes((tmp_path / "catalogue.fits").read_bytes()[:4000])
    assert not is_fits_table(tmp_path / "short.fits")
    assert open_dataset(tmp_path / "image.fits").read([0])[0].shape == (8, 8, 3)


def test_columns_of_lists_are_no_columns_of_a_parquet_file(tmp_path):
    columns = {"id": [["a"]], "file": ["b"], "label": [{"x": 1}], "y": ["c"]}
    write_parquet(tmp_path / "t.parquet", columns)
    data = open_dataset(tmp_path / "t.parquet")
    assert (data.ids.tolist(), data.class_names) == (["b"], ("c",))


@pytest.mark.parametrize("kind", ["binary", "ascii"])
def test_fits_tables_with_gaps_and_lists_are_read(tmp_path, kind):
    fits = pytest.importorskip("astropy.io.fits", reason="FITS needs astropy")

    columns = [
        fits.Column("GalaxyID", "K" if kind == "binary" else "I8", array=[1, 2, 3]),
        fits.Column("Class_ID", "J" if kind == "binary" else "I4", array=[1, -9, 0], null=-9),
    ]
    if kind == "binary":
        heap = np.array([np.zeros(3), np.zeros(2), np.zeros(1)], dtype=object)
        columns.append(fits.Column("id", "PD()", array=heap))
        columns.append(fits.Column("label", "2J", array=[[1, 2]] * 3))
    unit = fits.BinTableHDU if kind == "binary" else fits.TableHDU
    unit.from_columns(columns).writeto(tmp_path / "t.fits")
    data = open_dataset(tmp_path / "t.fits")
    assert data.ids.tolist() == ["1", "2", "3"]
    assert (data.label_column, data.labels.tolist()) == ("Class_ID", [1, -1, 0])
