"""Take the pictures of the web page and its preview beside links, with simulated galaxies.

    python docs/_scripts/web_pictures.py MODEL

Needs Playwright, which `make test` installs, and Chromium. Presses the button until the page shows
a correctly predicted barred spiral without a caution, so the model should be a good one.
"""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parents[1] / "_static"
STATIC = Path(__file__).parents[2] / "galfeat" / "web" / "static"
#: The preview: a galaxy with its measurements beside the heading of the page, 1200 by 630 pixels.
CARD = """
body { display: grid; grid-template-columns: 630px 1fr; min-height: 0; padding: 0; }
.frame { width: 630px; height: 630px; }
.card { align-self: center; padding: 0 52px; }
.card h1 { margin: 26px 0 18px; font-size: 62px; }
.card p { margin: 0; color: var(--quiet); font-size: 27px; line-height: 1.4; }
.card .brand { gap: 16px; font-size: 32px; }
.card .brand img { width: 52px; height: 52px; }
"""
FILL_CARD = """() => {
    const card = document.createElement("div");
    card.className = "card";
    const text = document.createElement("p");
    text.textContent = "Guess its class, and compare with a model that gives its reasons.";
    card.append(document.querySelector(".brand"), document.querySelector("h1"), text);
    document.body.replaceChildren(document.querySelector("#frame"), card);
}"""
#: Maximum size of a picture in bytes; maximum number of presses.
MAX_BYTES, PRESSES = 150_000, 500
_TRIES = 300


@contextmanager
def served(model: Path) -> Iterator[str]:
    """Serve the page in a subprocess and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "galfeat", "serve", "--model", str(model), "--port", port]
    process = subprocess.Popen(command)
    try:
        for _ in range(_TRIES):
            try:
                socket.create_connection(("127.0.0.1", int(port))).close()
                break
            except ConnectionRefusedError:
                try:
                    process.wait(0.2)
                    raise SystemExit("galfeat serve has ended; see above") from None
                except subprocess.TimeoutExpired:
                    pass
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def press_until_spiral(page: Page) -> None:
    """Press the button until a correctly predicted barred spiral has a bar and arms."""
    for _ in range(PRESSES):
        with page.expect_response("**/api/sample"):
            page.click("#show")
        page.wait_for_selector("#answer:visible")
        barred = page.inner_text("#named") == "Barred Spiral"
        right = page.locator(".verdict.right").count()
        cautioned = page.locator("#caution-line:visible").count()
        if page.locator("#legend span").count() == 4 and barred and right and not cautioned:
            page.mouse.move(0, 0)
            return
    raise SystemExit(f"no correctly predicted barred spiral in {PRESSES} presses")


def take(
    browser: Browser, address: str, size: tuple[int, int], scheme: Literal["dark", "light"]
) -> bytes:
    """Return the page after a press as a PNG file."""
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto(address)
    press_until_spiral(page)
    # The focused button has a ring around it.
    page.evaluate("document.activeElement.blur()")
    return page.screenshot()


def take_preview(browser: Browser, address: str) -> bytes:
    """Return the preview of links to the page as a PNG file."""
    page = browser.new_page(
        viewport={"width": 1200, "height": 630}, color_scheme="dark", reduced_motion="reduce",
        bypass_csp=True,
    )  # fmt: skip
    page.goto(address)
    press_until_spiral(page)
    page.evaluate(FILL_CARD)
    page.add_style_tag(content=CARD)
    return page.screenshot()


def save(picture: bytes, path: Path) -> None:
    """Write a JPEG file of the best quality within `MAX_BYTES`, mostly used by sky noise."""
    with Image.open(io.BytesIO(picture)) as whole:
        for quality in range(92, 40, -4):
            stream = io.BytesIO()
            whole.convert("RGB").save(stream, "JPEG", quality=quality, optimize=True)
            if stream.tell() <= MAX_BYTES:
                break
    path.write_bytes(stream.getvalue())
    print(f"{path}: {stream.tell():,} bytes, quality {quality}")


def main() -> None:
    """Take all pictures."""
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    with served(Path(sys.argv[1])) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium)
        save(take(browser, address, (1120, 830), "dark"), PICTURES / "web.jpg")
        save(take(browser, address, (390, 844), "light"), PICTURES / "web-phone.jpg")
        save(take_preview(browser, address), STATIC / "preview.jpg")
        browser.close()


if __name__ == "__main__":
    main()
