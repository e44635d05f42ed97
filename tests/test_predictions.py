"""Predictions as rows, as a table and in a notebook."""

import copy
import csv
import dataclasses
import io
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat import GalaxyClassifier, open_dataset
from galfeat.cli import main
from galfeat.data import ArrayDataSet
from galfeat.errors import DataError, GalfeatWarning, ImageError, MissingDependencyError
from galfeat.features.doubt import THRESHOLDS
from galfeat.model_io.folder import save_model
from galfeat.pipeline import load_pipeline
from galfeat.predictions import (
    Predictions,
    decision_note,
    doubts,
    may_show_no_galaxy,
    no_galaxy,
)


@pytest.fixture(scope="module")
def galaxies(simulated):
    return open_dataset(simulated)


@pytest.fixture(scope="module")
def fitted(quick_pipeline, galaxies):
    return GalaxyClassifier(quick_pipeline).fit(galaxies)


@pytest.fixture
def predictions():
    """Two galaxies that were measured and one that failed between them."""
    probabilities = np.array([[0.75, 0.25], [np.nan, np.nan], [0.4, 0.6]])
    return Predictions(
        classes=np.array(["<i>round</i>", "spiral"]),
        probabilities=probabilities,
        member_log_probabilities=np.log(probabilities)[:, None],
        predicted=np.array([1, -1, 1]),
        most_probable=np.array([0, -1, 1]),
        flags=["", "unreadable", "round"],
        errors={1: ImageError("b.png is broken; replace it")},
        digests=np.zeros((3, 16), np.uint8),
    )


def test_rows_are_numbered_where_nothing_else_is_known(predictions):
    rows = list(predictions.rows())
    assert [row["id"] for row in rows] == ["0", "1", "2"]
    assert [row["true_class"] for row in rows] == [None] * 3
    assert [row["class"] for row in rows] == ["spiral", None, "spiral"]
    assert [row["probability"] for row in rows] == [0.25, None, 0.6]
    assert rows[1]["error"] == "b.png is broken; replace it"


def test_a_data_set_gives_its_ids_and_true_classes(fitted, galaxies):
    images = galaxies.read([0, 40, 80])
    ids, labels = ["a", "b", "c"], ["spiral", "", "edge-on"]
    found = fitted.classify(ArrayDataSet(images, labels, ids=ids))
    assert found.ids == ids
    assert found.true_classes == ["spiral", None, "edge-on"]
    assert [row["true_class"] for row in found.rows()] == ["spiral", None, "edge-on"]
    assert [row["id"] for row in found.rows(["x", "y", "z"])] == ["x", "y", "z"]
    unlabelled = fitted.classify(images)
    assert unlabelled.ids == ["0", "1", "2"]
    assert unlabelled.true_classes is None


def test_the_class_of_the_rule_and_the_most_probable_one(predictions):
    tempered = dataclasses.replace(predictions, decision="tempered")
    assert tempered.differs.tolist() == [True, False, False]
    assert tempered.note(0) == ("The tempered rule, which favours rarer classes, predicts spiral.")
    assert (tempered.note(1), tempered.note(2)) == (None, None)
    joined = Predictions.concatenate([tempered, tempered])
    assert joined.decision == "tempered"
    assert joined.note(3) == tempered.note(0)
    row = next(tempered.rows())
    assert decision_note(row["class"], row["most_probable"], "tempered") == tempered.note(0)
    assert decision_note(None, None, "tempered") is None


def test_a_model_notes_exactly_the_classes_that_differ(galaxies, quick_pipeline):
    labels = np.where(np.arange(120) % 12 == 0, "rare", "common")  # 10 of 120
    pipeline = dataclasses.replace(load_pipeline(quick_pipeline), decision="balanced")
    found = GalaxyClassifier(pipeline).fit(galaxies.read(range(120)), labels).classify(galaxies)
    names = found.classes[found.predicted], found.classes[found.probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(found.differs, names[0] != names[1])
    assert found.differs.any()
    for row in np.flatnonzero(found.differs):
        assert (names[0][row], names[1][row]) == ("rare", "common")
        assert "The balanced rule" in found.note(row)


def test_scores_of_doubt_are_columns_and_raise_flags(fitted, galaxies):
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (90, 90, 3), dtype=np.uint8)
    found = fitted.classify([*galaxies.read(range(20)), noise, np.full((60, 60, 3), 9, np.uint8)])
    assert found.scores.shape == (22, 3)
    rows = list(found.rows())
    for row, scores in zip(rows, found.scores, strict=True):
        expected = [None if np.isnan(score) else score for score in scores]
        assert [row[name] for name in THRESHOLDS] == expected
        over = {name for name, limit in THRESHOLDS.items() if (row[name] or 0.0) > limit}
        assert over == set(THRESHOLDS) & set(row["flags"].split(";"))
    joined = Predictions.concatenate([found, found])
    np.testing.assert_array_equal(joined.scores[22:], found.scores)
    without = next(dataclasses.replace(found, scores=None).rows())
    assert not set(THRESHOLDS) & set(without)


def test_a_doubtful_image_keeps_its_class(fitted):
    y, x = np.mgrid[-60:60, -60:60]
    light = 200 * (1 + (x**2 + y**2) / 25) ** -3.0
    noise = np.random.default_rng(0).normal(9, 2, (120, 120, 3))
    found = fitted.classify([np.clip(light[..., None] + noise, 0, 255).astype(np.uint8)])
    assert "unlike_training" in found.flags[0].split(";")
    assert found.predicted[0] >= 0
    assert (no_galaxy(found.flags[0]), may_show_no_galaxy(found.flags[0])) == (None, True)
    assert any(text.startswith("Possibly not a galaxy") for text in doubts(found.flags[0]))
    assert doubts("round;point_like")[0].startswith("Possibly a star")
    assert not doubts("round;fills_frame")
    assert no_galaxy("no_source") is not None


