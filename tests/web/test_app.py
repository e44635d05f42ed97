"""The application: pages, samples, and the API."""

import asyncio
import copy
import dataclasses
import io
import json
import re
import threading
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from galfeat import open_dataset
from galfeat.data import ArrayDataSet, pixel_digest
from galfeat.errors import DataError
from galfeat.model_io.rows import ModelRows
from galfeat.web.app import STATIC, create_app
from galfeat.web.openapi import description
from galfeat.web.request_limits import HEADERS
from galfeat.web.results import classify_images
from galfeat.web.samples import draw_samples
from galfeat.web.worker_pool import BusyError, ClientDisconnected, Workers

NO_DIGESTS = np.empty((0, 16), np.uint8)


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def galaxy(simulated):
    return open_dataset(simulated).read([60])[0]


def test_the_page_has_a_button_and_all_classes(client, content):
    page = client.get("/").text
    assert "Show me a galaxy" in page
    for name in content.model_info["classes"]:
        assert f'data-class="{name}"' in page
    assert "Simulated." in page


@pytest.mark.parametrize("path", ["/", "/about"])
def test_pages_use_no_external_or_inline_resources(client, path):
    response = client.get(path)
    assert response.status_code == 200
    # Previews of links need absolute addresses, of this site.
    text = response.text.replace("<!doctype html>", "").replace('content="http://galaxies/', "")
    assert not re.search(r"https?://|//[a-z]", text)
    assert not re.search(r"<script>|<style|\sstyle=|\son[a-z]+=", response.text)
    for name in re.findall(r'(?:src|href)="(static/[^"]+)"', response.text):
        assert client.get(f"/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/sample", "/nowhere", "/healthz"])
def test_every_response_has_security_headers(client, path):
    headers = client.get(path).headers
    for name, value in HEADERS.items():
        assert headers[name] == value


@pytest.mark.parametrize("path", ["/", "/about", "/static/app.js", "/static/app.css"])
def test_browsers_revalidate_pages_and_scripts(client, path):
    response = client.get(path)
    assert response.headers["Cache-Control"] == "no-cache"
    if path.startswith("/static"):
        again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


def test_there_are_five_samples_of_each_class(client, content):
    classes = Counter(sample.result["true_class"] for sample in content.samples)
    assert classes == dict.fromkeys(content.model_info["classes"], 5)
    for number in (0, 49):
        picture = client.get(f"/samples/{number}.jpg")
        assert picture.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(picture.content)).size == (256, 256)
    assert client.get("/samples/50.jpg").status_code == 404


@pytest.mark.parametrize("threads", [1, 3])
def test_samples_do_not_depend_on_the_number_of_threads(content, simulated, threads):
    drawn = draw_samples(
        content.classifier, open_dataset(simulated), ModelRows(NO_DIGESTS, NO_DIGESTS), seed=3,
        threads=threads,
    )  # fmt: skip
    assert [sample.json for sample in drawn] == [sample.json for sample in content.samples]
    assert [sample.picture for sample in drawn] == [sample.picture for sample in content.samples]


def test_samples_exclude_training_images(content, simulated):
    dataset = open_dataset(simulated)
    images = dataset.read(np.arange(len(dataset)))
    digests = np.array([np.frombuffer(pixel_digest(image), np.uint8) for image in images])
    learned = np.arange(120) % 12 < 9  # all but three of each class
    drawn = draw_samples(
        content.classifier, dataset, ModelRows(digests[learned], NO_DIGESTS), seed=0
    )
    assert Counter(sample.result["true_class"] for sample in drawn) == dict.fromkeys(
        content.model_info["classes"], 3
    )
    new = {_jpeg(images[row]) for row in np.flatnonzero(~learned)}
    assert {sample.picture for sample in drawn} == new
    with pytest.raises(DataError, match="new to the model"):
        draw_samples(content.classifier, dataset, ModelRows(digests, NO_DIGESTS), seed=0)


