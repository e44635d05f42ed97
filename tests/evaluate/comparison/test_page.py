import html
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from galfeat.evaluate.comparison.page import comparison_page
from galfeat.evaluate.comparison.paired import OutOfFold, compare_predictions

NAMES = ("good", "twin", "poor <b>")
COSTS = {
    name: {"fit_seconds": 2.0, "ms_per_galaxy": 3.0, "peak_memory_mb": 300.0, "model_mb": 1.0}
    for name in NAMES
}
CLASSES = ("smooth", "spiral & bar")
VOID = {"meta", "br"}


def right_in(truth, share, repeats=2):
    named = np.where(np.arange(len(truth)) % 10 < 10 * share, truth, 1 - truth)
    return OutOfFold(
        np.tile(np.where(np.eye(2)[named] > 0, 0.9, 0.1), (repeats, 1, 1)),
        np.tile(named, (repeats, 1)),
    )


@pytest.fixture(scope="module")
def truth():
    return np.arange(300) // 7 % 2


@pytest.fixture(scope="module")
def comparison(truth):
    good = right_in(truth, 0.9)
    predictions = dict(zip(NAMES, (good, good, right_in(truth, 0.5)), strict=True))
    return compare_predictions(truth, predictions, CLASSES)


@pytest.fixture(scope="module")
def whole(comparison, truth):
    shift = compare_predictions(
        truth, {"original": right_in(truth, 0.9), "re-rendered": right_in(truth, 0.6)}, CLASSES
    )
    return comparison_page(
        comparison,
        COSTS,
        curve={0.1: comparison, 1.0: comparison},
        rows_of_share={0.1: 24, 1.0: 240},
        shift=dict.fromkeys(NAMES, shift),
        facts={"Data": "some <i>folder</i>"},
        descriptions={name: f"what {name} does" for name in NAMES},
    )


class Balanced(HTMLParser):
    """Check that elements are closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.anchors = set()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.anchors |= {value for name, value in attrs if name == "id"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_complete_and_its_links_work(whole):
    parser = Balanced()
    parser.feed(whole)
    assert parser.open == []
    assert set(re.findall(r'href="#(\w+)"', whole)) <= parser.anchors
    assert {"scores", "differences", "cost", "learning", "survey", "classes"} <= parser.anchors


def test_it_has_no_external_resources(whole):
    assert re.findall(r'\b(?:src|href)="(?!#)', whole) == []
    assert "<script" not in whole
    assert "url(" not in whole


def test_title_heading_and_description_agree(whole):
    (heading,) = re.findall("<h1>(.*?)</h1>", whole)
    (subtitle,) = re.findall('<p class="subtitle">(.*?)</p>', whole)
    assert f"<title>{heading}</title>" in whole
    assert f'<meta property="og:title" content="{heading}">' in whole
    for name in ('name="description"', 'property="og:description"'):
        assert f'<meta {name} content="{subtitle}">' in whole


def test_each_value_names_its_column(whole):
    tables = re.findall("<table.*?</table>", whole, re.DOTALL)
    assert len(tables) == 5
    for table in tables:
        heads = re.findall(r'<th scope="col">(.*?)(?:<br>.*?)?</th>', table)[1:]
        for row in re.findall('<tr><th scope="row">.*?</tr>', table):
            assert re.findall('data-label="(.*?)"', row) == heads


def test_names_are_shown_as_text(whole):
    assert "<b>b</b>" not in whole
    assert "poor &lt;b&gt;" in whole
    assert "spiral &amp; bar" in whole
    assert "some &lt;i&gt;folder&lt;/i&gt;" in whole


def test_it_states_which_differences_are_significant(whole):
    text = html.unescape(re.sub(r"<[^>]+>", "", whole))
    assert "good has the best macro-F1, 0.900" in text
    assert "It is not significantly different from twin." in text
    assert "good is better" in text
    assert "the intervals include the variation between splits" in text


def test_there_is_a_chart_for_every_part_requested(whole, comparison):
    assert whole.count('<svg class="plot"') == 4
    plain = comparison_page(comparison, COSTS)
    assert plain.count('<svg class="plot"') == 2
    assert 'id="learning"' not in plain
    assert 'id="survey"' not in plain


def test_a_single_pipeline_has_a_page(truth):
    alone = compare_predictions(truth, {"good": right_in(truth, 0.9, 1)}, CLASSES)
    page = comparison_page(alone, COSTS)
    assert 'id="differences"' not in page
    assert "each predicted out of fold once by 1 pipeline<" in page
