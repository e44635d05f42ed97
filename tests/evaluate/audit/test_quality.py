"""The ranking of labels by out-of-fold probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galfeat.data.duplicates import find_groups
from galfeat.errors import ImageError
from galfeat.evaluate.audit import Audit, audit_page, label_quality, probable_mislabels
from galfeat.evaluate.audit.page import rows_shown


def random_probabilities(n, k, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(k), n)


def test_the_quality_is_one_for_certain_labels_and_zero_for_contradicted_ones():
    certain = np.eye(3)
    assert label_quality(np.arange(3), certain).tolist() == [1, 1, 1]
    assert label_quality(np.array([1, 2, 0]), certain).tolist() == [0, 0, 0]
    assert label_quality(np.array([2]), np.full((1, 4), 0.25)).tolist() == [0.5]


@given(st.integers(2, 12), st.integers(0, 10**6))
def test_below_a_half_another_class_is_more_probable(k, seed):
    probabilities = random_probabilities(50, k, seed)
    labels = np.random.default_rng(seed).integers(0, k, 50)
    quality = label_quality(labels, probabilities)
    assert ((quality >= 0) & (quality <= 1)).all()
    np.testing.assert_array_equal(quality < 0.5, probabilities.argmax(axis=1) != labels)


def test_rows_without_a_prediction_have_no_quality_and_are_no_mislabels():
    probabilities = np.array([[0.2, 0.8], [np.nan, np.nan], [0.9, 0.1], [0.3, 0.7]])
    labels = np.array([0, 0, 0, 1])
    assert np.isnan(label_quality(labels, probabilities)).tolist() == [False, True, False, False]
    assert probable_mislabels(labels, probabilities).tolist() == [True, False, False, False]
    nothing = np.full((2, 2), np.nan)
    assert not probable_mislabels(np.array([0, 1]), nothing).any()


def test_thresholds_allow_for_classes_the_model_is_unsure_of():
    """Class 1 never has more than 0.6, class 0 never less than 0.4."""
    p = np.array([0.95, 0.9, 0.9, 0.45, 0.4, 0.45])
    labels = np.array([0, 0, 0, 1, 1, 0])
    probabilities = np.stack([p, 1 - p], axis=1)
    # The last row is typical of class 1, whose mean probability is 0.575, but reaches only 0.55.
    assert probable_mislabels(labels, probabilities).tolist() == [False] * 6
    probabilities[5] = 0.4, 0.6
    assert probable_mislabels(labels, probabilities).tolist() == [False] * 5 + [True]


def test_planted_flips_are_probable_mislabels():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 1000)
    probabilities = 0.2 * random_probabilities(1000, 4) + 0.8 * np.eye(4)[truth]
    labels = truth.copy()
    labels[:100] = (truth[:100] + rng.integers(1, 4, 100)) % 4
    assert probable_mislabels(labels, probabilities).nonzero()[0].tolist() == list(range(100))
    assert set(np.argsort(label_quality(labels, probabilities))[:100]) == set(range(100))


@pytest.fixture
def audit():
    """Nine rows: a conflict, copies, an image without a galaxy, and an unreadable one."""
    digests = np.array([[1], [1], [2], [3], [3], [4], [5], [6], [0]], np.uint8).repeat(16, axis=1)
    labels = np.array([0, 1, 0, 1, 1, 0, 1, 0, 2])
    probabilities = np.append(random_probabilities(8, 2), [[np.nan] * 2], axis=0)
    probabilities[7] = np.nan
    probabilities = np.insert(probabilities, 2, [0.0] * 7 + [np.nan] * 2, axis=1)
    return Audit(
        ids=[f"galaxy <{number}>" for number in range(9)],
        classes=["smooth & round", "disc", "rare"],
        given=labels,
        probabilities=probabilities,
        flags=["", "edge_on", "", "", "", "", "", "no_source", "unreadable"],
        not_galaxies={7: "nothing stands out"},
        grouping=find_groups(digests, labels=labels),
        unreadable={8: ImageError("cut short")},
        unranked={"rare": 1},
    )


def test_the_table_is_sorted_and_complete(audit):
    rows = list(audit.rows())
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6, 7, None, None]
    qualities = [row["quality"] for row in rows[:7]]
    assert qualities == sorted(qualities)
    by_id = {row["id"]: row for row in rows}
    assert len(by_id) == 9
    assert by_id["galaxy <0>"]["conflict"] == by_id["galaxy <1>"]["conflict"] is not None
    assert by_id["galaxy <3>"]["copies"] == by_id["galaxy <4>"]["copies"] is not None
    assert by_id["galaxy <3>"]["conflict"] is by_id["galaxy <2>"]["copies"] is None
    assert by_id["galaxy <7>"]["flags"] == "no_source"
    assert by_id["galaxy <8>"]["error"] == "cut short"
    assert by_id["galaxy <8>"]["p_disc"] is None
    for row in rows[:7]:
        assert sum(row[f"p_{name}"] for name in audit.classes) == pytest.approx(1)


def test_the_page_shows_every_kind_of_problem(audit):
    shown = []

    def image(row):
        shown.append(row)
        return None if row == 4 else np.full((40, 40, 3), 10 * row, np.uint8)

    page = audit_page(audit, image, facts={"Data": "a <b>"})
    for anchor in ("summary", "mislabels", "conflicts", "duplicates", "images", "unreadable"):
        assert f'<section id="{anchor}"' in page
    assert "galaxy <" not in page
    assert "galaxy &lt;0&gt;" in page
    assert "smooth &amp; round" in page
    assert "rare (1)" in page
    assert "a &lt;b&gt;" in page
    assert "cut short" in page
    assert page.count("no picture") == 2  # row 4, as a doubtful label and as a duplicate
    assert page.count("<img") == page.count('alt="Galaxy ')
    assert "<script" not in page
    assert sorted(set(shown)) == rows_shown(audit).tolist() == list(range(8))


def test_the_page_of_an_audit_without_findings_has_no_empty_sections():
    audit = Audit(
        ids=["a", "b"],
        classes=["smooth", "disc"],
        given=np.array([0, 1]),
        probabilities=np.eye(2),
        flags=["", ""],
        not_galaxies={},
        grouping=find_groups(np.arange(32, dtype=np.uint8).reshape(2, 16)),
    )
    page = audit_page(audit, lambda row: np.zeros((16, 16, 3), np.uint8))
    assert "0 of 2 labels are probably wrong" in page
    for anchor in ("conflicts", "duplicates", "images", "unreadable", "facts"):
        assert f'id="{anchor}"' not in page
