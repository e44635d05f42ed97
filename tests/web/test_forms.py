"""Forms of several images, of which some cannot be classified."""

import io

import numpy as np
import pytest
from PIL import Image

from galfeat import open_dataset
from galfeat.web.results import classify_images
from galfeat.web.uploads import MAX_BYTES
from galfeat.web.worker_pool import BusyError

LARGE = b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES)


def encoded(image, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind)
    return stream.getvalue()


@pytest.fixture(scope="module")
def image(simulated):
    return open_dataset(simulated).read([60])[0]


def post(client, *files):
    response = client.post("/api/classify", files=[("image", file) for file in files])
    return response.status_code, response.json()


def test_a_bad_image_fails_alone_and_is_named(client, image):
    good = encoded(image)
    status, body = post(
        client, ("one.png", good), ("notes.txt", b"text"), ("two.png", good),
        ("raw.png", LARGE), ("cut.png", good[:2000]),
    )  # fmt: skip
    assert status == 200
    assert [galaxy["file"] for galaxy in body["galaxies"]] == ["one.png", "two.png"]
    assert [galaxy["id"] for galaxy in body["galaxies"]] == ["upload-0", "upload-2"]
    errors = [(error["number"], error["file"]) for error in body["errors"]]
    assert errors == [(1, "notes.txt"), (3, "raw.png"), (4, "cut.png")]
    texts = [error["error"] for error in body["errors"]]
    for text, expected in zip(texts, ("PNG, JPEG or WebP", "12,500,008 bytes", "damaged"),
                              strict=True):  # fmt: skip
        assert expected in text


def test_without_errors_the_list_of_errors_is_empty(client, image):
    status, body = post(client, ("one.png", encoded(image)))
    assert (status, body["errors"]) == (200, [])


def test_if_all_images_fail_so_does_the_request(client):
    status, body = post(client, ("a.png", b"a"), ("b.png", LARGE))
    assert status == 422
    assert "none of the 2 images can be classified" in body["error"]
    assert [error["file"] for error in body["errors"]] == ["a.png", "b.png"]
    status, body = post(client, ("a.png", b"a"))
    assert status == 422
    assert body["error"] == body["errors"][0]["error"]
    assert post(client, ("a.png", LARGE), ("b.png", LARGE))[0] == 413


@pytest.mark.parametrize(
    ("name", "returned"),
    [("../a b.png", "../a b.png"), ("galaxie \u00e9.png", "galaxie \u00e9.png"),
     ("<img src=x>.png", "<img src=x>.png"), ("x" * 300, "x" * 255)],
)  # fmt: skip
def test_odd_names_are_returned_as_they_are(client, name, returned):
    status, body = post(client, (name, b"text"))
    assert status == 422
    assert body["errors"][0]["file"] == returned


def test_what_was_classified_is_kept_when_the_queue_becomes_full(client, image, monkeypatch):
    measured = []

    def classify(*arguments):
        measured.append(arguments)
        if len(measured) == 2:
            raise BusyError("32 requests are in progress; try again in a second")
        return classify_images(*arguments)

    monkeypatch.setattr("galfeat.web.results.classify_images", classify)
    files = [(f"{number}.png", encoded(image)) for number in range(3)]
    status, body = post(client, *files)
    assert status == 200
    assert [galaxy["file"] for galaxy in body["galaxies"]] == ["0.png"]
    assert [error["file"] for error in body["errors"]] == ["1.png", "2.png"]
    assert all("try again" in error["error"] for error in body["errors"])


def test_a_large_image_is_reduced_and_its_lines_lie_on_the_image_sent(client, image):
    large = image.repeat(8, axis=0).repeat(8, axis=1)
    (found,) = client.post("/api/classify", content=encoded(large)).json()["galaxies"]
    assert (found["width"], found["height"], found["reduced_by"]) == (2048, 2048, 2)
    assert found["cautions"][0].startswith(
        "The image was reduced from 2,048 × 2,048 to 1,024 × 1,024 pixels"
    )
    half = image.repeat(4, axis=0).repeat(4, axis=1)
    (measured,) = client.post("/api/classify", content=encoded(half)).json()["galaxies"]
    assert (measured["reduced_by"], measured["cautions"]) == (1, [])
    assert found["probabilities"] == measured["probabilities"]
    for mark, original in zip(found["marks"], measured["marks"], strict=True):
        expected = 2 * np.array(original["points"]) + 0.5
        np.testing.assert_allclose(mark["points"], expected, atol=0.11)


@pytest.mark.parametrize(("side", "is_small"), [(24, True), (32, True), (256, False)])
def test_thumbnails_come_with_a_caution(client, image, side, is_small):
    small = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))
    (found,) = client.post("/api/classify", content=encoded(small)).json()["galaxies"]
    cautions = [text for text in found["cautions"] if "too small for its class" in text]
    assert len(cautions) == is_small
