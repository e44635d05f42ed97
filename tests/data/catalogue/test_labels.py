"""From a column to class names and indices."""

import re

import numpy as np
import pytest

from galfeat.data.catalogue.labels import read_labels
from galfeat.errors import DataError, GalfeatWarning


def labels_of(columns, **options):
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    length = len(next(iter(arrays.values())))
    return read_labels(arrays, arrays.__getitem__, length, **options)


def test_without_a_label_column_nothing_has_a_label():
    found = labels_of({"filename": ["a", "b"]})
    assert found.indices.tolist() == [-1, -1]
    assert (found.class_names, found.column) == ((), None)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"coarse": ["a"], "class_id": ["1"], "label": ["x"]}, "label"),
        ({"class_name": ["a"], "class_id": ["1"]}, "class_id"),
        ({"ans": [0], "class": ["spiral"]}, "class"),
        ({"y": [0], "ans": [1]}, "ans"),
    ],
)
def test_the_default_column_is_the_first_known_one(columns, expected):
    assert labels_of(columns).column == expected


@pytest.mark.parametrize(
    "values",
    [
        np.array(["11", "2", "", "2"]),
        np.array(["11.0", "2.0", "nan", "2.0"]),
        np.array([11, 2, -1, 2]),
        np.array([11, 2, np.nan, 2]),
        np.array([b"11", b"2", b"", b"2"]),
        np.array([b"11", b"2", b"", b"2"], dtype=object),
    ],
    ids=["text", "text of floats", "int", "float", "bytes", "objects"],
)
def test_numbers_are_in_numerical_order_however_they_are_stored(values):
    found = labels_of({"class": values})
    assert found.class_names == ("2", "11")
    assert found.indices.tolist() == [1, 0, -1, 0]


def test_text_is_in_alphabetical_order():
    found = labels_of({"class": ["spiral", " merger ", ""]})
    assert found.class_names == ("merger", "spiral")
    assert found.indices.tolist() == [1, 0, -1]


def test_ids_take_their_names_from_the_name_column():
    found = labels_of({"kind_id": ["3", "1", "3", ""], "kind_name": ["c", "a", "", "b"]})
    assert found.column is None, "kind_id is no default column"
    found = labels_of(
        {"kind_id": ["3", "1", "3", ""], "kind_name": ["c", "a", "", "b"]}, label="kind_id"
    )
    assert found.class_names == ("a", "c")
    assert found.indices.tolist() == [1, 0, 1, -1]


@pytest.mark.parametrize(
    ("ids", "names"), [(["1", "1"], ["a", "b"]), (["1", "2"], ["a", "a"])], ids=["names", "ids"]
)
def test_ids_and_names_must_be_one_to_one(ids, names):
    with pytest.raises(DataError, match="'class_id' and 'class_name' are not one to one"):
        labels_of({"class_id": ids, "class_name": names}, label="class_id")


def test_an_id_without_any_name_is_an_error():
    with pytest.raises(DataError, match="class_id 2 has no class_name"):
        labels_of({"class_id": ["1", "2"], "class_name": ["a", ""]}, label="class_id")


def test_fractions_are_not_classes():
    with pytest.raises(DataError, match=r"'redshift' contains 0\.12, which is not a class"):
        labels_of({"redshift": [0.12, 1.0]}, label="redshift")


def test_given_names_keep_classes_without_rows():
    found = labels_of({"ans": [2, 0]}, class_names=["a", "b", "c"])
    assert found.class_names == ("a", "b", "c")
    assert found.indices.tolist() == [2, 0]


def test_a_number_beyond_the_given_names_is_an_error():
    with pytest.raises(
        DataError, match="contains class 7, but names are given only for classes 0 to 2"
    ):
        labels_of({"ans": [0, 7]}, label="ans", class_names=["a", "b", "c"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"y": [0.12, 1.0]}, "'y' contains 0.12, which is not a class"),
        ({"class_id": ["1", "1"], "class_name": ["a", "b"]}, "are not one to one"),
    ],
)
def test_an_unusable_guessed_column_is_ignored_with_a_warning(columns, words):
    with pytest.warns(GalfeatWarning, match="continuing without labels") as caught:
        found = labels_of(columns)
    assert words in str(caught[0].message)
    assert found.indices.tolist() == [-1, -1]
    assert (found.class_names, found.column) == ((), None)
    with pytest.raises(DataError, match=re.escape(words)):
        labels_of(columns, label=next(iter(columns)))
