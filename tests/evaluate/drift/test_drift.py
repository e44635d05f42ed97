"""Comparison of two data sets, feature by feature."""

import html.parser
import math

import numpy as np
import pytest

from galfeat.errors import DataError, ImageError
from galfeat.evaluate.drift import (
    DriftSet,
    drift_page,
    drift_text,
    measure_drift,
    measure_drift_from_quantiles,
)
from galfeat.evaluate.drift.statistics import with_separation
from galfeat.experiments.separation import separate
from galfeat.features import FeatureTable
from galfeat.features.quantiles import quantiles
from galfeat.frame import Flag

FEATURES = tuple(f"shape.f{i}" for i in range(40))
NAMES = (*FEATURES, "flags")


def table_of(values, flags=0, errors=None):
    values = np.column_stack([values, np.full(len(values), flags)]).astype(np.float32)
    return FeatureTable(values, NAMES, np.zeros((len(values), 16), np.uint8), errors or {})


def normal(n, seed):
    return np.random.default_rng(seed).normal(size=(n, len(FEATURES)))


def test_equal_sets_rarely_differ():
    false = [
        measure_drift(table_of(normal(150, 2 * s)), table_of(normal(90, 2 * s + 1))).n_different > 0
        for s in range(60)
    ]
    # All 40 hypotheses are true, so the rate of any discovery is at most 5 %.
    assert np.mean(false) <= 0.15


def test_a_set_does_not_differ_from_itself():
    table = table_of(normal(60, 0), flags=int(Flag.ROUND))
    drift = measure_drift(table, table)
    assert drift.n_different == 0
    assert all(feature.distance == feature.ks == 0.0 for feature in drift.features)
    assert [(flag.name, flag.p) for flag in drift.flags] == [("round", 1.0)]


@pytest.mark.parametrize("planted", [0, 17])
def test_a_planted_shift_ranks_first_with_its_size(planted):
    a, b = normal(3000, 1), normal(2000, 2)
    b[:, planted] += 1.5
    drift = measure_drift(table_of(a), table_of(b))
    worst = drift.features[0]
    assert worst.name == f"shape.f{planted}"
    assert worst.differs
    assert worst.distance == pytest.approx(1.5, abs=0.1)
    assert worst.ks == pytest.approx(math.erf(0.75 / math.sqrt(2)), abs=0.04)


def test_the_distance_is_in_units_of_the_spread_in_a():
    a, b = normal(400, 1), normal(400, 2)
    b[:, 3] += 2.0
    scale = np.ones(len(FEATURES))
    scale[3] = 1000.0
    plain = measure_drift(table_of(a), table_of(b)).features[0]
    scaled = measure_drift(table_of(a * scale), table_of(b * scale)).features[0]
    assert scaled.distance == pytest.approx(plain.distance, rel=1e-4)
    assert (scaled.ks, scaled.p) == pytest.approx((plain.ks, plain.p))


def test_a_larger_spread_is_drift_although_the_median_stays():
    a, b = normal(400, 1), normal(400, 2)
    b[:, 5] *= 3.0
    assert measure_drift(table_of(a), table_of(b)).features[0].name == "shape.f5"


def test_the_order_of_rows_and_of_columns_does_not_matter():
    a, b = normal(80, 1), normal(70, 2)
    b[:, :4] += 0.8
    expected = measure_drift(table_of(a), table_of(b)).to_json()
    turned = measure_drift(table_of(a[::-1]), table_of(b[::-1])).to_json()
    assert turned == expected
    other = table_of(b)
    shuffled = np.random.default_rng(0).permutation(len(NAMES))
    other = FeatureTable(
        other.values[:, shuffled], tuple(np.array(NAMES)[shuffled]), other.digests, {}
    )
    assert measure_drift(table_of(a), other).to_json() == expected


def test_missing_values_are_shares_and_not_numbers():
    a, b = normal(50, 1), normal(50, 2)
    a[:, 0], b[:25, 1] = np.nan, np.nan
    features = {f.name: f for f in measure_drift(table_of(a), table_of(b)).features}
    assert math.isnan(features["shape.f0"].distance)
    assert features["shape.f0"].missing_a == 1.0
    assert not features["shape.f0"].differs
    assert (features["shape.f1"].missing_a, features["shape.f1"].missing_b) == (0.0, 0.5)


def test_constant_features_have_finite_distances():
    a, b = normal(50, 1), normal(50, 2)
    a[:, 0] = b[:, 0] = 7.0
    a[:, 1], b[:, 1] = 0.0, 1.0
    features = {f.name: f for f in measure_drift(table_of(a), table_of(b)).features}
    assert features["shape.f0"].distance == features["shape.f0"].ks == 0.0
    assert features["shape.f1"].differs
    assert math.isfinite(features["shape.f1"].distance)


