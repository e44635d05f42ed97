"""Labels from votes: every class, thresholds, ties, missing answers, and real tables."""

import csv
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from galfeat.cli import main
from galfeat.data import open_dataset
from galfeat.data.catalogue import (
    label_votes,
    read_fractions,
    read_soft_labels,
    read_table,
    vote_scheme,
)
from galfeat.data.catalogue.galaxy10 import GALAXY10_DECALS, GALAXY10_DECALS_COARSE
from galfeat.errors import DataError, GalfeatWarning

SCHEMES = ("gz2", "gz-decals")
#: The set of column names of each question in three published forms.
FORMS = {"kaggle": ("gz2", 0), "gz2": ("gz2", 1), "decals": ("gz-decals", 0)}
#: Answers that lead to each class, by question; the others have no answers.
PATHS = {
    "Disturbed": {"smooth": "featured", "disturbance": "disturbed"},
    "Merging": {"smooth": "featured", "disturbance": "merger"},
    "Round Smooth": {"smooth": "smooth", "rounded": "round"},
    "In-between Round Smooth": {"smooth": "smooth", "rounded": "in-between"},
    "Cigar Shaped Smooth": {"smooth": "smooth", "rounded": "cigar"},
    "Barred Spiral": {"smooth": "featured", "edge-on": "no", "bar": "yes", "spiral": "yes"},
    "Unbarred Tight Spiral": {
        **{"smooth": "featured", "edge-on": "no", "bar": "no", "spiral": "yes"},
        "winding": "tight",
    },
    "Unbarred Loose Spiral": {
        **{"smooth": "featured", "edge-on": "no", "bar": "no", "spiral": "yes"},
        "winding": "loose",
    },
    "Edge-on without Bulge": {"smooth": "featured", "edge-on": "yes", "bulge": "none"},
    "Edge-on with Bulge": {"smooth": "featured", "edge-on": "yes", "bulge": "boxy"},
}


def answers(**votes):
    """Return votes by question and answer: whole numbers of volunteers."""
    votes = {name.replace("_", "-"): value for name, value in votes.items()}
    disturbance = votes.pop("disturbance", {"none": 40})
    odd = {"yes": disturbance.get("merger", 0) + disturbance.get("disturbed", 0)}
    odd["no"] = disturbance.get("none", 0)
    return {**votes, "odd": odd, "odd-feature": disturbance, "merging": disturbance}


def path_votes(name, volunteers=40):
    return answers(
        **{q.replace("-", "_"): {answer: volunteers} for q, answer in PATHS[name].items()}
    )


def table_of(galaxies, form="decals", ending=""):
    """Return a table with one row of votes for each galaxy, in one published form."""
    scheme, number = FORMS[form]
    table = {"iauname": np.array([f"J{row}" for row in range(len(galaxies))], dtype=object)}
    for question in vote_scheme(scheme).questions.values():
        columns = question.columns[min(number, len(question.columns) - 1)]
        for answer, (first, *others) in columns.items():
            given = [galaxy.get(question.name, {}).get(answer, 0) for galaxy in galaxies]
            table[first + ending] = np.array(given, dtype=float)
            table |= {name + ending: np.zeros(len(galaxies)) for name in others}
    return table


