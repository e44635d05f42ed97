"""An application with a small model and simulated galaxies, and a browser to visit it."""

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
from galfeat.data.simulation.simulator import simulate_file
from galfeat.model_io.rows import ModelRows
from galfeat.web.app import Content, create_app
from galfeat.web.model_info import model_info
from galfeat.web.samples import draw_samples

ROOT = Path(__file__).resolve().parent.parent.parent
NO_ROWS = ModelRows(np.empty((0, 16), np.uint8), np.empty((0, 16), np.uint8))


@pytest.fixture(scope="session")
def content(simulated, quick_pipeline):
    dataset = open_dataset(simulated)
    classifier = GalaxyClassifier(quick_pipeline).fit(dataset)
    names = [str(name) for name in classifier.classes_]
    manifest = {
        "pipeline": classifier.pipeline_.to_dict(), "classes": names, "priors": [0.1] * len(names),
        "decision": "balanced", "n_training": 120, "n_held_out": 0, "versions": {},
    }  # fmt: skip
    info = model_info("quick", manifest, {"macro_f1": {"value": 0.7, "low": 0.6, "high": 0.8}})
    samples = draw_samples(classifier, dataset, NO_ROWS, seed=3)
    return Content(classifier, info, samples, info, "Simulated.")


@pytest.fixture
def client(content):
    with TestClient(create_app(content), base_url="http://galaxies") as opened:
        yield opened


@pytest.fixture(scope="session")
def served(quick_pipeline, tmp_path_factory):
    """The address of a `galfeat serve` process, which must print nothing to stderr."""
    folder = tmp_path_factory.mktemp("served")
    # With equal classes the decision rule would always name the most probable one.
    simulated = folder / "galaxies.h5"
    simulate_file(simulated, 120, seed=7, class_counts=[28, 28, 16, 8, 8, 8, 6, 6, 6, 6])
    model, errors = folder / "model", folder / "stderr.txt"
    fit = ["fit", simulated, "--pipeline", quick_pipeline, "--test-size", 0.25, "-o", model]
    done = CliRunner().invoke(main, [str(argument) for argument in fit])
    assert done.exit_code == 0, done.output
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "galfeat", "serve", "--model", model, "--port", str(port)]
    with errors.open("w") as stream:
        process = subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stream)
    _wait_for(port, process)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
    assert errors.read_text() == ""


def _wait_for(port, process):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"galfeat serve ended with {process.wait(0.1)}")


# Module scope: while it is open no other event loop can run in this thread.
@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = [name for name in ("chromium", "chromium-browser", "google-chrome") if which(name)]
    if not found:
        pytest.skip("Chromium is not installed; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=which(found[0]))
        yield chromium
        chromium.close()


class Visitor:
    """A visitor who uses a page in a browser."""

    def __init__(self, page):
        self.page = page

    def press(self, *, guessing=False):
        """Press the button; return the sample that the server sent."""
        with self.page.expect_response("**/api/sample") as response:
            self.page.click("#show")
        self.page.wait_for_selector("#guesses:visible" if guessing else "#answer:visible")
        sample = response.value.json()
        shown = "address => document.querySelector('#picture').src?.endsWith(address)"
        self.page.wait_for_function(shown, arg=sample["image"])
        return sample

    def upload(self, data, **options):
        """Choose a file; return the response of the server."""
        return self.upload_files(self.file(data, **options))

    def upload_files(self, *files):
        """Choose files; return the response of the server."""
        with self.page.expect_response("**/api/classify") as response:
            self.page.set_input_files("#file", files)
        self.page.wait_for_selector("#measuring", state="hidden")
        return response.value.json()

    def file(self, data, name="galaxy.png", kind="image/png"):
        """Return a file to choose."""
        return {"name": name, "mimeType": kind, "buffer": data}


@pytest.fixture
def visit(browser, served):
    """Open a page in a new profile; only the expected errors may occur on it."""
    opened = []

    def open_page(path="/", *, expected=(), **options):
        context = browser.new_context(base_url=served, reduced_motion="reduce", **options)
        context.set_default_timeout(60_000)
        page = context.new_page()
        opened.append((context, list(expected), _recorded_errors(page, served)))
        page.goto(path)
        return Visitor(page)

    yield open_page
    for context, expected, errors in opened:
        context.close()
        assert errors == expected


@pytest.fixture(scope="session")
def galaxy(simulated):
    """A PNG file wider than high, with a galaxy at its centre."""
    (image,) = open_dataset(simulated).read([60])
    return _png(image[28:-28])


@pytest.fixture(scope="session")
def thumbnail(galaxy):
    """A PNG file in which the galaxy is too small to be classified."""
    return _png(np.asarray(Image.open(io.BytesIO(galaxy)).resize((31, 24))))


@pytest.fixture(scope="session")
def blank():
    """A PNG file of one colour."""
    return _png(np.full((120, 120, 3), 25, np.uint8))


def _png(image):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def _recorded_errors(page, served):
    errors = []

    def on_console(message):
        # Failed loads are reported by the response, too.
        loading = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not loading:
            errors.append(message.text)

    def on_response(response):
        if response.status >= 400:
            errors.append(f"{response.status} {response.url.removeprefix(served)}")

    def on_request(request):
        if not request.url.startswith((served + "/", "blob:" + served)):
            errors.append(f"elsewhere: {request.url}")

    def on_failure(request):
        if request.failure != "net::ERR_ABORTED":  # aborted by the page itself
            errors.append(f"failed {request.url.removeprefix(served)}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
    page.on("request", on_request)
    return errors
