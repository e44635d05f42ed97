"""The page in a browser, as seen by a visitor."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

VERDICTS = {  # whether the visitor is right, and the model
    (True, True): "You and the model are right",
    (True, False): "You are right; the model is wrong",
    (False, True): "The model is right; you are wrong",
    (False, False): "You and the model are wrong",
}
BAD_IMAGE = "422 /api/classify"


def percent(value):
    if 0 < 100 * value < 1:
        return "< 1\u00a0%"
    return "> 99\u00a0%" if 99 < 100 * value < 100 else f"{int(100 * value + 0.5)}\u00a0%"


def check_answer(page, result):
    """Compare the page with the response of the server."""
    likely = result["most_probable"]
    assert page.inner_text("#named") == likely
    assert page.inner_text("#probability") == percent(result["probabilities"][likely])
    assert page.inner_text("#decision") == (result["decision_note"] or "")
    assert page.locator("#cautions li").all_inner_texts() == result["cautions"]
    for note in (result["decision_note"], *result["cautions"]):
        assert (note or "") in page.inner_text("#status")
    names = result["set"]
    shown = ", ".join(names) if len(names) < len(result["probabilities"]) else "all 10 classes"
    assert page.inner_text("#set-line") == f"90\u00a0% set: {shown}"
    assert f"90\u00a0% set: {shown}." in page.inner_text("#status")
    rows = [
        (row.locator("th").inner_text(), row.locator(".number").inner_text(),
         row.locator("progress").evaluate("bar => bar.value"))
        for row in page.locator("#probabilities tr").all()
    ]  # fmt: skip
    best = list(result["probabilities"].items())[:5]
    assert rows == [(name, percent(chance), pytest.approx(chance)) for name, chance in best]
    reasons = page.locator("#reasons li")
    assert reasons.count() == len(result["reasons"]) >= 3
    for item, reason in zip(reasons.all(), result["reasons"], strict=True):
        assert item.locator(".words").inner_text() == reason["words"]
        assert reason["feature"] in item.inner_text()
        sign, times = item.locator(".times").inner_text().split("\u00a0")
        assert sign == ("×" if reason["added"] >= 0 else "÷")
        assert float(times) == pytest.approx(np.exp(abs(reason["added"])), rel=0.06)
    names = [mark["name"] for mark in result["marks"]]
    assert page.locator("#overlay polyline").count() == len(names)
    legend = page.locator("#legend span").all_inner_texts()
    assert legend == list(dict.fromkeys(names))


def test_a_press_shows_galaxy_prediction_reasons_and_actual_class(visit):
    visitor = visit()
    page = visitor.page
    verdicts = set()
    for _ in range(60):
        result = visitor.press()
        check_answer(page, result)
        verdict = page.inner_text("#verdict")
        assert page.inner_text("#truth") == f"Actual class: {result['true_class']}"
        right = result["most_probable"] == result["true_class"]
        assert verdict == ("The model is right" if right else "The model is wrong")
        assert verdict in page.inner_text("#status")
        assert page.evaluate("document.querySelector('#picture').naturalWidth") == 256
        verdicts.add(verdict)
        if len(verdicts) == 2:
            return
    pytest.fail("the model is right for all or for none of sixty galaxies")


def overlay_offset(page, result):
    """Return the offset of the first line from its measured points, in screen pixels."""
    frame = page.locator("#frame").bounding_box()
    scale = min(frame["width"] / result["width"], frame["height"] / result["height"])
    middle = np.array([frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2])
    of_image = np.array([result["width"], result["height"]]) / 2 - 0.5
    points = middle + scale * (np.array(result["marks"][0]["points"]) - of_image)
    box = page.locator("#overlay polyline").first.evaluate(
        "line => { const box = line.getBoundingClientRect();"
        " return [[box.left, box.top], [box.right, box.bottom]]; }"
    )
    return np.abs(np.array(box) - [points.min(axis=0), points.max(axis=0)]).max()


def test_overlay_lines_match_the_measured_points(visit, galaxy):
    visitor = visit()
    page = visitor.page
    assert overlay_offset(page, visitor.press()) < 2
    (wide,) = visitor.upload(galaxy)["galaxies"]
    assert (wide["width"], wide["height"]) == (256, 200)
    assert overlay_offset(page, wide) < 2
    page.uncheck("#drawing")
    assert page.locator("#overlay polyline, #legend span").count() == 0
    page.check("#drawing")
    assert page.locator("#overlay polyline").count() == len(wide["marks"])


def enlarged(data, factor, kind="PNG"):
    """Return an image file with each pixel enlarged."""
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    stream = io.BytesIO()
    Image.fromarray(pixels.repeat(factor, axis=0).repeat(factor, axis=1)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_overlay_lines_match_a_large_image(visit, galaxy, kind):
    visitor = visit()
    page = visitor.page
    data = enlarged(galaxy, 12, kind)
    (result,) = visitor.upload(data, kind=f"image/{kind.lower()}")["galaxies"]
    check_answer(page, result)
    natural = page.evaluate(
        "() => { const { naturalWidth, naturalHeight } = document.querySelector('#picture');"
        " return [naturalWidth, naturalHeight]; }"
    )
    assert natural == [result["width"], result["height"]] == [3072, 2400]
    assert result["reduced_by"] == 3
    assert "reduced from 3,072 × 2,400 to 1,024 × 800 pixels" in page.inner_text("#cautions")
    assert overlay_offset(page, result) < 2
    (small,) = visitor.upload(galaxy)["galaxies"]
    middles = [np.mean(found["marks"][0]["points"], axis=0) for found in (result, small)]
    np.testing.assert_allclose(middles[0], 12 * middles[1] + 5.5, atol=8)


def test_a_thumbnail_comes_with_a_caution(visit, thumbnail):
    visitor = visit()
    (result,) = visitor.upload(thumbnail)["galaxies"]
    assert "too small for its class to be trusted" in visitor.page.inner_text("#cautions")
    check_answer(visitor.page, result)
    assert visitor.page.inner_text("#caution-link") == "A caution below"
    visitor.page.click("#caution-link")
    assert visitor.page.locator("#cautions").bounding_box()["y"] < 720
    check_answer(visitor.page, visitor.press())


def test_the_page_states_that_the_decision_rule_names_another_class(visit):
    visitor = visit()
    page = visitor.page
    for _ in range(200):
        result = visitor.press()
        if result["class"] != result["most_probable"]:
            break
    else:
        pytest.fail("no sample with two classes")
    assert page.inner_text("#named") == result["most_probable"]
    assert result["class"] in page.inner_text("#decision")


def test_several_images_are_listed_with_their_errors(visit, galaxy, blank):
    visitor = visit()
    page = visitor.page
    result = visitor.upload_files(
        visitor.file(galaxy, "first.png"), visitor.file(b"text", "notes.txt", "text/plain"),
        visitor.file(enlarged(galaxy, 8), "large.png"), visitor.file(blank, "blank.png"),
    )  # fmt: skip
    page.wait_for_selector("#upload-list [aria-current]")
    page.wait_for_selector("#answer:visible")
    first, large, empty = result["galaxies"]
    check_answer(page, first)
    lines = [item.split("\n") for item in page.locator("#upload-list li").all_inner_texts()]
    assert [line[0] for line in lines] == ["first.png", "notes.txt", "large.png", "blank.png"]
    assert lines[0][1:] == [first["most_probable"], page.inner_text("#probability")]
    assert lines[3][1] == "No galaxy found"
    (error,) = result["errors"]
    assert lines[1][1].rstrip(".").lower() == error["error"].lower()
    assert "notes.txt" in page.inner_text("#status")
    page.click("#upload-list >> text=large.png")
    page.wait_for_selector("#cautions li")
    check_answer(page, large)
    assert page.evaluate("document.querySelector('#picture').naturalWidth") == large["width"]
    page.click("#upload-list >> text=blank.png")
    page.wait_for_selector("#details", state="hidden")
    assert page.inner_text("#truth") == empty["problem"]
    visitor.press()
    assert not page.is_visible("#uploads")


def test_if_all_images_fail_each_error_is_shown(visit, galaxy):
    visitor = visit(expected=[BAD_IMAGE])
    page = visitor.page
    visitor.upload_files(visitor.file(b"text", "a.png"), visitor.file(galaxy[:900], "b.png"))
    page.wait_for_selector("#uploads:visible")
    texts = page.locator("#upload-list li").all_inner_texts()
    assert texts[0].startswith("a.png\nUnknown image format")
    assert texts[1].startswith("b.png\nThe image is damaged")
    assert page.inner_text("#problem") == "None of these images can be classified."
    assert not page.is_visible("#answer")
    visitor.upload(galaxy)
    assert not page.is_visible("#uploads")


def test_too_many_images_are_not_sent(visit, galaxy):
    visitor = visit()
    page = visitor.page
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.set_input_files("#file", [visitor.file(galaxy, f"{n}.png") for n in range(9)])
    page.wait_for_selector("#problem:visible")
    assert page.inner_text("#problem") == "You chose 9 images; choose at most 8 at once."
    assert not any("classify" in url for url in sent)


def test_guessing_hides_the_result_and_stores_the_score(visit):
    visitor = visit()
    page = visitor.page
    page.check("#guessing")
    score = [0, 0]
    for turn in range(1, 4):
        result = visitor.press(guessing=True)
        assert page.locator("#answer, #overlay polyline").locator("visible=true").count() == 0
        assert result["true_class"] not in page.inner_text("#status")
        guess = result["true_class"] if turn == 1 else "Merging"
        page.click(f".choice[data-class='{guess}']")
        check_answer(page, result)
        truth = f"Actual class: {result['true_class']}\nYour guess: {guess}"
        assert page.inner_text("#truth") == truth
        you, model = (name == result["true_class"] for name in (guess, result["most_probable"]))
        assert page.inner_text("#verdict") == VERDICTS[you, model]
        score = [score[0] + you, score[1] + model]
        counts = f"you {score[0]}, the model {score[1]}"
        assert page.inner_text("#score").endswith(counts)
    page.reload()
    assert page.inner_text("#score") == f"Score after 3 galaxies: {counts}"
    page.click("#forget")
    page.reload()
    assert "Guess first" in page.inner_text("#score")


def test_an_invalid_stored_score_is_reset(visit):
    visitor = visit()
    page = visitor.page
    for kept in ('{"of": -1}', "no JSON", "null", '{"of": "<b>", "you": 0, "model": 0}'):
        page.evaluate("kept => localStorage.setItem('galfeat.score', kept)", kept)
        page.reload()
        assert "Guess first" in page.inner_text("#score")
        visitor.press()


def test_upload_by_choosing_a_file(visit, galaxy):
    visitor = visit()
    page = visitor.page
    (result,) = visitor.upload(galaxy)["galaxies"]
    check_answer(page, result)
    assert page.inner_text("#verdict") == "Your image"
    assert "Actual class" not in page.inner_text("#answer")
    model = page.evaluate("fetch('api/model').then(response => response.json())")
    assert page.inner_text("#truth").endswith(f"Classified by the model {model['name']}.")
    with page.expect_file_chooser() as chooser:
        page.click("#drop")
    with page.expect_response("**/api/classify"):  # the same file once more
        chooser.value.set_files(visitor.file(galaxy))


@pytest.mark.parametrize("where", ["#drop", "body"])
def test_upload_by_dropping_a_file_anywhere(visit, galaxy, where):
    visitor = visit()
    page = visitor.page
    dropped = page.evaluate_handle(
        """content => {
            const bytes = Uint8Array.from(atob(content), char => char.charCodeAt(0));
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
    "text with the name of an image": (b"a galaxy", "galaxy.png", "image/png"),
}


