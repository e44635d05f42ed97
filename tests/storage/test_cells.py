"""Text in output: formulas, and names that are not UTF-8."""

import codecs
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galfeat.storage import csv_cell, printable, valid_text
from galfeat.storage.cells import ORIGINAL_BYTES, csv_cells


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-rf.png", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1"],
)
def test_formulas_get_an_apostrophe(text):
    assert csv_cell(text) == "'" + text
    assert csv_cells([text]) == ["'" + text]
    assert csv_cells([text], raw=True) == [text]


@pytest.mark.parametrize("text", ["", "m51.png", "-0.5", "+1e-3", "-.5", "12", "'m51", "a=1"])
def test_numbers_and_other_text_stay(text):
    assert csv_cell(text) == text


def test_numbers_that_are_no_text_stay():
    assert csv_cells([-0.5, None, 0.0, float("nan")])[:3] == [-0.5, "", 0.0]


def test_cells_are_restored_by_removing_the_first_apostrophe():
    for text in ("=1", "'=1", "''@a", "'a", "-1"):
        cell = csv_cell(text)
        restored = cell[1:] if re.match(r"'+[=+\-@\t\r\n＝＋－＠]", cell) else cell
        assert restored == text


def restored(text):
    """Return the name of a valid text, by the rule in docs/guides/classify.md."""
    if not re.search(r"\\x[89a-f][0-9a-f]|\\ud[89a-f][0-9a-f]{2}", text):
        return text

    def original(match):
        escape = match[1]
        if escape == "\\":
            return escape
        return chr(int(escape[1:], 16) + (0xDC00 if escape[0] == "x" else 0))

    return re.sub(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})", original, text)


@given(st.lists(st.sampled_from(["\\", "\\x", "ff", "\udcff", "\udc80", "u", "\ud800", "é", "/"])))
def test_every_name_has_its_own_valid_text(parts):
    name = "".join(parts)
    text = valid_text(name)
    text.encode("utf-8")
    assert restored(text) == name
    assert json.loads(json.dumps(text, ensure_ascii=False)) == text


def test_valid_names_keep_their_backslashes():
    assert valid_text(r"C:\images\é.png") == r"C:\images\é.png"


@given(st.binary(max_size=8))
def test_csv_files_hold_the_original_bytes(content):
    name = content.decode("utf-8", "surrogateescape")
    assert name.encode("utf-8", ORIGINAL_BYTES) == content


def test_other_surrogates_are_escaped_and_only_encoding_is_handled():
    assert "a\ud800b".encode("utf-8", ORIGINAL_BYTES) == rb"a\ud800b"
    with pytest.raises(UnicodeDecodeError):
        codecs.decode(b"\xff", "utf-8", ORIGINAL_BYTES)


def test_terminals_get_no_control_characters():
    assert printable("a\x1b[2J\n\x9b\u2028\udcffé") == r"a\x1b[2J\x0a\x9b\u2028\xffé"
