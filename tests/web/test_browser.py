"""The page in a browser, as a visitor meets it."""

import base64

import numpy as np
import pytest

VERDICTS = {  # whether the visitor is right, and the model
    (True, True): "You and the model are right",
    (True, False): "You are right, the model is wrong",
    (False, True): "The model is right, you are not",
    (False, False): "You and the model are wrong",
}
NOT_TAKEN = "422 /api/classify"


def percent(value):
    if 0 < 100 * value < 1:
        return "< 1\u00a0%"
    return "> 99\u00a0%" if 99 < 100 * value < 100 else f"{int(100 * value + 0.5)}\u00a0%"


def check_answer(page, said):
    """Compare all that is shown with what the server says."""
    assert page.inner_text("#named") == said["class"]
    assert page.inner_text("#probability") == percent(said["probability"])
    rows = [
        (row.locator("th").inner_text(), row.locator(".number").inner_text(),
         row.locator("progress").evaluate("bar => bar.value"))
        for row in page.locator("#chances tr").all()
    ]  # fmt: skip
    best = list(said["probabilities"].items())[:5]
    assert rows == [(name, percent(chance), pytest.approx(chance)) for name, chance in best]
    reasons = page.locator("#reasons li")
    assert reasons.count() == len(said["reasons"]) >= 3
    for item, reason in zip(reasons.all(), said["reasons"], strict=True):
        assert item.locator(".words").inner_text() == reason["words"]
        assert reason["feature"] in item.inner_text()
        sign, times = item.locator(".times").inner_text().split("\u00a0")
        assert sign == ("×" if reason["added"] >= 0 else "÷")
        assert float(times) == pytest.approx(np.exp(abs(reason["added"])), rel=0.06)
    names = [mark["name"] for mark in said["marks"]]
    assert page.locator("#overlay polyline").count() == len(names)
    legend = page.locator("#legend span").all_inner_texts()
    assert legend == list(dict.fromkeys(names))


def test_a_press_shows_a_galaxy_what_it_is_said_to_be_why_and_what_it_is(visit):
    visitor = visit()
    page = visitor.page
    verdicts = set()
    for _ in range(60):
        said = visitor.press()
        check_answer(page, said)
        verdict = page.inner_text("#verdict")
        assert page.inner_text("#truth") == f"Actual class: {said['true_class']}"
        right = said["class"] == said["true_class"]
        assert verdict == ("The model is right" if right else "The model is wrong")
        assert verdict in page.inner_text("#status")
        assert page.evaluate("document.querySelector('#picture').naturalWidth") == 256
        verdicts.add(verdict)
        if len(verdicts) == 2:
            return
    pytest.fail("sixty galaxies, and the model is right of all or of none")


def lines_beside_points(page, said):
    """Return how far the first line's box is from where its points are, in screen pixels."""
    frame = page.locator("#frame").bounding_box()
    scale = min(frame["width"] / said["width"], frame["height"] / said["height"])
    middle = np.array([frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2])
    of_image = np.array([said["width"], said["height"]]) / 2 - 0.5
    points = middle + scale * (np.array(said["marks"][0]["points"]) - of_image)
    box = page.locator("#overlay polyline").first.evaluate(
        "line => { const box = line.getBoundingClientRect();"
        " return [[box.left, box.top], [box.right, box.bottom]]; }"
    )
    return np.abs(np.array(box) - [points.min(axis=0), points.max(axis=0)]).max()


def test_lines_lie_where_they_were_measured(visit, galaxy):
    visitor = visit()
    page = visitor.page
    assert lines_beside_points(page, visitor.press()) < 2
    (wide,) = visitor.send(galaxy)["galaxies"]
    assert (wide["width"], wide["height"]) == (256, 200)
    assert lines_beside_points(page, wide) < 2
    page.uncheck("#drawing")
    assert page.locator("#overlay polyline, #legend span").count() == 0
    page.check("#drawing")
    assert page.locator("#overlay polyline").count() == len(wide["marks"])


def test_who_guesses_first_is_told_nothing_before_and_the_score_stays(visit):
    visitor = visit()
    page = visitor.page
    page.check("#guessing")
    score = [0, 0]
    for turn in range(1, 4):
        said = visitor.press(answered=False)
        assert page.locator("#answer, #overlay polyline").locator("visible=true").count() == 0
        assert said["true_class"] not in page.inner_text("#status")
        guess = said["true_class"] if turn == 1 else "Merging"
        page.click(f".choice[data-class='{guess}']")
        check_answer(page, said)
        told = f"Actual class: {said['true_class']}\nYour guess: {guess}"
        assert page.inner_text("#truth") == told
        you, model = guess == said["true_class"], said["class"] == said["true_class"]
        assert page.inner_text("#verdict") == VERDICTS[you, model]
        score = [score[0] + you, score[1] + model]
        told = f"you {score[0]}, the model {score[1]}"
        assert page.inner_text("#score").endswith(told)
    page.reload()
    assert page.inner_text("#score") == f"Right on 3 galaxies: {told}"
    page.click("#forget")
    page.reload()
    assert "Guess first" in page.inner_text("#score")


def test_a_score_that_was_tampered_with_counts_from_nothing(visit):
    visitor = visit()
    page = visitor.page
    for kept in ('{"of": -1}', "no JSON", "null", '{"of": "<b>", "you": 0, "model": 0}'):
        page.evaluate("kept => localStorage.setItem('galfeat.score', kept)", kept)
        page.reload()
        assert "Guess first" in page.inner_text("#score")
        visitor.press()