@pytest.mark.parametrize("name", BAD)
def test_invalid_uploads_show_the_error(visit, galaxy, name):
    visitor = visit(expected=[BAD_IMAGE])
    page = visitor.page
    data, filename, kind = BAD[name]
    error = visitor.upload(data, name=filename, kind=kind)["error"]
    shown = page.inner_text("#problem")
    assert shown.rstrip(".").lower() == error.rstrip(".").lower()
    assert page.inner_text("#status") == shown
    assert not page.is_visible("#answer")
    check_answer(page, visitor.upload(galaxy)["galaxies"][0])
    assert not page.is_visible("#problem")


def test_the_page_shows_that_no_galaxy_was_found(visit, blank):
    visitor = visit()
    page = visitor.page
    (result,) = visitor.upload(blank)["galaxies"]
    assert page.inner_text("#named") == "No galaxy found"
    assert page.inner_text("#truth") == result["problem"]
    assert result["problem"] in page.inner_text("#status")
    assert page.locator("#details, #overlay polyline").locator("visible=true").count() == 0


def test_the_page_shows_a_doubtful_image_with_its_class_and_the_doubt(visit):
    y, x = np.mgrid[:160, :160]
    disc = (np.hypot(x - 80, y - 80) < 40)[..., None] * np.uint8([200, 180, 40])
    stream = io.BytesIO()
    Image.fromarray(disc).save(stream, "PNG")
    visitor = visit()
    (result,) = visitor.upload(stream.getvalue())["galaxies"]
    assert "unlike_training" in result["flags"]
    check_answer(visitor.page, result)
    assert visitor.page.inner_text("#verdict") == "Possibly not a galaxy"
    assert visitor.page.inner_text("#status").startswith("Possibly not a galaxy: ")


