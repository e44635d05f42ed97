"""The page of features agrees with the columns."""

import re
import runpy
from pathlib import Path

import pytest

from galfeat.features import classifier_columns, columns
from galfeat.features.registry import FAMILIES, OWN_FAMILIES, Column, family_module
from galfeat.frame.flags import Flag

ROOT = Path(__file__).resolve().parents[2]
DOCS = runpy.run_path(str(ROOT / "docs" / "_scripts" / "feature_page.py"))
PAGE = DOCS["page"]()


def rows(family):
    return re.findall(rf"^\| `({family}\.[^`]+)` \| (\d+) \|(.*)$", PAGE, re.MULTILINE)


def row(members):
    (group,) = DOCS["grouped"](members)
    return DOCS["_row"](group, set())


def test_the_page_is_up_to_date():
    assert DOCS["PAGE"].read_text("utf-8") == PAGE, "run: python docs/_scripts/feature_page.py"


def test_the_readme_counts_the_columns_there_are():
    names = [column.name for column in columns()]
    measured = len(columns(OWN_FAMILIES)) - 1
    words = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"It measures {measured} [named features]" in words
    assert f"The pipelines use {len(names) - 1} of them" in words
    assert f"the {len(classifier_columns(names))} that another survey's" in words


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in DOCS["LARGER"]])
def test_every_column_is_in_one_row(family):
    listed = family_module(family).COLUMNS
    assert sum(int(number) for _, number, _ in rows(family)) == len(listed)
    names = [name for name, *_ in rows(family)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", DOCS["LARGER"])
def test_a_family_without_rows_is_listed_with_its_number_of_columns(family):
    assert f"`{family}`" in PAGE
    assert f"{len(family_module(family).COLUMNS):,}" in PAGE


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_rows_add_up_to_the_number_of_columns_left_out(family):
    listed = family_module(family).COLUMNS
    covariant = bound = 0
    for _, number, rest in rows(family):
        mark = rest.split(" | ")[-1].strip(" |")
        if mark == "covariant":
            covariant += int(number)
        elif mark.startswith("survey-bound"):
            bound += int(mark.partition(": ")[2] or number)
    assert covariant == sum(not column.invariant for column in listed)
    assert bound == sum(column.survey_bound for column in listed)


def test_numbers_and_places_become_ranges():
    made = row(
        Column(
            f"x.{view}.w{2**k}.o{o}", "1", f"{20 * o} degrees, {2**k} px, {view} view", "galfeat"
        )
        for view in ("aligned", "context")
        for k in range(3)
        for o in range(9)
    )
    assert made == (
        "| `x.{aligned, context}.w{1, 2, 4}.o{0-8}` | 54 | 1 | {0, 20 … 160} degrees, {1, 2, 4} "
        "px, {aligned, context} view | galfeat |  |  |"
    )


def test_different_meanings_or_units_are_not_merged():
    kept = Column("x.a.r1", "1", "light in ring 1", "galfeat")
    others = (
        Column("x.a.r2", "px", "light in ring 2", "galfeat"),
        Column("x.a.r2", "1", "colour in ring 2", "galfeat"),
        Column("x.a.r2", "1", "light in ring 2", "Lotz et al. 2004"),
        Column("x.a.r2", "1", "light in ring 2", "galfeat", invariant=False),
    )
    for other in others:
        assert DOCS["grouped"]([kept, other]) == [[kept], [other]]


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_a_family_has_its_picture(family):
    picture = DOCS["PAGE"].parent / "features" / f"{family}.jpg"
    assert f"](features/{family}.jpg)" in PAGE
    assert picture.read_bytes()[:3] == b"\xff\xd8\xff"


def test_every_flag_is_explained():
    for flag in Flag:
        assert re.search(
            rf"^\| `{flag.name.lower()}` \| {flag.value} \| .+ \|$", PAGE, re.MULTILINE
        )
