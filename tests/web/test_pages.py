"""Titles of pages, and the previews that other sites show beside links to them."""

import io
import re

import pytest
from PIL import Image

PAGES = pytest.mark.parametrize("path", ["/", "/about"])


def tags(text):
    """Return the contents of the meta elements by name or property."""
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', text))


@PAGES
def test_title_heading_and_preview_agree(client, path):
    text = client.get(path).text
    (heading,) = re.findall(r"<h1[^>]*>([^<]+)</h1>", text)
    assert f"<title>{heading} – galfeat</title>" in text
    assert tags(text)["og:title"] == heading
    assert tags(text)["description"] == tags(text)["og:description"]
    assert 50 < len(tags(text)["description"]) < 160


def test_each_page_has_its_own_description(client):
    first, second = (tags(client.get(path).text)["description"] for path in ("/", "/about"))
    assert first != second


@PAGES
def test_the_preview_has_an_image_that_other_sites_may_show(client, path):
    found = tags(client.get(path).text)
    assert found["og:url"] == f"http://galaxies{path}"
    assert found["og:image"].startswith("http://galaxies/")
    response = client.get(found["og:image"])
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    size = Image.open(io.BytesIO(response.content)).size
    assert size == (int(found["og:image:width"]), int(found["og:image:height"]))
    assert found["twitter:card"] == "summary_large_image"


@pytest.mark.parametrize(
    ("host", "address"),
    [("a.example", "http://a.example/"), ("[::1]:8000", "http://[::1]:8000/"),
     ('"><script>', None), ("a.example/x?", None), ("[", None), ("", None)],
)  # fmt: skip
def test_addresses_are_those_that_the_visitor_sees(client, host, address):
    response = client.get("/", headers={"host": host})
    assert response.status_code == 200
    assert "<script>" not in response.text
    assert tags(response.text).get("og:url") == address
    assert ("og:image" in tags(response.text)) == (address is not None)


def test_behind_a_proxy_with_tls_addresses_use_it(client):
    response = client.get("/about", headers={"x-forwarded-proto": "https"})
    assert tags(response.text)["og:url"] == "https://galaxies/about"
