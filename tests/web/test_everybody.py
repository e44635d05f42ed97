"""The page for everybody: by keyboard, read out, on a phone, by night, and without a jump."""

import pytest

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SCREENS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCHEMES = pytest.mark.parametrize("scheme", ["dark", "light"])
NOT_TAKEN = "422 /api/classify"

FOCUS = """() => {
    const one = document.activeElement;
    const outlined = one.id === "file" ? document.getElementById("drop") : one;
    const { outlineStyle, outlineWidth } = getComputedStyle(outlined);
    return [one.id || one.textContent.trim(), outlineStyle !== "none" && parseFloat(outlineWidth)];
}"""


def tab(page, key="Tab"):
    """Go on to the next thing that takes keys, which must show it; return what it is."""
    page.keyboard.press(key)
    name, width = page.evaluate(FOCUS)
    assert width >= 2, f"the focus on {name} cannot be seen"
    return name


def test_everything_can_be_reached_and_used_by_keyboard(visit):
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
    page.keyboard.press("Enter")  # once too often: no guess
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


def test_what_happens_is_read_out(visit, galaxy, blank):
    visitor = visit(expected=[NOT_TAKEN])
    status = visitor.page.locator("#status")
    assert status.get_attribute("role") == "status"
    said = visitor.press()
    for part in (said["class"], said["true_class"]):
        assert part in status.inner_text()
    (own,) = visitor.send(galaxy)["galaxies"]
    assert own["class"] in status.inner_text()
    visitor.send(blank)
    assert "No galaxy found" in status.inner_text()
    visitor.send(b"text")
    assert "PNG, JPEG or WebP" in status.inner_text()


SPILLED = """() => {
    const wide = document.documentElement.clientWidth;
    const spills = one => one.getBoundingClientRect().right > wide + 0.5 && !one.closest(".scroll");
    return [document.scrollingElement.scrollWidth - wide,
            ...[...document.body.querySelectorAll("*")].filter(spills).map(one => one.outerHTML)];
}"""


@pytest.mark.parametrize("width", [320, 360, 800])
def test_nothing_spills_over_the_side_of_a_small_screen(visit, galaxy, width):
    visitor = visit(viewport={"width": width, "height": 740}, expected=[NOT_TAKEN])
    page = visitor.page
    assert page.evaluate(SPILLED) == [0]
    for _ in range(5):
        visitor.press()
        assert page.evaluate(SPILLED) == [0]
    visitor.send(galaxy)
    assert page.evaluate(SPILLED) == [0]
    page.check("#guessing")
    visitor.press(answered=False)
    assert page.evaluate(SPILLED) == [0]
    visitor.send(b"text")
    assert page.evaluate(SPILLED) == [0]
    page.goto("/about")
    assert page.evaluate(SPILLED) == [0]


def test_on_a_phone_the_button_stays_and_the_galaxy_comes_into_view(visit):
    visitor = visit(viewport=PHONE)
    page = visitor.page
    page.locator("#drop").scroll_into_view_if_needed()
    visitor.press()
    assert page.evaluate("document.querySelector('#frame').getBoundingClientRect().top") >= 0
    for inside in ("#frame", "#named", "#show"):
        box = page.locator(inside).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize("size", [(740, 360), (640, 400)], ids=["on its side", "enlarged"])
def test_on_a_low_screen_galaxy_and_class_are_seen_together(visit, size):
    width, height = size
    visitor = visit(viewport={"width": width, "height": height})
    page = visitor.page
    visitor.press()
    for inside in ("#frame", "#named"):
        box = page.locator(inside).bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= height, inside
    frame, button = (page.locator(one).bounding_box() for one in ("#frame", "#show"))
    assert button["x"] >= frame["x"] + frame["width"]  # beside the picture, not on it
    assert button["y"] + button["height"] <= height


def test_on_a_phone_nothing_lies_over_what_can_be_guessed(visit):
    visitor = visit(viewport=PHONE)
    page = visitor.page
    page.check("#guessing")
    visitor.press(answered=False)
    for choice in page.locator(".choice").all():
        choice.scroll_into_view_if_needed()
        on_top = choice.evaluate(
            """one => { const box = one.getBoundingClientRect();
                return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
                       === one; }"""
        )
        assert on_top, choice.inner_text()
    choice.click()
    assert page.evaluate("document.querySelector('#frame').getBoundingClientRect().top") >= 0
    box = page.locator("#named").bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= PHONE["height"]


@SCHEMES
@pytest.mark.parametrize("path", ["/", "/about"])
def test_the_page_is_dark_or_light_as_the_visitor_likes(visit, path, scheme):
    page = visit(path, color_scheme=scheme).page
    ground, ink = page.evaluate(
        """() => [getComputedStyle(document.documentElement).backgroundColor,
                  getComputedStyle(document.body).color]
                 .map(colour => Math.max(...colour.match(/[0-9]+/g).slice(0, 3)))"""
    )
    assert (ground < 40 and ink > 200) if scheme == "dark" else (ground > 200 and ink < 80)


# Every shift counts, also those just after a key, which the usual sum leaves out.
SHIFTS = """
    window.shifts = 0;
    new PerformanceObserver(list => {
        for (const shift of list.getEntries()) window.shifts += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
"""


@SCREENS
def test_nothing_jumps(visit, galaxy, viewport):
    visitor = visit(viewport=viewport)
    page = visitor.page
    page.evaluate(SHIFTS)
    for _ in range(12):
        visitor.press()
    page.uncheck("#drawing")
    visitor.send(galaxy)
    page.check("#drawing")
    page.check("#guessing")
    visitor.press(answered=False)
    page.click(".choice >> nth=3")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifts") < 0.01


def grave(page):
    """Return what axe finds wrong that is serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not there")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html']}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "dark"), (DESKTOP, "light"), (PHONE, "dark")]
)
def test_axe_finds_nothing_grave(visit, galaxy, blank, viewport, scheme):
    # Its script comes from outside the page, which the page's own policy forbids.
    visitor = visit(
        viewport=viewport, color_scheme=scheme, bypass_csp=True, expected=[NOT_TAKEN]
    )  # fmt: skip
    page = visitor.page
    assert grave(page) == []
    visitor.press()
    assert grave(page) == []
    page.check("#guessing")
    visitor.press(answered=False)
    assert grave(page) == []
    page.click(".choice >> nth=0")
    assert grave(page) == []
    for content in (galaxy, blank, b"text"):
        visitor.send(content)
        assert grave(page) == []
    page.goto("/about")
    assert grave(page) == []