def test_ones_own_galaxy_by_choosing_a_file(visit, galaxy):
    visitor = visit()
    page = visitor.page
    (said,) = visitor.send(galaxy)["galaxies"]
    check_answer(page, said)
    assert page.inner_text("#verdict") == "Your image"
    assert "Actual class" not in page.inner_text("#answer")
    model = page.evaluate("fetch('api/model').then(answer => answer.json())")
    assert page.inner_text("#truth").endswith(f"Answered by the model {model['name']}.")
    with page.expect_file_chooser() as chooser:
        page.click("#drop")
    with page.expect_response("**/api/classify"):  # the same file once more
        chooser.value.set_files(visitor.file(galaxy))


@pytest.mark.parametrize("where", ["#drop", "body"])
def test_ones_own_galaxy_by_dropping_it_anywhere(visit, galaxy, where):
    visitor = visit()
    page = visitor.page
    dropped = page.evaluate_handle(
        """content => {
            const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "galaxy.png", { type: "image/png" }));
            return data;
        }""",
        base64.b64encode(galaxy).decode(),
    )
    page.dispatch_event(where, "dragover", {"dataTransfer": dropped})
    assert "over" in page.get_attribute("#drop", "class")
    with page.expect_response("**/api/classify") as response:
        page.dispatch_event(where, "drop", {"dataTransfer": dropped})
    page.wait_for_selector("#answer:visible")
    check_answer(page, response.value.json()["galaxies"][0])
    assert "over" not in page.get_attribute("#drop", "class")


DOT = base64.b64decode(  # a PNG file of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)
BAD = {
    "text": (b"a galaxy", "galaxy.txt", "text/plain"),
    "a dot": (DOT, "dot.png", "image/png"),
    "text that says it is a picture": (b"a galaxy", "galaxy.png", "image/png"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_of_a_galaxy_is_refused_in_a_sentence(visit, galaxy, name):
    visitor = visit(expected=[NOT_TAKEN])
    page = visitor.page
    content, filename, kind = BAD[name]
    error = visitor.send(content, name=filename, kind=kind)["error"]
    shown = page.inner_text("#problem")
    assert shown.rstrip(".").lower() == error.rstrip(".").lower()
    assert page.inner_text("#status") == shown
    assert not page.is_visible("#answer")
    check_answer(page, visitor.send(galaxy)["galaxies"][0])
    assert not page.is_visible("#problem")


def test_where_there_is_no_galaxy_the_page_says_so(visit, blank):
    visitor = visit()
    page = visitor.page
    (said,) = visitor.send(blank)["galaxies"]
    assert page.inner_text("#named") == "No galaxy found"
    assert page.inner_text("#truth") == said["problem"]
    assert said["problem"] in page.inner_text("#status")
    assert page.locator("#details, #overlay polyline").locator("visible=true").count() == 0


def test_a_server_that_is_away_is_no_end(visit):
    visitor = visit(expected=["failed /api/sample"])
    page = visitor.page
    page.wait_for_load_state("networkidle")  # the icon comes late
    page.context.set_offline(True)
    page.click("#show")
    page.wait_for_selector("#problem:visible")
    assert "does not answer" in page.inner_text("#status")
    page.context.set_offline(False)
    check_answer(page, visitor.press())


def test_what_is_dropped_and_no_file_is_told(visit):
    page = visit().page
    link = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.setData('text/uri-list', 'http://a.b/');"
        " return data; }"
    )
    page.dispatch_event("body", "drop", {"dataTransfer": link})
    assert "no file" in page.inner_text("#problem")


def test_the_last_question_is_the_one_that_is_answered(visit, galaxy):
    visitor = visit()
    page = visitor.page
    held = []
    page.route("**/api/classify", lambda route: held.append(route))
    page.set_input_files("#file", visitor.file(galaxy))
    page.wait_for_selector("#measuring:visible")
    with page.expect_event("requestfailed") as given_up:  # so that nobody measures it in vain
        said = visitor.press()
    assert given_up.value.url.endswith("/api/classify")
    page.evaluate("fetch('healthz').then(answer => answer.text())")  # later still
    check_answer(page, said)
    assert page.inner_text("#verdict") != "Your image"


def test_about_shows_each_class_and_what_the_model_is_worth(visit):
    visitor = visit("/")
    page = visitor.page
    model = page.evaluate("fetch('api/model').then(answer => answer.json())")
    page.click("nav >> text=About")
    page.wait_for_url("**/about")
    for figure in page.locator(".examples figure").all():
        figure.scroll_into_view_if_needed()
        figure.locator("img").evaluate("picture => picture.decode()")
    captions = page.locator(".examples figcaption").all_inner_texts()
    assert [text.split("\n")[0].strip() for text in captions] == model["classes"]
    for name, score in model["scores"].items():
        row = page.locator(f"tr:has(th:text-is('{name}'))")
        assert f"{score['value']:.2f}" in row.inner_text()
        assert f"{score['low']:.2f} to {score['high']:.2f}" in row.inner_text()
    assert page.locator("section:has(#by-class) tbody tr").count() == len(model["classes"])
    assert "must not be used" in page.inner_text("#limits")