def test_the_page_recovers_from_an_unreachable_server(visit):
    visitor = visit(expected=["failed /api/sample"])
    page = visitor.page
    page.wait_for_load_state("networkidle")  # the icon comes late
    page.context.set_offline(True)
    page.click("#show")
    page.wait_for_selector("#problem:visible")
    assert "does not respond" in page.inner_text("#status")
    page.context.set_offline(False)
    check_answer(page, visitor.press())


def test_dropping_something_other_than_a_file_shows_an_error(visit):
    page = visit().page
    link = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.setData('text/uri-list', 'http://a.b/');"
        " return data; }"
    )
    page.dispatch_event("body", "drop", {"dataTransfer": link})
    assert "Not a file" in page.inner_text("#problem")


def test_only_the_last_request_is_shown(visit, galaxy):
    visitor = visit()
    page = visitor.page
    held = []
    page.route("**/api/classify", lambda route: held.append(route))
    page.set_input_files("#file", visitor.file(galaxy))
    page.wait_for_selector("#measuring:visible")
    with page.expect_event("requestfailed") as aborted:  # so the server does not measure it
        result = visitor.press()
    assert aborted.value.url.endswith("/api/classify")
    page.evaluate("fetch('healthz').then(response => response.text())")  # wait for a later response
    check_answer(page, result)
    assert page.inner_text("#verdict") != "Your image"


def test_about_shows_each_class_and_the_scores(visit):
    visitor = visit("/")
    page = visitor.page
    model = page.evaluate("fetch('api/model').then(response => response.json())")
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
    assert "Do not rely on the model" in page.inner_text("section:has(#limits)")
