"""From a model and a data set to what is shown."""

import io
import socket

import h5py
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from galfeat import open_dataset
from galfeat.errors import DataError, OutputError
from galfeat.model_io.shipped import DEFAULT, OF_SIMULATED
from galfeat.web.app import create_app
from galfeat.web.connection import listening
from galfeat.web.serving import prepare


def _hdf5(path, images, answers):
    with h5py.File(path, "w") as file:
        file["images"], file["ans"] = images, np.asarray(answers, np.uint8)
    return str(path)


@pytest.fixture(scope="module")
def images(simulated):
    return np.stack(open_dataset(simulated).read(range(0, 120, 12)))


def test_a_file_in_the_form_of_galaxy10_is_shown_with_the_model_that_ships(images, tmp_path):
    data = _hdf5(tmp_path / "galaxies.h5", images, range(10))
    shown = prepare(None, data)
    assert shown.model["name"] == shown.model_of_samples["name"] == DEFAULT
    assert len(shown.samples) == 10
    assert shown.notice == ""


def test_classes_that_the_model_does_not_know_are_refused(images, tmp_path):
    with pytest.raises(DataError, match="spiral"):
        prepare("coarse", _hdf5(tmp_path / "galaxies.h5", images, range(10)))


def test_simulated_galaxies_are_not_for_a_model_of_other_classes():
    with pytest.raises(DataError, match="name labelled galaxies of its own with --samples"):
        prepare("coarse", None)


def test_without_data_galaxies_and_model_are_simulated_and_that_is_said():
    shown = prepare(None, None)
    assert len(shown.samples) == 50
    assert shown.model_of_samples["name"] == OF_SIMULATED
    assert "behind the button are simulated, and so were those" in shown.notice


def test_an_image_of_ones_own_is_for_the_model_that_knows_real_galaxies():
    shown = prepare(None, None)
    assert shown.model["name"] == DEFAULT
    assert f"another model answers, {DEFAULT}" in shown.notice
    alone = prepare(OF_SIMULATED, None)
    assert alone.model == alone.model_of_samples
    assert "fitted to simulated galaxies alone" in alone.notice


def test_a_port_that_is_taken_is_an_error_of_one_line():
    with listening("127.0.0.1", 0) as first:
        first.listen()
        assert first.proto == socket.IPPROTO_TCP  # asyncio turns off Nagle's delay by it
        with (
            pytest.raises(OutputError, match="cannot listen on 127"),
            listening("127.0.0.1", first.getsockname()[1]),
        ):
            pass


def test_what_goes_wrong_inside_is_told_as_json_with_every_header(shown, images, monkeypatch):
    def fails(*_):
        raise RuntimeError("inside")

    monkeypatch.setattr("galfeat.web.app.classify_images", fails)
    stream = io.BytesIO()
    Image.fromarray(images[0]).save(stream, "PNG")
    with TestClient(create_app(shown)) as client:
        answer = client.post("/api/classify", content=stream.getvalue())
        assert answer.status_code == 500
        assert "error" in answer.json()
        assert "inside" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert 'status="500"' in client.get("/metrics").text
