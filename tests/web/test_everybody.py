"""Accessibility: keyboard, screen readers, phones, colour schemes and layout shifts."""

import numpy as np
import pytest

from galfeat.evaluate.comparison import OutOfFold, compare_predictions, comparison_page

CLASSES = ["Disturbed", "In-between Round Smooth", "Edge-on without Bulge"]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SCREENS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCHEMES = pytest.mark.parametrize("scheme", ["dark", "light"])
BAD_IMAGE = "422 /api/classify"

FOCUS = """() => {
    const item = document.activeElement;
    const outlined = item.id === "file" ? document.getElementById("drop") : item;
    const { outlineStyle, outlineWidth } = getComputedStyle(outlined);
    const name = item.id || item.textContent.trim();
    return [name, outlineStyle !== "none" && parseFloat(outlineWidth)];
}"""


@pytest.fixture(scope="module")
def comparison():
    """A comparison of five pipelines, one of them with a long name."""
    truth = np.arange(300) // 7 % 3

    def predicted(share):
        named = np.where(np.arange(300) % 20 < 20 * share, truth, (truth + 1) % 3)
        return OutOfFold(np.where(np.eye(3)[named] > 0, 0.8, 0.1)[None], named[None])

    names = ["stacking-network-with-a-long-name", "stacking-light", "lightgbm", "forest", "svm"]
    shares = dict(zip(names, (0.9, 0.85, 0.8, 0.7, 0.6), strict=True))
    results = {name: predicted(share) for name, share in shares.items()}
    compared = compare_predictions(truth, results, CLASSES)
    shift = {
        name: compare_predictions(
            truth, {"original": results[name], "re-rendered": predicted(0.4)}, CLASSES
        )
        for name in names
    }
    costs = {"fit_seconds": 2.0, "ms_per_galaxy": 3.0, "peak_memory_mb": 300.0, "model_mb": 1.0}
    return comparison_page(
        compared, dict.fromkeys(names, costs), shift=shift,
        descriptions=dict.fromkeys(names, "Boosted trees, a linear model and a small network"),
    )  # fmt: skip


def tab(page, key="Tab"):
    """Move the focus on, check that it is visible, and return its name."""
    page.keyboard.press(key)
    name, width = page.evaluate(FOCUS)
    assert width >= 2, f"the focus on {name} is not visible"
    return name


def test_the_page_works_by_keyboard(visit):
    page = visit().page
    status = page.locator("#status")
    assert [tab(page) for _ in range(7)] == [
        "galfeat", "Galaxies", "About", "show", "guessing", "drawing", "file",
    ]  # fmt: skip
    assert [tab(page, "Shift+Tab") for _ in range(3)] == ["drawing", "guessing", "show"]
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer:visible")
    assert page.inner_text("#verdict") in status.inner_text()
    assert tab(page) == "guessing"
    page.keyboard.press("Space")
    assert page.is_checked("#guessing")
    assert tab(page, "Shift+Tab") == "show"
    page.keyboard.press("Space")
    page.wait_for_selector("#guesses:visible")
    assert status.inner_text() == "A new galaxy. What is your guess?"
    assert page.evaluate(FOCUS)[0] == "guess-title"
    page.keyboard.press("Enter")  # a second press must not submit a guess
    assert page.is_visible("#guesses")
    choices = page.locator(".choice").all_inner_texts()
    assert [tab(page) for _ in choices] == choices
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer:visible")
    assert f"Your guess: {choices[-1]}." in status.inner_text()
    assert page.evaluate(FOCUS)[0] == "show"  # the next galaxy is one key away
    assert [tab(page) for _ in range(3)] == ["guessing", "drawing", "forget"]
    page.keyboard.press("Enter")
    assert "Guess first" in page.inner_text("#score")
    assert page.evaluate(FOCUS)[0] == "show"


def test_results_are_announced_to_screen_readers(visit, galaxy, blank):
    visitor = visit(expected=[BAD_IMAGE])
    status = visitor.page.locator("#status")
    assert status.get_attribute("role") == "status"
    sample = visitor.press()
    for part in (sample["most_probable"], sample["true_class"]):
        assert part in status.inner_text()
    (own,) = visitor.upload(galaxy)["galaxies"]
    assert own["most_probable"] in status.inner_text()
    visitor.upload(blank)
    assert "No galaxy found" in status.inner_text()
    visitor.upload(b"text")
    assert "PNG, JPEG or WebP" in status.inner_text()


OVERFLOW = """() => {
    const wide = document.documentElement.clientWidth;
    const overflows = item =>
        item.getBoundingClientRect().right > wide + 0.5 && !item.closest(".wide");
    return [document.scrollingElement.scrollWidth - wide,
            ...[...document.body.querySelectorAll("*")].filter(overflows)
                .map(item => item.outerHTML)];
}"""