def test_samples_exclude_other_images_of_training_galaxies(content, simulated):
    dataset = open_dataset(simulated)
    images = dataset.read(np.arange(0, 120, 6))
    labels = dataset.labels[::6]
    names = [f"galaxy {row}" for row in range(len(images))]
    again = ArrayDataSet(
        np.stack(images), labels, groups=names, class_names=list(dataset.class_names)
    )
    learned = ModelRows(NO_DIGESTS, NO_DIGESTS, frozenset(names[::2]))
    drawn = draw_samples(content.classifier, again, learned, seed=0)
    assert {sample.picture for sample in drawn} == {_jpeg(image) for image in images[1::2]}


def _jpeg(image):
    return encoded(image, "JPEG", quality=92)


def test_samples_are_random_and_complete(client):
    drawn = [client.get("/api/sample").json() for _ in range(60)]
    assert len({sample["number"] for sample in drawn}) > 20
    for sample in drawn:
        assert client.get("/" + sample["image"]).status_code == 200
        assert sample["class"] in sample["probabilities"]
        assert sample["probability"] == sample["probabilities"][sample["class"]]
        assert sample["most_probable"] == next(iter(sample["probabilities"]))
        differs = sample["class"] != sample["most_probable"]
        assert (sample["decision_note"] is not None) == differs
        assert sample["reduced_by"] == 1
        assert len(sample["reasons"]) == 3
        assert {mark["name"] for mark in sample["marks"]} >= {"Petrosian radius"}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_uploads_are_classified_as_by_the_library(client, content, galaxy, kind):
    data = encoded(galaxy, kind)
    response = client.post("/api/classify", content=data)
    assert response.status_code == 200
    (found,) = response.json()["galaxies"]
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    predictions = content.classifier.classify([pixels])
    (row,) = predictions.rows(["upload"], [None])
    assert found["galaxy"]
    assert {name: found[name] for name in row} == json.loads(json.dumps(row))
    assert found["set"] == list(predictions.with_sets(0.9).set_of(0))
    assert found["most_probable"] in found["set"]
    assert found["coverage"] == 0.9


def test_models_without_out_of_fold_predictions_show_no_set(content, galaxy):
    classifier = copy.deepcopy(content.classifier)
    del classifier.ensemble_.calibration_rows_
    earlier = dataclasses.replace(content, classifier=classifier)
    with TestClient(create_app(earlier), base_url="http://galaxies") as client:
        response = client.post("/api/classify", content=encoded(galaxy))
    (found,) = response.json()["galaxies"]
    assert found["galaxy"]
    assert (found["set"], found["coverage"]) == (None, None)


def test_several_images_keep_their_order(client, galaxy):
    other = np.ascontiguousarray(galaxy[::-1])
    files = [("image", ("a.png", encoded(galaxy))), ("image", ("b.png", encoded(other)))]
    both = client.post("/api/classify", files=files).json()["galaxies"]
    alone = [
        client.post("/api/classify", content=encoded(image)).json()["galaxies"][0]
        for image in (galaxy, other)
    ]
    assert [g["probabilities"] for g in both] == [g["probabilities"] for g in alone]


def _star():
    """A star with diffraction spikes, on the sky of an SDSS image."""
    y, x = np.mgrid[-80:80, -80:80].astype(float)
    r = np.hypot(x, y)
    spikes = np.exp(-np.abs(x) / 30 - y**2 / 4) + np.exp(-np.abs(y) / 30 - x**2 / 4)
    light = 3000 * (1 + (r / 2.5) ** 2) ** -3 + 120 * spikes
    return np.clip(3 + light, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def _disc():
    y, x = np.mgrid[:160, :160]
    return (np.hypot(x - 80, y - 80) < 40)[..., None] * np.uint8([200, 180, 40])


def test_an_image_without_a_source_gets_no_class(client):
    image = np.full((120, 120, 3), 25, np.uint8)
    (found,) = client.post("/api/classify", content=encoded(image)).json()["galaxies"]
    assert found["galaxy"] is False
    assert found["problem"].endswith(".")
    assert found["class"] is None
    assert all(value is None for name, value in found.items() if name.startswith("p_"))
    assert found["reasons"] == found["marks"] == []


NO_GALAXIES = {
    "noise": np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8),
    "star": _star(),
    "a disc of one colour": _disc(),
}