def test_models_without_quantiles_of_their_survey_classify_as_before(fitted, galaxies):
    images = galaxies.read(range(10))
    older = copy.copy(fitted)
    del older.survey_quantiles_
    found, expected = older.classify(images), fitted.classify(images)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert np.isnan(found.scores[:, 1]).all()
    np.testing.assert_array_equal(found.scores[:, [0, 2]], expected.scores[:, [0, 2]])


@pytest.fixture(scope="module")
def with_blank(galaxies):
    """A galaxy, an image without a source, and a file that is no image."""
    return [*galaxies.read([5]), np.full((80, 80, 3), 20, np.uint8), np.zeros((0, 0, 3), np.uint8)]


def test_an_image_without_a_source_has_no_class(fitted, with_blank, tmp_path):
    found = fitted.classify(with_blank)
    assert found.predicted.tolist()[1:] == found.most_probable.tolist()[1:] == [-1, -1]
    assert found.without_source.tolist() == [False, True, False]
    assert np.isnan(found.probabilities[1]).all()
    galaxy, blank, failed = found.rows()
    filled = {name for name, value in blank.items() if value is not None}
    assert filled == {"id", "flags"}
    assert (blank["flags"], failed["flags"], galaxy["class"] is None) == ("no_source", None, False)
    frame = pytest.importorskip("pandas") and found.to_frame()
    assert frame.loc[1].dropna().to_dict() == {"id": "1", "flags": "no_source"}
    with pytest.warns(GalfeatWarning, match=r"row 2: .*; 1 of the images contain no source"):
        assert np.isnan(fitted.predict_proba(with_blank)).all(axis=1).tolist() == [
            False,
            True,
            True,
        ]
    with pytest.raises(DataError, match=r"no source, the first in row 1; use classify"):
        fitted.predict(with_blank[:2])


def test_a_table_in_parquet_has_no_class_for_it_either(fitted, with_blank, tmp_path):
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    del pyarrow
    fitted.classify(with_blank).to_frame().to_parquet(tmp_path / "rows.parquet")
    frame = pandas.read_parquet(tmp_path / "rows.parquet")
    assert frame["class"].notna().tolist() == [True, False, False]
    assert frame.filter(like="p_").notna().all(axis=1).tolist() == [True, False, False]


def test_a_pipeline_without_a_frame_classifies_every_image(galaxies, with_blank):
    classifier = GalaxyClassifier("hog-svm").fit(galaxies)
    assert classifier.classify(with_blank[:2]).predicted.min() >= 0


def test_length_and_representation(predictions):
    assert len(predictions) == 3
    assert repr(predictions) == "<Predictions: 3 galaxies, 2 classes, 1 failed>"


def test_a_frame_has_the_rows_and_missing_values(predictions):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = predictions.to_frame()
    rows = list(predictions.rows())
    assert list(frame.columns) == list(rows[0])
    assert frame.index.tolist() == [0, 1, 2]
    for name in frame.columns:
        values = [None if value != value else value for value in frame[name]]
        assert values == [row[name] for row in rows]
    assert frame["p_spiral"].dtype == np.float64
    assert frame["probability"].tolist()[::2] == [0.25, 0.6]


def test_a_frame_without_rows_has_the_columns(fitted, galaxies):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = fitted.classify(galaxies.select([])).to_frame()
    assert len(frame) == 0
    assert list(frame.columns) == list(fitted.classify(galaxies.select([0])).to_frame().columns)


def test_a_frame_is_what_the_command_writes(fitted, galaxies, simulated, tmp_path):
    pytest.importorskip("pandas", reason="pandas is not installed")
    digests = fitted.classify(galaxies).digests
    save_model(fitted, tmp_path / "model", training_digests=digests, label_column="ans")
    result = CliRunner().invoke(main, ["classify", str(tmp_path / "model"), str(simulated)])
    assert result.exit_code == 0, result.output
    header, *lines = csv.reader(io.StringIO(result.stdout))
    found = fitted.classify(galaxies)
    assert "seen" not in found.to_frame().columns
    frame = dataclasses.replace(found, seen=np.ones(len(found), bool)).to_frame()
    assert list(frame.columns) == header
    written = io.StringIO()
    frame.to_csv(written, index=False, lineterminator="\n")
    assert list(csv.reader(io.StringIO(written.getvalue()))) == [header, *lines]


def test_without_pandas_the_error_names_the_extra(predictions, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'galfeat\[pandas\]'"):
        predictions.to_frame()


class Cells(HTMLParser):
    """The texts of the cells of tables, row by row, and the names of all tags."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.tags = [], set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_a_notebook_shows_escaped_rows(predictions):
    html = predictions._repr_html_()
    cells = Cells(html)
    assert "3 galaxies, 2 classes, 1 failed" in html
    assert "i" not in cells.tags
    assert "script" not in cells.tags
    assert cells.rows == [
        ["id", "class", "probability", "flags"],
        ["0", "spiral", "0.250", ""],
        ["1", "–", "–", "b.png is broken; replace it"],
        ["2", "spiral", "0.600", "round"],
    ]


def test_a_notebook_shows_the_first_ten_rows(fitted, galaxies):
    html = fitted.classify(galaxies)._repr_html_()
    assert len(Cells(html).rows) == 11
    assert "true class" in html
    assert "120 galaxies, 10 classes; the first 10 rows" in html
