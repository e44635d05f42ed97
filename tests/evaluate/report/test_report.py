import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from galfeat.errors import OutputError
from galfeat.evaluate.balancing import Balancing
from galfeat.evaluate.comparison.left_out import Ablation
from galfeat.evaluate.evaluation import evaluate_predictions
from galfeat.evaluate.importances import Importances
from galfeat.evaluate.intervals import Interval
from galfeat.evaluate.report.report import write_report
from galfeat.evaluate.soft import MOST_VOTED_NOTE, evaluate_fractions
from galfeat.pipeline import Member, Pipeline, SimulatedGalaxies

NAMES = ("round", "spiral", "edge-on")
VOID = {"meta", "img", "line", "rect", "circle", "polyline", "br", "link"}


class Page(HTMLParser):
    """A parsed page: its elements with attributes, its text, and tags left open."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open_tags, self.misplaced = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open_tags or self.open_tags.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def answers(n=120, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    odds = rng.exponential(size=(n, n_classes))
    odds[np.arange(n), truth] *= 4
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return truth, probabilities, np.argmax(probabilities, axis=1)


def grey(row):
    return np.full((40, 50, 3), row % 200, dtype=np.uint8)


def write(folder, data=None, names=NAMES, images=grey, ids=None, sources=None, **more):
    truth, probabilities, predicted = answers() if data is None else data
    evaluation = evaluate_predictions(
        truth, probabilities, predicted, predicted, names, sources=sources
    )
    return write_report(
        folder,
        evaluation=evaluation,
        images=images,
        ids=[f"galaxy {row}" for row in range(len(truth))] if ids is None else ids,
        predictions=SimpleNamespace(probabilities=probabilities, predicted=predicted),
        truth=truth,
        **more,
    )


def read(*arguments, **more):
    return Page(write(*arguments, **more).read_text(encoding="utf-8"))


WHOLE = {
    "importances": Importances(
        {"shape": (0.1, 0.01), "hog": (-0.01, 0.02)}, {"shape.q": 0.6, "hog.a": 0.4}, 120
    ),
    "balancing": Balancing("over", (10, 50, 60)),
    "facts": {"Pipeline": "lightgbm", "Seed": "0"},
    "title": "A trial",
}


def test_the_page_is_well_formed_and_self_contained(tmp_path):
    path = write(tmp_path / "report", **WHOLE)
    assert path == tmp_path / "report" / "index.html"
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.misplaced == []
    assert page.open_tags == []
    assert not page.all("script")
    assert not page.all("link")
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))


def test_every_picture_has_words_and_every_link_a_target(tmp_path):
    page = read(tmp_path, **WHOLE)
    assert all("predicted" in image["alt"] for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in ids}
    svgs = page.all("svg")
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in svgs)


def test_all_sections_are_there_and_optional_ones_only_when_given(tmp_path):
    sources = np.array(["sdss", "decals"] * 60)
    whole = [part["id"] for part in read(tmp_path, sources=sources, **WHOLE).all("section")]
    assert whole == [
        *("scores", "confusion", "classes", "calibration", "features", "galaxies", "mistakes"),
        *("balancing", "sources", "facts"),
    ]
    least = [part["id"] for part in read(tmp_path).all("section")]
    assert least == ["scores", "confusion", "classes", "calibration", "galaxies", "mistakes"]


def test_the_page_shows_the_numbers_of_the_evaluation(tmp_path):
    truth, _, predicted = data = answers()
    evaluation = evaluate_predictions(*data, predicted, NAMES)
    text = read(tmp_path, data).text
    for interval in evaluation.scores.values():
        assert f"{interval.value:.3f}" in text
        assert f"{interval.low:.3f} to {interval.high:.3f}" in text
    assert f"{100 * np.mean(truth == predicted):.0f} of 100" in text


HOSTILE = "<script>alert(1)</script>\"' onload=alert(2) & $title {0}"


def test_a_caution_stands_before_the_scores(tmp_path):
    text = read(tmp_path, caution="2 of 3 are <training> galaxies").text
    assert text.index("2 of 3 are <training> galaxies") < text.index("The model classifies")


def test_classes_of_equal_recall_are_not_called_best_and_worst(tmp_path):
    truth = np.array([0, 0, 1, 1, 2, 2])
    text = read(tmp_path, (truth, np.eye(3)[truth] * 0.94 + 0.02, truth)).text
    assert "The recall of every class is 100" in text
    assert "lowest for" not in text


def test_an_error_within_chance_is_not_called_calibrated(tmp_path):
    text = read(tmp_path, answers()).text
    assert "no miscalibration is detectable" in text
    assert "is not excluded" in text


def test_hostile_names_are_shown_as_text(tmp_path):
    page = read(
        tmp_path,
        names=(HOSTILE, "spiral", "edge-on"),
        ids=[HOSTILE] * 120,
        sources=np.array([HOSTILE] * 120),
        title=HOSTILE,
        facts={HOSTILE: HOSTILE},
        balancing=Balancing(HOSTILE, (1, 2, 3)),
        importances=Importances({HOSTILE: (0.1, 0.01)}, {HOSTILE: 1.0}, 3),
    )
    assert not page.all("script")
    assert page.misplaced == []
    assert not any("onload" in attributes for _, attributes in page.elements)
    assert HOSTILE in page.text
    assert any(HOSTILE in image["alt"] for image in page.all("img"))


def test_right_and_wrong_are_stated_in_words(tmp_path):
    page = read(tmp_path)
    figures = [attributes["class"] for attributes in page.all("figure")]
    assert {"right", "wrong"} == set(figures)
    assert page.text.count("✓ correct") == figures.count("right")
    assert page.text.count("✗ wrong") == figures.count("wrong")


def shown_in(page_path, section):
    """Row numbers of the galaxies pictured in a section, in order."""
    text = page_path.read_text(encoding="utf-8")
    part = re.search(rf'<section id="{section}".*?</section>', text, re.DOTALL)
    return [int(row) for row in re.findall(r'alt="Galaxy galaxy (\d+)', part[0])]


def test_worst_mistakes_are_the_most_confident_ones(tmp_path):
    truth, probabilities, predicted = data = answers()
    rows = shown_in(write(tmp_path, data), "mistakes")
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(truth != predicted)
    expected = wrong[np.argsort(-confidence[wrong], kind="stable")][:12]
    assert rows == expected.tolist()


def test_the_sample_holds_each_class_and_follows_the_seed(tmp_path):
    truth = answers()[0]
    first = shown_in(write(tmp_path, seed=1), "galaxies")
    assert np.bincount(truth[first]).tolist() == [10, 10, 10]
    assert first == shown_in(write(tmp_path, seed=1), "galaxies")
    assert first != shown_in(write(tmp_path, seed=2), "galaxies")


def test_same_input_same_page(tmp_path):
    first, again = (write(tmp_path / name, **WHOLE).read_bytes() for name in ("a", "b"))
    assert first == again


def test_only_rows_that_are_shown_are_read(tmp_path):
    asked = []

    def images(row):
        asked.append(row)
        return grey(row)

    path = write(tmp_path, images=images)
    assert sorted(asked) == sorted(shown_in(path, "galaxies") + shown_in(path, "mistakes"))


def test_failed_and_unreadable_images_are_not_shown(tmp_path):
    _, probabilities, predicted = data = answers()
    probabilities[:40], predicted[:40] = np.nan, -1
    path = write(tmp_path, data, images=lambda row: None if row < 80 else grey(row))
    shown = shown_in(path, "galaxies") + shown_in(path, "mistakes")
    assert min(shown) >= 80
    assert "40 could not be measured" in Page(path.read_text(encoding="utf-8")).text


def test_without_any_picture_the_rest_is_written(tmp_path):
    page = read(tmp_path, images=lambda row: None)
    assert [part["id"] for part in page.all("section")] == [
        *("scores", "confusion", "classes", "calibration")
    ]


@pytest.mark.parametrize("n", [1, 2])
def test_very_few_galaxies_make_a_page(tmp_path, n):
    truth = np.arange(n)
    probabilities = np.eye(3)[truth] * 0.7 + 0.1
    page = read(tmp_path, (truth, probabilities, truth))
    assert "All of these galaxies are classified correctly" in page.text
    assert "nan" not in page.text.lower().split()
    assert page.misplaced == []


def test_a_page_of_noisy_pictures_stays_below_three_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    path = write(
        tmp_path,
        answers(400, 10),
        names=[f"class {number}" for number in range(10)],
        images=lambda row: rng.integers(0, 256, (424, 424, 3), dtype=np.uint8),
    )
    assert len(shown_in(path, "galaxies")) == 50
    assert path.stat().st_size < 3_000_000


def test_an_older_page_is_replaced_and_other_files_are_left(tmp_path):
    (tmp_path / "index.html").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path)
    assert "old" not in (tmp_path / "index.html").read_text(encoding="utf-8")[:10]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "notes.txt"]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot create the folder"):
        write(tmp_path / "file")


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("none", "as collected"),
        ("class-weight", "more weight"),
        ("over", "were repeated"),
        ("under", "as the smallest"),
        ("smote", "interpolating between similar galaxies"),
        ("bagging", "balanced sample"),
        ("simulate", "with a small weight"),
        ("balanced-forest", "tree of the forest"),
        ("own", "by the method 'own'"),
    ],
)
def test_balancing_is_described(tmp_path, method, words):
    text = read(tmp_path, balancing=Balancing(method, (10, 50, 60))).text
    assert words in text
    assert "never in those used for scoring" in text


@pytest.mark.parametrize("method", ["none", "class-weight"])
def test_galaxies_with_votes_are_described_as_repeated(tmp_path, method):
    text = read(tmp_path, balancing=Balancing(method, (10, 50, 60), soft=True)).text
    assert "each galaxy counts in several classes, weighted by its fractions" in text
    assert "o galaxy was repeated" not in text
    assert ("weights of rare classes were raised" in text) == (method == "class-weight")


def test_the_votes_have_a_section_with_their_scores(tmp_path):
    votes = np.array([[0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
    scores = evaluate_fractions(votes, votes[:, ::-1], ["disc", "smooth"], seed=1)
    page = read(tmp_path, votes=scores)
    assert "Excess over the entropy of the votes" in page.text
    assert f"{scores.scores['excess'].value:.3f}" in page.text
    assert MOST_VOTED_NOTE in page.text
    assert "entropy" not in read(tmp_path).text


STACK = (Member("lightgbm"), Member("svm"), Member("balanced-forest"))


@pytest.mark.parametrize(
    ("balance", "members", "words", "missing"),
    [
        ("none", STACK[:2], "fitted to the classes as collected", "of the 2 members"),
        (
            "none",
            STACK,
            "1 of the 3 members of the model is a balanced random forest",
            "no galaxy was repeated",
        ),
        ("smote", STACK[:2], "separately for each of the 2 members of the model", "also resamples"),
        ("over", STACK, "also resamples for each of its trees", "Partly balanced"),
        ("none", STACK[2:], "Each tree of the forest", "Of the 1 members"),
    ],
)
def test_the_balancing_of_a_stack_is_described_by_member(
    tmp_path, balance, members, words, missing
):
    pipeline = Pipeline("stack", "", ("hog",), members, balance=balance)
    record = Balancing.of(pipeline, ["a", "b", "c"], (10, 50, 60))
    text = read(tmp_path, balancing=record).text
    assert words in text
    assert missing not in text
    assert "scoring, combination or calibration" in text


LOST, NONE = Interval(0.05, 0.02, 0.08), Interval(0.001, -0.02, 0.02)
ABLATION = Ablation(
    families={
        "hog": dict.fromkeys(("balanced_accuracy", "macro_f1", "log_loss"), LOST),
        "shape": dict.fromkeys(("balanced_accuracy", "macro_f1", "log_loss"), NONE),
        "colour": dict.fromkeys(("balanced_accuracy", "macro_f1", "log_loss"), NONE),
    },
    refitted=dict.fromkeys(("balanced_accuracy", "macro_f1", "log_loss"), NONE),
    indispensable=("radial",),
    n=120,
    n_training=400,
)
BOTH = Importances(
    {"shape": (0.1, 0.01), "hog": (0.2, 0.02), "colour": (0.01, 0.02), "radial": (0.1, 0.01)},
    {"shape.q": 1.0},
    120,
)


def test_shuffling_and_leaving_out_are_reported_together(tmp_path):
    page = read(tmp_path, importances=BOTH, ablation=ABLATION)
    for words in (
        "hog : needed",
        "shape : used, but replaceable",
        "colour : not needed",
        "radial : indispensable",
        "how much the fitted model depends on that family",
        "fitted without it to the same 400 galaxies",
        "a loss below about 2.0 points",
        "none (refitted)",
        "5.0 2.0 to 8.0",
    ):
        assert words in page.text
    assert page.misplaced == []
    assert page.open_tags == []
    regions = [part for part in page.all("div") if part.get("role") == "region"]
    assert all(part["tabindex"] == "0" and part["aria-label"] for part in regions)
    scopes = [cell.get("scope") for cell in page.all("th")]
    assert set(scopes) == {"col", "row", "colgroup"}
    svgs = page.all("svg")
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in svgs)


def test_without_an_ablation_leaving_out_is_not_mentioned(tmp_path):
    text = read(tmp_path, importances=BOTH).text
    assert "Shuffled." in text
    assert "Left out" not in text


def test_hostile_family_names_are_shown_as_text_in_an_ablation(tmp_path):
    losses = dict.fromkeys(("balanced_accuracy", "macro_f1", "log_loss"), LOST)
    page = read(
        tmp_path,
        importances=BOTH,
        ablation=Ablation({HOSTILE: losses}, losses, (HOSTILE,), 120, 400),
    )
    assert not page.all("script")
    assert page.text.count(HOSTILE) >= 4


def test_rows_after_balancing_follow_from_the_method():
    assert Balancing("over", (10, 50, 60)).after == [60, 60, 60]
    assert Balancing("bagging", (10, 50, 60)).after == [10, 10, 10]
    assert Balancing("class-weight", (10, 50, 60)).after is None


def test_a_member_that_balances_itself_is_named():
    def record(balance, *members):
        pipeline = Pipeline("stack", "", ("hog",), members, balance=balance)
        return Balancing.of(pipeline, ["a", "b"], (1, 2))

    forest, booster = Member("balanced-forest"), Member("lightgbm")
    assert record("none", forest).method == "balanced-forest"
    assert record("none", forest).after == [1, 1]
    assert record("none", booster, forest).after is None
    assert record("none", booster).method == "none"
    assert record("over", booster, forest).method == "over"


def test_simulated_galaxies_are_described_with_their_number_and_weight(tmp_path):
    members = (Member("lightgbm"), Member("network"))
    pipeline = Pipeline(
        *("stack", "", ("hog", "planes"), members),
        balance="simulate",
        simulated=SimulatedGalaxies(200, 0.3, ("sdss",)),
    )
    record = Balancing.of(pipeline, ["smooth", "merger", "star"], (10, 50, 60))
    assert record.simulated == [60, 20, 0]
    assert record.after == [22, 62, 60]
    text = read(tmp_path, balancing=record).text
    assert "80 simulated galaxies, drawn as images of SDSS, were added" in text
    assert "weigh as much as 12.0 real galaxies" in text
    assert "1 of the 2 members" in text
    soft = read(tmp_path, balancing=replace(record, soft=True)).text
    assert "each galaxy counts in several classes" in soft


def test_each_class_has_a_diagram_with_a_description_and_a_row(tmp_path):
    truth, probabilities, predicted = data = answers()
    page = read(tmp_path, data)
    by_class = evaluate_predictions(truth, probabilities, predicted, predicted, NAMES).by_class
    labels = [svg["aria-label"] for svg in page.all("svg") if "aria-label" in svg]
    for name, part in by_class.items():
        (label,) = [label for label in labels if label.startswith(f"{name}: ")]
        assert f"mean probability {part.mean_probability:.3f}" in label
        assert f"frequency {part.frequency:.3f}" in label
        assert f"{100 * part.error.low:.1f} to {100 * part.error.high:.1f}" in page.text


def test_classes_whose_probability_is_too_high_are_named(tmp_path):
    truth, probabilities, _ = answers(900)
    odds = probabilities * [1.0, 6.0, 1.0]
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    text = read(tmp_path / "bent", (truth, probabilities, probabilities.argmax(axis=1))).text
    assert re.search(r"The error exceeds chance for .*spiral \(on average", text)
    assert "For no class is a miscalibration detectable." in read(tmp_path / "plain").text
