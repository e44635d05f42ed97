"""Property-based tests of the API against its OpenAPI description."""

import io

import numpy as np
import pytest
import schemathesis
from hypothesis import strategies as st
from PIL import Image
from schemathesis.config import SchemathesisConfig

from galfeat.web.app import create_app
from galfeat.web.openapi import description

CONFIG = {
    "seed": 0,
    "generation": {"max-examples": 150, "deterministic": True, "database": "none", "mode": "all"},
    # No schema can specify which bytes are a valid image.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 422]}},
    "operations": [
        {
            "include-path": "/samples/{number}.jpg",  # nor the number of samples
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 404]}},
        }
    ],
}


@st.composite
def images(draw, kind):
    """Intact and damaged image files."""
    height, width = draw(st.integers(1, 80)), draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    y, x = np.mgrid[:height, :width]
    light = 200.0 * np.exp(-np.hypot(x - width / 2, y - height / 2) / draw(st.integers(1, 20)))
    pixels = (light + rng.integers(0, 20, (height, width))).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    mode = draw(st.sampled_from(["L", "RGB"]))
    Image.fromarray(pixels).convert(mode).save(stream, kind)
    content = bytearray(stream.getvalue())
    for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=2)):
        content[place] = draw(st.integers(0, 255))
    return bytes(content)


for name in ("PNG", "JPEG", "WEBP"):
    schemathesis.openapi.media_type(f"image/{name.lower()}", images(name))


SCHEMA = schemathesis.openapi.from_dict(description(), config=SchemathesisConfig.from_dict(CONFIG))


@pytest.fixture(scope="module")
def app(content):
    return create_app(content)


def test_the_description_is_served(client):
    assert client.get("/openapi.json").json() == description()


@SCHEMA.parametrize()
def test_every_response_matches_the_description(case, app):
    case.call_and_validate(app=app)