@pytest.mark.parametrize("image", NO_GALAXIES.values(), ids=NO_GALAXIES)
def test_a_doubtful_image_gets_a_class_and_the_doubt(client, image):
    (found,) = client.post("/api/classify", content=encoded(image)).json()["galaxies"]
    if not found["galaxy"]:  # noise may contain no source
        assert found["flags"] == "no_source"
        return
    assert found["class"] is not None
    assert found["problem"] is None
    assert {"unlike_training", "point_like"} & set(found["flags"].split(";"))
    assert found["cautions"][0].startswith("Possibly ")
    assert found["reasons"]


def test_model_health_and_metrics(client):
    assert client.get("/api/model").json()["name"] == "quick"
    assert client.get("/readyz").text == "ok"
    client.get("/api/sample")
    client.get("/api/sample")
    counts = client.get("/metrics").text
    assert 'galfeat_responses_total{path="/api/sample",status="200"} 2' in counts
    assert "galfeat_waiting 0" in counts


def test_every_route_of_the_api_is_described(content):
    routes = {route.path for route in create_app(content).routes}
    pages = {"/", "/about", STATIC, "/openapi.json"}
    assert routes - pages == set(description()["paths"])


def test_too_many_requests_are_told_to_retry(content, galaxy):
    from starlette.testclient import TestClient

    app = create_app(content)
    app.state.workers = Workers(1, 0)
    response = TestClient(app).post("/api/classify", content=encoded(galaxy))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "try again" in response.json()["error"]


def test_failed_work_frees_its_slot():
    workers = Workers(1, 1)

    async def twice():
        connected = asyncio.get_running_loop().create_future()
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await workers.run(lambda: 1 // 0, connected)
        assert await workers.run(lambda: 7, connected) == 7
        waiting = asyncio.ensure_future(workers.run(lambda: 8, connected))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await workers.run(lambda: 9, connected)
        assert await waiting == 8

    asyncio.run(twice())
    workers.close()


def test_queued_work_of_a_disconnected_client_is_not_started():
    workers, busy, started = Workers(1, 5), threading.Event(), []

    async def leave():
        loop = asyncio.get_running_loop()
        first = asyncio.ensure_future(workers.run(busy.wait, loop.create_future()))
        disconnected = loop.create_future()
        second = asyncio.ensure_future(workers.run(lambda: started.append(1), disconnected))
        await asyncio.sleep(0)
        assert workers.waiting == 2
        disconnected.set_result(None)
        with pytest.raises(ClientDisconnected):
            await second
        assert workers.waiting == 1
        busy.set()
        assert await first
        assert await workers.run(lambda: 7, loop.create_future()) == 7

    asyncio.run(leave())
    workers.close()
    assert started == []


def test_the_rest_of_a_form_is_not_measured_after_a_disconnect(content, galaxy, monkeypatch):
    measured, disconnected = [], threading.Event()

    def classify(*arguments):
        measured.append(arguments)
        assert disconnected.wait(60)
        return classify_images(*arguments)

    monkeypatch.setattr("galfeat.web.results.classify_images", classify)
    app = create_app(content, threads=1)
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="g"\r\n\r\n'
    body = 8 * (part + encoded(galaxy) + b"\r\n") + b"--x--\r\n"
    messages = [
        {"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"},
    ]  # fmt: skip
    sent = []

    async def receive():
        while len(messages) == 1 and not measured:
            await asyncio.sleep(0)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/classify", "raw_path": b"/api/classify",
        "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
        "server": ("galaxies", 80), "client": ("visitor", 1), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    disconnected.set()
    app.state.workers.close()
    assert len(measured) == 1
    assert sent == []
    assert app.state.workers.waiting == 0


def test_the_about_page_credits_surveys_and_volunteers(client):
    page = client.get("/about").text
    for name in ("Legacy Imaging Surveys", "Sloan Digital Sky Survey", "Galaxy Zoo", "Leung"):
        assert name in page
