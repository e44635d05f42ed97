"""Loading the models and samples that the application serves."""

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


def _hdf5(path, images, classes):
    with h5py.File(path, "w") as file:
        file["images"], file["ans"] = images, np.asarray(classes, np.uint8)
    return str(path)


@pytest.fixture(scope="module")
def images(simulated):
    return np.stack(open_dataset(simulated).read(range(0, 120, 12)))


def test_a_galaxy10_file_is_served_with_the_default_model(images, tmp_path):
    data = _hdf5(tmp_path / "galaxies.h5", images, range(10))
    content = prepare(None, data)
    assert content.model_info["name"] == content.sample_model_info["name"] == DEFAULT
    assert len(content.samples) == 10
    assert content.notice == ""


def test_samples_with_other_classes_than_the_model_are_refused(images, tmp_path):
    with pytest.raises(DataError, match="spiral"):
        prepare("coarse", _hdf5(tmp_path / "galaxies.h5", images, range(10)))


def test_simulated_samples_are_refused_for_a_model_with_other_classes():
    with pytest.raises(DataError, match="name labelled galaxies of its classes with --samples"):
        prepare("coarse", None)


def test_without_data_the_notice_states_that_galaxies_are_simulated():
    content = prepare(None, None)
    assert len(content.samples) == 50
    assert content.sample_model_info["name"] == OF_SIMULATED
    assert "simulated and classified by a model fitted to simulated galaxies" in content.notice


def test_uploads_are_classified_by_the_model_of_real_galaxies():
    content = prepare(None, None)
    assert content.model_info["name"] == DEFAULT
    assert f"by the model {DEFAULT}, which was fitted to real galaxies" in content.notice
    alone = prepare(OF_SIMULATED, None)
    assert alone.model_info == alone.sample_model_info
    assert "fitted to simulated galaxies only" in alone.notice


def test_a_port_in_use_is_an_error():
    with listening("127.0.0.1", 0) as first:
        first.listen()
        assert first.proto == socket.IPPROTO_TCP  # asyncio then sets TCP_NODELAY
        with (
            pytest.raises(OutputError, match="cannot listen on 127"),
            listening("127.0.0.1", first.getsockname()[1]),
        ):
            pass


def test_internal_errors_are_json_with_security_headers(content, images, monkeypatch):
    def fails(*_):
        raise RuntimeError("inside")

    monkeypatch.setattr("galfeat.web.results.classify_images", fails)
    stream = io.BytesIO()
    Image.fromarray(images[0]).save(stream, "PNG")
    with TestClient(create_app(content)) as client:
        response = client.post("/api/classify", content=stream.getvalue())
        assert response.status_code == 500
        assert "error" in response.json()
        assert "inside" not in response.text
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert 'status="500"' in client.get("/metrics").text