def fractions_of(table, scheme, along_the_tree=False):
    """Convert counts to fractions; multiply them along the tree as on Kaggle if asked to."""
    questions = vote_scheme(scheme).questions
    parent = {
        **{"rounded": "smooth.smooth", "edge-on": "smooth.featured", "bulge": "edge-on.yes"},
        **{"bar": "edge-on.no", "spiral": "edge-on.no", "winding": "spiral.yes"},
        "odd-feature": "odd.yes",
    }
    result, of_answer = dict(table), {}
    for name in ("smooth", "odd", "merging", "edge-on", "rounded", "bar", "spiral", "bulge",
                 "winding", "odd-feature"):  # fmt: skip
        if name not in questions:
            continue
        columns = questions[name].located(table)[0]
        total = sum(table[c] for spelled in columns.values() for c in spelled)
        factor = of_answer[parent[name]] if along_the_tree and name in parent else 1.0
        for answer, spelled in columns.items():
            for column in spelled:
                with np.errstate(invalid="ignore", divide="ignore"):
                    result[column] = np.nan_to_num(table[column] / total) * factor
            of_answer[f"{name}.{answer}"] = sum(result[column] for column in spelled)
    return result


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("volunteers", [1, 40])
def test_every_class_is_reached(form, volunteers):
    table = table_of([path_votes(name, volunteers) for name in GALAXY10_DECALS], form)
    labels = label_votes(table, FORMS[form][0])
    assert labels.class_ids.tolist() == list(range(10))
    assert labels.coarse == list(GALAXY10_DECALS_COARSE)
    assert labels.unreachable == []
    assert labels.counts() == dict.fromkeys(GALAXY10_DECALS, 1)
    soft = np.stack(list(labels.fractions.values()), axis=1)
    assert list(labels.fractions) == list(GALAXY10_DECALS)
    np.testing.assert_allclose(soft, np.eye(10))


@pytest.mark.parametrize("form", FORMS)
def test_counts_and_fractions_give_the_same(form):
    rng = np.random.default_rng(5)
    scheme = FORMS[form][0]
    names = {q.name: list(q.columns[0]) for q in vote_scheme(scheme).questions.values()}
    galaxies = [
        {
            name: {answer: int(rng.integers(0, 20)) for answer in given}
            for name, given in names.items()
        }
        for _ in range(60)
    ]
    counts = table_of(galaxies, form)
    labels = label_votes(counts, scheme, threshold=0.2)
    assert (labels.class_ids >= 0).any()
    for along_the_tree in (False, True):
        same = label_votes(fractions_of(counts, scheme, along_the_tree), scheme, threshold=0.2)
        assert same.class_ids.tolist() == labels.class_ids.tolist()
        assert same.coarse == labels.coarse
        for name, values in labels.fractions.items():
            np.testing.assert_allclose(same.fractions[name], values, atol=1e-12)


def test_shares_are_products_along_the_tree():
    galaxy = answers(
        smooth={"smooth": 5, "featured": 30, "artifact": 5},
        rounded={"round": 5},
        edge_on={"yes": 6, "no": 24},
        bulge={"none": 6},
        bar={"yes": 6, "no": 18},
        spiral={"yes": 20, "no": 4},
        winding={"tight": 10, "medium": 6, "loose": 4},
        disturbance={"merger": 4, "disturbed": 4, "none": 32},
    )
    tree = vote_scheme("gz-decals")
    fractions = tree.fractions(table_of([galaxy]))
    face_on = 30 / 40 * 24 / 30 * 20 / 24
    hard = tree.shares(tree.classes, fractions)
    assert hard["Merging"] == pytest.approx(35 / 40 * 4 / 40)
    assert hard["Round Smooth"] == pytest.approx(5 / 40 * 0.8)
    assert hard["Barred Spiral"] == pytest.approx(face_on * 6 / 24 * 0.8)
    assert hard["Unbarred Tight Spiral"] == pytest.approx(face_on * 18 / 24 * 10 / 20 * 0.8)
    soft = tree.shares(tree.classes, fractions, soft=True)
    assert soft["Unbarred Tight Spiral"] == pytest.approx(face_on * 18 / 24 * 13 / 20 * 0.8)
    # All but artifacts and discs without arms.
    missing = 5 / 40 + 30 / 40 * 24 / 30 * 4 / 24 * 0.8
    assert sum(soft.values()) == pytest.approx(1 - missing)
    coarse = tree.shares(tree.coarse, fractions)
    assert coarse["spiral"] == pytest.approx(face_on * 0.8)
    assert coarse["edge-on"] == pytest.approx(30 / 40 * 6 / 30 * 0.8)


