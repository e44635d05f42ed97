import re

import numpy as np
import pytest

from galfeat.evaluate.comparison.figures import (
    Axis,
    Line,
    cost,
    curves,
    forest,
    scatter,
    shortened,
    slopes,
    zoomed_strip,
)
from galfeat.evaluate.intervals import Interval


def attribute(name, text):
    return [float(value) for value in re.findall(rf'\b{name}="(-?[\d.]+)"', text)]


def test_long_names_are_shortened_beside_charts():
    assert shortened("lightgbm") == "lightgbm"
    interval = Interval(0.5, 0.4, 0.6)
    charts = [
        forest([Line("y" * 30, interval, "not significant", False)], "F1"),
        slopes({"y" * 30: (interval, interval)}, "F1"),
        curves({"y" * 30: [(1, interval), (2, interval)]}, "rows", "F1"),
    ]
    for chart in charts:
        assert f">{'y' * 24}…</text>" in chart


def test_an_axis_maps_its_ends_and_intermediate_values():
    axis = Axis(2.0, 4.0, 10.0, 110.0)
    assert [axis.at(value) for value in (2.0, 3.0, 4.0)] == [10, 60, 110]
    log = Axis(1.0, 100.0, 0.0, 200.0, log=True)
    assert log.at(10.0) == pytest.approx(100)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.02, 0.31), (0.45, 0.47), (-300.0, 2000.0)])
def test_ticks_are_round_few_and_on_the_axis(ends):
    ticks = Axis(*ends, 0, 100).ticks()
    assert 3 <= len(ticks) <= 9
    assert ends[0] <= ticks[0] < ticks[-1] <= ends[1]
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0])
    assert f"{steps[0]:.1e}"[0] in "125"


def test_ticks_of_a_log_axis_are_ones_twos_and_fives():
    assert Axis(0.9, 60.0, 0, 1, log=True).ticks() == [1, 2, 5, 10, 20, 50]


def test_equal_values_still_have_an_axis():
    axis = Axis.around([0.5, 0.5], 0, 100)
    assert axis.at(0.5) == pytest.approx(50)
    assert axis.ticks()


def test_a_strip_spans_the_range_of_its_column():
    strip = zoomed_strip(Interval(0.5, 0.4, 0.6), 0.3, 0.7, 2)
    assert 'class="zoom s2"' in strip
    assert attribute("x1", strip) == [0, 25, 50]
    assert attribute("x2", strip) == [100, 75, 50]


def test_insignificant_differences_are_hollow():
    chart = forest(
        [
            Line("worse", Interval(0.2, 0.1, 0.3), "a is better", True),
            Line("same <b>", Interval(0.0, -0.1, 0.1), "not significant", False),
        ],
        "macro-F1",
    )
    (zero,) = re.findall(r'class="zero" x1="([\d.]+)"', chart)
    places = dict(re.findall(r'<circle class="(\w+)" cx="([\d.]+)"', chart))
    assert float(places["sig"]) > float(zero)
    assert float(places["ns"]) == pytest.approx(float(zero))
    assert "same &lt;b&gt;" in chart


def test_points_rise_with_the_score_and_names_do_not_overlap():
    points = {
        "best": (2.0, Interval(0.600, 0.58, 0.62)),
        "next": (2.1, Interval(0.599, 0.58, 0.62)),
        "last": (20.0, Interval(0.3, 0.28, 0.32)),
    }
    chart = scatter(points, "ms", "macro-F1")
    x, y = attribute("cx", chart), attribute("cy", chart)
    assert x == sorted(x)
    assert y == sorted(y)  # downwards
    names = {
        name: float(place) for place, name in re.findall(r'y="([\d.]+)" text[^>]*>(\w+)<', chart)
        if name in points
    }  # fmt: skip
    assert names["next"] - names["best"] >= 14


def test_a_curve_has_a_point_for_each_share():
    line = [(10, Interval(0.2, 0.1, 0.3)), (100, Interval(0.5, 0.4, 0.6))]
    chart = curves({"one": line, "two": line}, "rows", "macro-F1")
    assert chart.count('<circle class="dot"') == 4
    assert chart.count("<polyline") == 2
    assert ">10<" in chart
    assert ">100<" in chart


def test_a_slope_shows_the_change():
    chart = slopes({"one": (Interval(0.5, 0.4, 0.6), Interval(0.2, 0.1, 0.3))}, "macro-F1")
    assert "−0.300" in chart
    hollow, full = (
        float(re.search(rf'<circle class="{kind}" cx="([\d.]+)"', chart)[1])
        for kind in ("hollow", "dot")
    )
    assert full < hollow


def test_the_largest_cost_fills_its_bar():
    assert 'width="100.0"' in cost(3.0, 3.0, 0)
    assert 'width="50.0"' in cost(1.5, 3.0, 0)
    assert 'width="0.0"' in cost(0.0, 0.0, 0)
