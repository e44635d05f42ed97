"""Predictions as rows, as a table and in a notebook."""

import csv
import io
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat import GalaxyClassifier, open_dataset
from galfeat.cli import main
from galfeat.data import ArrayDataSet
from galfeat.errors import ImageError, MissingDependencyError
from galfeat.model_io.folder import save_model
from galfeat.predictions import Predictions


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
    frame = fitted.classify(galaxies).to_frame()
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