def test_the_share_must_exceed_the_threshold():
    galaxies = [
        answers(smooth={"smooth": n, "featured": 20 - n}, rounded={"round": n}, edge_on={"no": 1})
        for n in (10, 11, 12)
    ]
    table = table_of(galaxies)
    assert label_votes(table, "gz-decals").class_ids.tolist() == [-1, -1, 2]
    assert label_votes(table, "gz-decals", threshold=0.5).class_ids.tolist() == [-1, 2, 2]
    assert label_votes(table, "gz-decals", threshold=0.0).class_ids.tolist() == [2, 2, 2]


def test_ties_have_no_class():
    galaxy = answers(smooth={"smooth": 40}, rounded={"round": 20, "cigar": 20})
    labels = label_votes(table_of([galaxy]), "gz-decals", threshold=0.1)
    assert labels.class_ids.tolist() == [-1]
    assert labels.coarse == ["smooth"]
    assert labels.fractions["Round Smooth"] == labels.fractions["Cigar Shaped Smooth"] == 0.5


def test_galaxies_of_no_class_have_no_fractions():
    artifact = answers(smooth={"artifact": 40})
    armless = answers(
        smooth={"featured": 40}, edge_on={"no": 40}, spiral={"no": 40}, bar={"no": 40}
    )
    nobody = {}
    labels = label_votes(table_of([artifact, armless, nobody]), "gz-decals", threshold=0)
    assert labels.class_ids.tolist() == [-1] * 3
    assert np.isnan(np.stack(list(labels.fractions.values()))).all()
    assert not labels.labelled().any()


def test_unanswered_questions_matter_only_where_the_tree_leads_there():
    smooth = answers(smooth={"smooth": 40}, rounded={"cigar": 40})
    cut_short = answers(smooth={"featured": 40}, edge_on={"no": 40}, bar={"no": 40})
    labels = label_votes(table_of([smooth, cut_short]), "gz-decals", threshold=0)
    assert labels.class_ids.tolist() == [4, -1]
    assert np.isfinite(labels.fractions["Unbarred Tight Spiral"]).tolist() == [True, False]


def test_empty_cells_are_no_votes():
    table = table_of([path_votes("Round Smooth")] * 2)
    table["bar_strong"] = np.array(["", "nan"], dtype=object)
    assert label_votes(table, "gz-decals").class_ids.tolist() == [2, 2]


def test_a_table_without_some_questions_reaches_fewer_classes():
    table = table_of([path_votes(name) for name in GALAXY10_DECALS], "gz2")
    table = {name: values for name, values in table.items() if "t08" not in name}
    with pytest.warns(GalfeatWarning, match="no galaxy gets the class Disturbed or Merging"):
        labels = label_votes(table, "gz2")
    assert labels.class_ids.tolist() == [-1, -1, *range(2, 10)]
    assert list(labels.fractions) == list(GALAXY10_DECALS[2:])
    assert labels.unreachable == ["Disturbed", "Merging", "merger"]


def test_a_table_with_the_first_question_reaches_smooth():
    table = table_of([path_votes("Round Smooth"), path_votes("Barred Spiral")])
    table = {name: values for name, values in table.items() if name.startswith(("iau", "smooth"))}
    with pytest.warns(GalfeatWarning, match="no galaxy gets any of the ten classes"):
        labels = label_votes(table, "gz-decals")
    assert labels.coarse == ["smooth", ""]
    assert labels.fractions == {}


def test_a_table_without_artifacts_is_read():
    table = table_of([path_votes(name) for name in GALAXY10_DECALS])
    del table["smooth-or-featured_artifact"]
    assert label_votes(table, "gz-decals").class_ids.tolist() == list(range(10))


def test_debiased_fractions_come_before_counts():
    counts = table_of([path_votes("Round Smooth")], "gz2", "_count")
    debiased = table_of([path_votes("Edge-on with Bulge")], "gz2", "_debiased")
    assert label_votes({**counts, **debiased}, "gz2").class_ids.tolist() == [9]
    assert label_votes(counts, "gz2").class_ids.tolist() == [2]