@pytest.mark.parametrize("width", [320, 360, 800])
def test_nothing_overflows_a_small_screen(visit, galaxy, width):
    visitor = visit(viewport={"width": width, "height": 740}, expected=[BAD_IMAGE])
    page = visitor.page
    assert page.evaluate(OVERFLOW) == [0]
    for _ in range(5):
        visitor.press()
        assert page.evaluate(OVERFLOW) == [0]
    visitor.upload(galaxy)
    assert page.evaluate(OVERFLOW) == [0]
    visitor.upload_files(
        visitor.file(galaxy, "a" * 80 + ".png"), visitor.file(b"text", "b" * 80 + ".png")
    )
    page.wait_for_selector("#answer:visible")
    assert page.evaluate(OVERFLOW) == [0]
    page.check("#guessing")
    visitor.press(guessing=True)
    assert page.evaluate(OVERFLOW) == [0]
    visitor.upload(b"text")
    assert page.evaluate(OVERFLOW) == [0]
    page.goto("/about")
    assert page.evaluate(OVERFLOW) == [0]


WIDE_TABLES = """() => [...document.querySelectorAll(".wide:has(table)")]
    .map(region => region.scrollWidth - region.clientWidth)"""


@pytest.mark.parametrize("width", [320, 390, 1280])
@SCHEMES
def test_the_tables_of_a_comparison_fit_the_screen(browser, comparison, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    page.set_content(comparison)
    assert page.evaluate(OVERFLOW) == [0]
    assert page.evaluate(WIDE_TABLES) == [0] * 5
    labels = page.locator(".ranks td").first.evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )
    assert (labels == "none") == (width == 1280)
    context.close()


def test_on_a_phone_the_button_stays_and_the_galaxy_is_scrolled_into_view(visit):
    visitor = visit(viewport=PHONE)
    page = visitor.page
    page.locator("#drop").scroll_into_view_if_needed()
    visitor.press()
    assert page.evaluate("document.querySelector('#frame').getBoundingClientRect().top") >= 0
    for inside in ("#frame", "#named", "#show"):
        box = page.locator(inside).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize("size", [(740, 360), (640, 400)], ids=["landscape", "zoomed"])
def test_on_a_low_screen_galaxy_and_class_are_both_visible(visit, size):
    width, height = size
    visitor = visit(viewport={"width": width, "height": height})
    page = visitor.page
    visitor.press()
    for inside in ("#frame", "#named"):
        box = page.locator(inside).bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= height, inside
    frame, button = (page.locator(item).bounding_box() for item in ("#frame", "#show"))
    assert button["x"] >= frame["x"] + frame["width"]  # beside the picture, not on top of it
    assert button["y"] + button["height"] <= height


def test_on_a_phone_nothing_covers_the_choices(visit):
    visitor = visit(viewport=PHONE)
    page = visitor.page
    page.check("#guessing")
    visitor.press(guessing=True)
    for choice in page.locator(".choice").all():
        choice.scroll_into_view_if_needed()
        on_top = choice.evaluate(
            """item => { const box = item.getBoundingClientRect();
                return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
                       === item; }"""
        )
        assert on_top, choice.inner_text()
    choice.click()
    assert page.evaluate("document.querySelector('#frame').getBoundingClientRect().top") >= 0
    box = page.locator("#named").bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= PHONE["height"]


@SCHEMES
@pytest.mark.parametrize("path", ["/", "/about"])
def test_the_page_follows_the_preferred_colour_scheme(visit, path, scheme):
    page = visit(path, color_scheme=scheme).page
    ground, ink = page.evaluate(
        """() => [getComputedStyle(document.documentElement).backgroundColor,
                  getComputedStyle(document.body).color]
                 .map(colour => Math.max(...colour.match(/[0-9]+/g).slice(0, 3)))"""
    )
    assert (ground < 40 and ink > 200) if scheme == "dark" else (ground > 200 and ink < 80)


# Count all shifts, including those after input, which the standard score excludes.
SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver(list => {
        for (const shift of list.getEntries()) window.shifts += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


@SCREENS
def test_the_layout_does_not_shift(visit, galaxy, thumbnail, viewport):
    visitor = visit(viewport=viewport)
    page = visitor.page
    page.evaluate(SHIFTS)
    for _ in range(12):
        visitor.press()
    page.uncheck("#drawing")
    visitor.upload(galaxy)
    page.check("#drawing")
    page.check("#guessing")
    visitor.press(guessing=True)
    page.click(".choice >> nth=3")
    (small,) = visitor.upload(thumbnail)["galaxies"]
    assert small["cautions"]
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifts") < 0.01


def violations(page):
    """Return the serious and critical violations found by axe."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found
        for node in violation["nodes"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "dark"), (DESKTOP, "light"), (PHONE, "dark")]
)
def test_axe_finds_no_serious_violations(visit, galaxy, blank, viewport, scheme):
    # The content security policy of the page blocks the injected script.
    visitor = visit(
        viewport=viewport, color_scheme=scheme, bypass_csp=True, expected=[BAD_IMAGE]
    )  # fmt: skip
    page = visitor.page
    assert violations(page) == []
    visitor.press()
    assert violations(page) == []
    page.check("#guessing")
    visitor.press(guessing=True)
    assert violations(page) == []
    page.click(".choice >> nth=0")
    assert violations(page) == []
    for data in (galaxy, blank, b"text"):
        visitor.upload(data)
        assert violations(page) == []
    visitor.upload_files(visitor.file(galaxy, "a.png"), visitor.file(b"text", "b.png"))
    page.wait_for_selector("#answer:visible")
    assert violations(page) == []
    page.goto("/about")
    assert violations(page) == []