def test_flags_are_compared():
    blended = int(Flag.BLENDED)
    drift = measure_drift(table_of(normal(60, 1)), table_of(normal(60, 2), flags=blended))
    (flag,) = drift.flags
    assert (flag.name, flag.share_a, flag.share_b, flag.differs) == ("blended", 0.0, 1.0, True)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_images_are_an_error(n):
    with pytest.raises(DataError, match=rf"B has {n} readable image"):
        measure_drift(table_of(normal(20, 1)), table_of(normal(n, 2)))


def test_unreadable_images_do_not_count():
    errors = {row: ImageError("broken") for row in range(19)}
    with pytest.raises(DataError, match="A has 1 readable image"):
        measure_drift(table_of(normal(20, 1), errors=errors), table_of(normal(20, 2)))


def test_tables_without_a_common_feature_are_an_error():
    values = np.zeros((5, 2), np.float32)
    other = FeatureTable(values, ("hog.x", "flags"), np.zeros((5, 16), np.uint8), {})
    with pytest.raises(DataError, match="no feature in common"):
        measure_drift(table_of(normal(5, 1)), other)


def test_quantiles_of_a_model_find_the_shift_of_the_full_sample():
    a, b = normal(800, 1), normal(300, 2)
    b[:, 9] -= 1.2
    known = quantiles(a.astype(np.float32), FEATURES)
    drift = measure_drift_from_quantiles(known, len(a), table_of(b))
    full = measure_drift(table_of(a), table_of(b))
    assert drift.features[0].name == full.features[0].name == "shape.f9"
    assert drift.features[0].distance == pytest.approx(full.features[0].distance, rel=0.1)
    assert drift.features[0].ks <= full.features[0].ks + 0.02
    assert drift.n_different == 1


def test_counts_do_not_drift_from_their_own_quantiles():
    counts = np.random.default_rng(0).poisson(1.5, (900, len(FEATURES))).astype(np.float32)
    known = quantiles(counts[:600], FEATURES)
    drift = measure_drift_from_quantiles(known, 600, table_of(counts[600:]))
    assert drift.n_different <= 1


def test_a_forest_finds_differences_in_combination_only():
    a, b = normal(300, 1)[:, :4], normal(300, 2)[:, :4]
    b[:, 1] = 0.8 * b[:, 0] + 0.6 * b[:, 1]  # each feature is still normal
    assert separate(a, b).area.low > 0.6


def test_the_interval_of_equal_sets_contains_chance():
    areas = [separate(normal(100, 2 * s), normal(100, 2 * s + 1)).area for s in range(5)]
    assert sum(area.low < 0.5 < area.high for area in areas) >= 4


def test_the_separation_is_reproducible_and_takes_missing_values():
    a, b = normal(40, 1), normal(30, 2) + 1.0
    a[::3, 0], b[:, 1] = np.nan, np.nan
    first, second = separate(a, b, n_jobs=1), separate(a, b, n_jobs=2)
    assert first.area == second.area
    assert first.rows_a.tolist() == second.rows_a.tolist()
    assert sorted(first.rows_b.tolist()) == list(range(30))
    assert separate(a[:9], b) is None


def test_the_text_lists_the_worst_first():
    a, b = normal(80, 1), normal(70, 2)
    b[:, 4] += 3.0
    drift = measure_drift(table_of(a), table_of(b))
    text = drift_text(with_separation(drift, separate(a, b).area), shown=3)
    lines = text.splitlines()
    assert lines[0].startswith("A: 80 images, B: 70 images; 1 of 40 features differ")
    assert lines[3].split()[0] == "shape.f4"
    assert "37 more" in text
    assert "A random forest tells A from B" in text


class _Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.images = [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "img":
            self.images.append(attributes)
            assert attributes["src"].startswith("data:image/jpeg;base64,")
            assert attributes["alt"]
        assert tag != "script"
        if tag not in ("img", "meta", "br", "line", "path", "rect", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_self_contained_and_shows_pictures_of_both_sets():
    a, b = normal(80, 1), normal(70, 2)
    b[:, 4] += 3.0
    drift = measure_drift(table_of(a), table_of(b))
    sets = [
        DriftSet(
            f"<{name}>",
            dict(zip(FEATURES, values.T, strict=True)),
            lambda row: np.full((20, 30, 3), row, np.uint8),
            [f"{name}{i}.png" for i in range(len(values))],
        )
        for name, values in (("a", a), ("b", b))
    ]
    page = drift_page(
        drift, *sets, meanings={"shape.f4": "a <b>"}, facts={"Seed": "0"}, apart=([0], [1, 2])
    )
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert len(tags.images) == 6 + 3
    assert "http" not in page.split("<body>")[1].replace("http://www.w3.org", "")
    assert "&lt;a&gt;" in page
    assert "a &lt;b&gt;" in page
    assert 'class="histogram"' in page


def test_the_page_of_equal_sets_says_that_none_differs():
    table = table_of(normal(30, 1))
    sets = [DriftSet(name, dict(zip(FEATURES, normal(30, 1).T, strict=True))) for name in "ab"]
    page = drift_page(measure_drift(table, table), *sets, meanings={}, facts={})
    assert "No feature differs significantly." in page