def test_columns_of_a_campaign_and_in_capitals_are_found():
    table = table_of([path_votes("Barred Spiral")])
    renamed = {name.replace("_", "-dr5_", 1).upper(): values for name, values in table.items()}
    assert label_votes(renamed, "gz-decals").class_ids.tolist() == [5]


def test_a_row_without_votes_in_one_campaign_takes_those_of_another():
    new = table_of([path_votes("Barred Spiral"), {}])
    old = {
        name.replace("_", "-dr12_", 1): values
        for name, values in table_of([path_votes("Round Smooth")] * 2).items()
        if name != "iauname"
    }
    assert label_votes({**new, **old}, "gz-decals").class_ids.tolist() == [5, 2]


def test_earlier_answers_of_decals_are_known():
    table = table_of([path_votes("Barred Spiral"), path_votes("Merging")])
    table["bar_yes"] = table.pop("bar_strong") + table.pop("bar_weak")
    merger = table.pop("merging_merger")
    table |= {"merging_merger": merger * 0, "merging_both": merger}
    table["merging_neither"] = table.pop("merging_none")
    table["merging_tidal-debris"] = table.pop("merging_major-disturbance")
    table["how-rounded_completely"] = table.pop("how-rounded_round")
    del table["merging_minor-disturbance"]
    assert label_votes(table, "gz-decals").class_ids.tolist() == [5, 1]


@pytest.mark.parametrize("value", ["-1", "many", "inf"])
def test_votes_that_are_no_numbers_are_errors(value):
    table = table_of([path_votes("Round Smooth")])
    table["bar_no"] = np.array([value], dtype=object)
    with pytest.raises(DataError, match=r"'bar_no' contains .* in row 1; expected a number"):
        label_votes(table, "gz-decals")


def test_invalid_arguments_are_errors():
    table = table_of([path_votes("Round Smooth")])
    with pytest.raises(DataError, match="choose gz2 or gz-decals"):
        label_votes(table, "gz3")
    with pytest.raises(DataError, match="at least 0 and below 1"):
        label_votes(table, "gz-decals", threshold=1.0)
    with pytest.raises(DataError, match=r"has no votes of Galaxy Zoo 2.*choose another scheme"):
        label_votes({"id": np.array(["a"])}, "gz2")
    with pytest.raises(DataError, match="no column 'objid'"):
        label_votes(table, "gz-decals", id_column="objid")
    del table["iauname"]
    with pytest.raises(DataError, match="no column that names the galaxies"):
        label_votes(table, "gz-decals")


# Soft labels in a table


def test_fractions_are_read_in_the_order_of_the_classes():
    columns = {"p_b": np.array(["0.25", "", "1"]), "p_a": np.array(["0.75", "", "0"])}
    read = read_fractions(columns, columns.__getitem__, ("a", "b", "c"))
    assert read.fractions[0].tolist() == [0.75, 0.25, 0.0]
    assert read.known().tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"p_a": ["1"]}, "has 1 columns 'p_CLASS'"),
        ({"p_a": ["1"], "p_d": ["0"]}, "column 'p_d' is not a class"),
        ({"p_a": ["0.5"], "p_b": ["0.6"]}, "row 1, 0.5, 0.6, do not sum to one"),
        ({"p_a": ["-0.5"], "p_b": ["1.5"]}, "do not sum to one"),
        ({"p_a": ["1"], "p_b": [""]}, "do not sum to one"),
        ({"p_a": ["1"], "p_b": ["x"]}, "contains 'x' in row 1; expected a number"),
    ],
)
def test_invalid_fractions_are_errors(columns, message):
    columns = {name: np.array(values, dtype=object) for name, values in columns.items()}
    with pytest.raises(DataError, match=message):
        read_fractions(columns, columns.__getitem__, ("a", "b"))


