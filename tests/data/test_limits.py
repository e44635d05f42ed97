"""Limits on memory, and names in messages."""

import pytest

from galfeat.data import limits
from galfeat.data.limits import Budget, listed, readable_size, shortened
from galfeat.errors import DataError


def test_the_default_is_a_number_of_bytes_or_the_environment_variable(monkeypatch):
    monkeypatch.delenv(limits.VARIABLE, raising=False)
    assert Budget().limit == 4 * 2**30
    monkeypatch.setenv(limits.VARIABLE, "1000")
    assert Budget().limit == 1000
    assert Budget(50).limit == 50, "the argument comes before the variable"


@pytest.mark.parametrize("value", ["", "4 GiB", "0", "-1", "1e9", "nan"])
def test_an_invalid_limit_is_an_error(monkeypatch, value):
    monkeypatch.setenv(limits.VARIABLE, value)
    with pytest.raises(DataError, match=r"GALFEAT_MAX_BYTES is .*; expected a number of bytes"):
        Budget()


@pytest.mark.parametrize("value", [0, -5, "many", float("nan")])
def test_an_invalid_argument_is_an_error(value):
    with pytest.raises(DataError, match=r"max_bytes is .*; expected a number of bytes"):
        Budget(value)


def test_arrays_share_a_budget():
    budget = Budget(1000)
    budget.take(1000, "a")
    with pytest.raises(
        DataError, match=r"^b would take 1 bytes of memory besides 1000 bytes .* at most 1000 bytes"
    ):
        budget.take(1, "b")


@pytest.mark.parametrize(
    ("size", "text"),
    [(5, "5 bytes"), (2048, "2.0 KiB"), (112 * 2**30, "112.0 GiB"), (10**30, "1024.0 EiB")],
)
def test_sizes_are_readable(size, text):
    assert readable_size(size) == text


def test_long_names_and_lists_are_shortened():
    assert shortened("a'b") == '"a\'b"'
    assert len(shortened("x" * 100_000)) < 100
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == "none"
    assert listed([f"c{n}" for n in range(1000)]).endswith("c19 and 980 more")
    assert len(listed(["x" * 100_000] * 1000)) < 2500
