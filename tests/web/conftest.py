"""An application with a small model and simulated galaxies, and a browser to look at it."""

import contextlib
import io
import socket
import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from starlette.testclient import TestClient

from galfeat import open_dataset
from galfeat.classifier import GalaxyClassifier
from galfeat.cli import main
from galfeat.model_io.rows import ModelRows
from galfeat.web.app import Shown, create_app
from galfeat.web.model_info import model_info
from galfeat.web.samples import draw_samples

ROOT = Path(__file__).resolve().parent.parent.parent
NONE_LEARNED = ModelRows(np.empty((0, 16), np.uint8), np.empty((0, 16), np.uint8))


@pytest.fixture(scope="session")
def shown(simulated, quick_pipeline):
    dataset = open_dataset(simulated)
    classifier = GalaxyClassifier(quick_pipeline).fit(dataset)
    names = [str(name) for name in classifier.classes_]
    manifest = {
        "pipeline": classifier.pipeline_.to_dict(), "classes": names, "priors": [0.1] * len(names),
        "decision": "balanced", "n_training": 120, "n_held_out": 0, "versions": {},
    }  # fmt: skip
    facts = model_info("quick", manifest, {"macro_f1": {"value": 0.7, "low": 0.6, "high": 0.8}})
    samples = draw_samples(classifier, dataset, NONE_LEARNED, seed=3)
    return Shown(classifier, facts, samples, facts, "Simulated.")


@pytest.fixture
def client(shown):
    with TestClient(create_app(shown), base_url="http://galaxies") as one:
        yield one


@pytest.fixture(scope="session")
def served(simulated, quick_pipeline, tmp_path_factory):
    """The address of a `galfeat serve` of its own, which must not complain until the end."""
    folder = tmp_path_factory.mktemp("served")
    model, complaints = folder / "model", folder / "complaints.txt"
    fit = ["fit", simulated, "--pipeline", quick_pipeline, "--test-size", 0.25, "-o", model]
    done = CliRunner().invoke(main, [str(one) for one in fit])
    assert done.exit_code == 0, done.output
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "galfeat", "serve", "--model", model, "--port", str(port)]
    with complaints.open("w") as stream:
        process = subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stream)
    _wait_for(port, process)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
    assert complaints.read_text() == ""


def _wait_for(port, process):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"galfeat serve ended with {process.wait(0.1)}")


# Of a module only: while it lives no event loop can run beside its own.
@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = [name for name in ("chromium", "chromium-browser", "google-chrome") if which(name)]
    if not found:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=which(found[0]))
        yield chromium
        chromium.close()


class Visitor:
    """Who looks at a page in a browser."""

    def __init__(self, page):
        self.page = page

    def press(self, *, answered=True):
        """Press the button; return what the server says of the galaxy."""
        with self.page.expect_response("**/api/sample") as response:
            self.page.click("#show")
        self.page.wait_for_selector("#answer:visible" if answered else "#guesses:visible")
        said = response.value.json()
        shown = "address => document.querySelector('#picture').src?.endsWith(address)"
        self.page.wait_for_function(shown, arg=said["image"])
        return said

    def send(self, content, **described):
        """Choose a file; return what the server says of it."""
        with self.page.expect_response("**/api/classify") as response:
            self.page.set_input_files("#file", self.file(content, **described))
        self.page.wait_for_selector("#measuring", state="hidden")
        return response.value.json()

    def file(self, content, name="galaxy.png", kind="image/png"):
        """Return a file to choose."""
        return {"name": name, "mimeType": kind, "buffer": content}


@pytest.fixture
def visit(browser, served):
    """Open a page in a profile of its own; nothing but what is expected may go wrong on it."""
    opened = []

    def open_page(path="/", *, expected=(), **options):
        context = browser.new_context(base_url=served, reduced_motion="reduce", **options)
        context.set_default_timeout(60_000)
        page = context.new_page()
        opened.append((context, list(expected), _what_goes_wrong(page, served)))
        page.goto(path)
        return Visitor(page)

    yield open_page
    for context, expected, wrong in opened:
        context.close()
        assert wrong == expected


@pytest.fixture(scope="session")
def galaxy(simulated):
    """A PNG file that is wider than high, with a galaxy in its middle."""
    (image,) = open_dataset(simulated).read([60])
    return _png(image[28:-28])


@pytest.fixture(scope="session")
def blank():
    """A PNG file with nothing on it."""
    return _png(np.full((120, 120, 3), 25, np.uint8))


def _png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def _what_goes_wrong(page, served):
    wrong = []

    def hear(message):
        # What could not be loaded is told by the response, too.
        loading = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not loading:
            wrong.append(message.text)

    def look(response):
        if response.status >= 400:
            wrong.append(f"{response.status} {response.url.removeprefix(served)}")

    def follow(request):
        if not request.url.startswith((served + "/", "blob:" + served)):
            wrong.append(f"elsewhere: {request.url}")

    def fail(request):
        if request.failure != "net::ERR_ABORTED":  # given up, as the visitor went on
            wrong.append(f"failed {request.url.removeprefix(served)}")

    page.on("console", hear)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", fail)
    page.on("response", look)
    page.on("request", follow)
    return wrong