def test_soft_labels_follow_the_rows_of_a_data_set(tmp_path):
    for name in "abc":
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    table = {"filename": ["a.png", "b.png", "c.png"], "p_x": [0.1, "", 1], "p_y": [0.9, "", 0]}
    write_csv(tmp_path / "labels.csv", table)
    data = open_dataset(tmp_path).select([2, 0, 1])
    soft = read_soft_labels(tmp_path, data.ids)
    assert soft.class_names == ("x", "y")
    np.testing.assert_array_equal(soft.fractions, [[1, 0], [0.1, 0.9], [np.nan] * 2])
    assert np.isnan(read_soft_labels(tmp_path, ["d.png"]).fractions).all()
    write_csv(tmp_path / "labels.csv", {**table, "filename": ["a.png", "a.png", "c.png"]})
    with pytest.raises(DataError, match=r"lists a.png in rows 1 and 2 with different fractions"):
        read_soft_labels(tmp_path, data.ids)
    write_csv(tmp_path / "labels.csv", {"kind": ["a"], "p_x": [0.1], "p_y": [0.9]})
    with pytest.raises(DataError, match="has no column 'filename'"):
        read_soft_labels(tmp_path, data.ids)


@pytest.mark.parametrize("column", ["GalaxyID", "FILE", "id_str", "dr7objid", "chosen"])
def test_soft_labels_are_found_by_the_column_that_names_the_images(tmp_path, column):
    Image.new("RGB", (8, 8)).save(tmp_path / "7.png")
    table = {"kind": ["8", "7"], column: ["8", "7"], "p_x": [0.1, 1], "p_y": [0.9, 0]}
    write_csv(tmp_path / "labels.csv", table)
    file_column = "chosen" if column == "chosen" else None
    data = open_dataset(tmp_path / "labels.csv", file_column=file_column)
    soft = read_soft_labels(tmp_path, data.ids, file_column=file_column)
    np.testing.assert_array_equal(soft.fractions, [[0.1, 0.9], [1, 0]])


