import re

import numpy as np
import pytest

from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.metrics import Reliability
from galfeat.evaluate.report.figures import (
    balancing_table,
    bar,
    class_table,
    confusion_table,
    interval_strip,
    number,
    percent,
    reliability_chart,
)


def attribute(name, text):
    return [float(value) for value in re.findall(rf'\b{name}="(-?[\d.]+)"', text)]


def test_numbers_that_are_not_finite_are_dashes():
    assert number(float("nan")) == percent(float("nan")) == "–"
    assert number(-0.25) == "−0.25"
    assert percent(0.256) == "26&nbsp;%"


def test_strip_places_value_and_ends_on_its_scale():
    strip = interval_strip(Interval(0.5, 0.25, 1.5), 2.0)
    assert attribute("x1", strip) == [0, 12.5, 25]
    assert attribute("x2", strip) == [100, 75, 25]


def test_a_value_that_is_not_finite_draws_nothing():
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    assert attribute("x1", interval_strip(nothing, 1.0)) == [0]
    assert attribute("width", bar(float("nan"), nothing)) == [100]


def test_bar_is_cut_at_the_ends_of_its_scale():
    assert attribute("width", bar(0.3)) == [100, 30]
    assert attribute("width", bar(-0.1)) == [100, 0]
    assert attribute("x2", bar(0.9, Interval(0.9, 0.8, 1.2))) == [100]


def test_confusion_shows_shares_of_the_row_and_counts():
    table = confusion_table(("a", "b"), np.array([[3.0, 1.0], [0.0, 0.0]]))
    assert re.findall(r"<b>(\d+)</b><small>(\d+)</small>", table) == [("75", "3"), ("25", "1")]
    assert table.count('class="right"') == 2
    assert re.findall(r"--share:([\d.]+)", table) == ["0.750", "0.250"]
    assert '<td class="total">4</td>' in table


def test_class_table_gives_dashes_for_a_class_without_galaxies():
    confusion = np.array([[3.0, 1.0], [0.0, 0.0]])
    table = class_table(("a", "b"), confusion)
    figures = re.findall(r'<span class="figure">([^<]+)</span>', table)
    assert figures == ["0.75", "1.00", "0.86", "–", "0.00", "0.00"]


def test_reliability_points_are_at_the_measured_positions():
    curve = Reliability(
        np.array([10.0, 10.0, 0.0]), np.array([0.0, 1.0, np.nan]), np.array([0.0, 1.0, np.nan])
    )
    chart = reliability_chart(curve)
    assert len(attribute("cx", chart)) == 2
    ideal = re.search(r'class="ideal"[^>]*', chart)[0]
    assert attribute("cx", chart) == [attribute("x1", ideal)[0], attribute("x2", ideal)[0]]
    assert attribute("cy", chart) == [attribute("y1", ideal)[0], attribute("y2", ideal)[0]]


@pytest.mark.parametrize(("after", "columns"), [(None, 1), ((9, 9), 2)])
def test_balancing_shows_the_rows_before_and_after(after, columns):
    table = balancing_table(("a", "b"), (3, 9), after)
    figures = re.findall(r'<span class="figure">([^<]+)</span>', table)
    assert len(figures) == 2 * columns
    assert figures[0] == "3"
    assert f"{100 / 3:.1f}" in table