# The command


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["data", "label-votes", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def write_csv(path, table, separator=","):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


@pytest.fixture
def votes(tmp_path):
    table = table_of([path_votes(name) for name in GALAXY10_DECALS] + [{}])
    return write_csv(tmp_path / "votes.csv", {**table, "ra": [10.0] * 11, "dec": range(11)})


def test_the_labels_open_as_a_data_set(votes, tmp_path):
    for row in range(10):
        Image.new("RGB", (8, 8), (row, 0, 0)).save(tmp_path / f"J{row}.jpg")
    result = run(votes, "--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
    assert result.stdout == f"{tmp_path / 'labels.csv'}\n"
    assert "10 of 11 galaxies have a class:\n  Disturbed: 1\n" in result.stderr
    assert "9 of 11 galaxies have a coarse class:\n  smooth: 3\n  spiral: 3\n" in result.stderr
    assert "1 have no class with more than 0.55 of the votes; 1 have no label" in result.stderr
    data = open_dataset(tmp_path, label="class_id")
    assert data.class_names == GALAXY10_DECALS
    assert data.labels.tolist() == list(range(10))
    assert data.dec.tolist() == list(range(10))
    assert len(data.read(range(10))) == 10
    columns = read_table(tmp_path / "labels.csv")
    soft = read_fractions(columns, columns.__getitem__, GALAXY10_DECALS)
    assert soft.fractions.tolist() == np.eye(10).tolist()


def test_images_are_found_by_id(votes, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "J3.png")
    output = tmp_path / "labels.csv"
    result = run(votes, "--scheme", "gz-decals", "--images", folder, "-o", output)
    assert (
        f"9 have no image in {folder} and were left out: J0, J1, J2, J4, J5, ..." in result.stderr
    )
    assert read_table(output)["filename"].tolist() == ["pictures/J3.png"]
    (folder / "J3.png").unlink()
    result = run(votes, "--scheme", "gz-decals", "--images", folder, "-o", output, code=4)
    assert "none of the 10 galaxies has an image" in result.stderr


def test_other_formats_give_the_same_labels(votes, tmp_path):
    table = read_table(votes)
    write_csv(tmp_path / "votes.tsv", table, "\t")
    write_csv(tmp_path / "semicolons.csv", table, ";")
    paths = [tmp_path / "votes.tsv", tmp_path / "semicolons.csv"]
    numbers = {
        name: values if name == "iauname" else values.astype(float)
        for name, values in table.items()
    }
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(numbers), tmp_path / "votes.parquet")
    astropy = pytest.importorskip("astropy.table")
    astropy_table = astropy.Table({name: list(values) for name, values in numbers.items()})
    for kind, name in (("fits", "v.fits"), ("votable", "v.vot"), ("ascii.ecsv", "v.ecsv")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            astropy_table.write(tmp_path / name, format=kind)
        paths.append(tmp_path / name)
    paths.append(tmp_path / "votes.parquet")
    run(votes, "--scheme", "gz-decals", "-o", tmp_path / "expected.csv")
    expected = read_table(tmp_path / "expected.csv")
    for path in paths:
        run(path, "--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
        labels = read_table(tmp_path / "labels.csv")
        for name in ("filename", "class_id", "coarse", "p_Barred Spiral"):
            assert labels[name].tolist() == expected[name].tolist(), path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("votes.csv", "iauname,bar_no\nJ1\n", "row 2, has 1 cells; its header has 2"),
        ("votes.csv", "a,b\n1,2\n", "no column that names the galaxies"),
        ("votes.csv", "", "no column that names the galaxies"),
        ("votes.fits", "no table", "cannot be read as fits"),
        ("votes.vot", "no table", "cannot be read as votable"),
        ("votes.parquet", "no table", "cannot be read as Parquet"),
        ("votes.doc", "no table", "has an unknown format"),
    ],
)
def test_odd_tables_are_errors_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    arguments = ("--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
    result = run(tmp_path / name, *arguments, code=4)
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "labels.csv").exists()


def test_missing_files_and_folders_are_errors(votes, tmp_path):
    arguments = ("--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
    assert "is not a file" in run(tmp_path / "none.csv", *arguments, code=4).stderr
    assert "is not a folder" in run(votes, *arguments, "--images", "none", code=4).stderr
    run(votes, "--scheme", "gz-decals", "-o", tmp_path / "none" / "labels.csv", code=7)


# Real votes


def test_real_votes_of_kaggle(real_images, tmp_path):
    folder = real_images / "gz2-votes-100"
    output = tmp_path / "labels.csv"
    result = run(folder / "votes.csv", "--scheme", "gz2", "-o", output)
    assert "34 of 101 galaxies have a class" in result.stderr
    assert "61 of 101 galaxies have a coarse class" in result.stderr
    columns = read_table(output)
    soft = read_fractions(columns, columns.__getitem__, GALAXY10_DECALS)
    votes = read_table(folder / "votes.csv")
    row = votes["GalaxyID"].tolist().index(columns["filename"][0].removesuffix(".jpg"))
    shares = {name: float(votes[name][row]) for name in votes}
    ratio = soft.fractions[0][4] / soft.fractions[0][9]
    assert ratio == pytest.approx(shares["Class7.3"] / (shares["Class9.1"] + shares["Class9.2"]))


def test_a_real_table_of_two_answers(real_images, tmp_path):
    path = real_images / "gz2-votes-100" / "tables" / "zoobot.csv"
    arguments = ("--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
    assert run(path, *arguments, "--threshold", 0.2).exit_code == 0
    assert read_table(tmp_path / "labels.csv")["coarse"][0] == "smooth"
    assert "lower the threshold" in run(path, *arguments, code=4).stderr


def test_real_counts_of_decals(real_images, tmp_path):
    path = real_images / "gz2-votes-100" / "decals-counts-200.csv"
    result = run(path, "--scheme", "gz-decals", "-o", tmp_path / "labels.csv")
    assert "no galaxy gets any of the ten classes" in result.stderr
    assert "109 of 200 galaxies have a coarse class:\n  smooth: 109\n2" in result.stderr
    table = read_table(path)
    smooth, total = (
        table[f"smooth-or-featured_{name}"].astype(float) for name in ("smooth", "total-votes")
    )
    assert (smooth / total > 0.55).sum() == 109
