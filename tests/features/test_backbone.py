"""An external network as the family `embedding`: an ONNX file, or an encoder of timm."""

from importlib.util import find_spec

import numpy as np
import pytest

from galfeat import GalaxyClassifier, load_pipeline, open_dataset
from galfeat.errors import MissingDependencyError, ModelError, PipelineError
from galfeat.features import FeatureExtractor, classifier_columns
from galfeat.features.backbone import BackboneSettings, load_backbone
from galfeat.features.registry import trained_on
from galfeat.frame import measure_frame
from galfeat.model_io.folder import load_model, save_model
from galfeat.pipeline import pipeline_from_dict

pytestmark = pytest.mark.network  # the networks are written with onnx, which comes with PyTorch

SIDE = 16
PLAIN = {"side": SIDE, "crop": 0.0, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


@pytest.fixture(scope="module")
def means(tmp_path_factory):
    """An ONNX file of a network that gives the mean of each colour, and the largest value."""
    onnx = pytest.importorskip("onnx", reason="onnx, of the extra cnn, is not installed")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["means"]),
        helper.make_node("ReduceMax", ["image"], ["peak"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["peak", "form"], ["peaks"]),
        helper.make_node("Concat", ["means", "peaks"], ["out"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "means",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 4])],
        initializer=[helper.make_tensor("form", TensorProto.INT64, [2], [-1, 1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path_factory.mktemp("network") / "means.onnx"
    path.write_bytes(model.SerializeToString())
    assert onnx.load(path)
    return path


def settings(path, **changes):
    return BackboneSettings(str(path), **{**PLAIN, **changes})


def pipeline(path, **changes):
    return pipeline_from_dict(
        {
            "schema": 1,
            "name": "mine",
            "features": {"families": ["colour", "embedding"]},
            "embedding": {"backbone": str(path), "side": SIDE, **changes},
            "ensemble": {"members": [{"kind": "logistic", "params": {"max_iter": 30}}]},
            "calibrate": {"folds": 2},
        }
    )


def test_the_input_is_prepared_as_documented(means, paint):
    image = paint(64, noise=3.0)
    frame = measure_frame(image)
    whole = load_backbone(settings(means)).measure(frame)
    np.testing.assert_allclose(whole[:3], image.mean(axis=(0, 1)) / 255.0, atol=2e-3)
    moved = load_backbone(settings(means, mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0)))
    expected = (whole[:3] - [0.1, 0.2, 0.3]) / [0.5, 1.0, 2.0]
    np.testing.assert_allclose(moved.measure(frame)[:3], expected, atol=1e-5)


def test_a_cut_out_follows_the_galaxy_and_is_filled_with_sky(means, paint):
    network = load_backbone(settings(means, crop=2.0))
    middle = network.measure(measure_frame(paint(128, scale=5.0)))
    aside = network.measure(measure_frame(paint(128, scale=5.0, offset=(9.0, -12.0))))
    np.testing.assert_allclose(aside, middle, atol=0.01)
    cut = paint(128, scale=5.0)[:, 40:]  # the cut-out reaches over the edge now
    np.testing.assert_allclose(network.measure(measure_frame(cut)), middle, atol=0.01)


def test_size_does_not_matter_in_units_of_the_galaxy(means, paint):
    network = load_backbone(settings(means, crop=2.0))
    small, large = (
        network.measure(measure_frame(paint(256, scale=scale))) for scale in (5.0, 10.0)
    )
    np.testing.assert_allclose(large[:3], small[:3], atol=0.03)


def test_its_columns_are_extracted_and_passed_to_classifiers(means, simulated):
    families = pipeline(means).measured_families()
    table = FeatureExtractor(families).extract(open_dataset(simulated).select(np.arange(4)))
    own = [name for name in table.names if name.startswith("embedding.")]
    assert own == [f"embedding.b{k:04}" for k in range(4)]
    given = {table.names[column] for column in classifier_columns(table.names)}
    assert set(own) <= given
    assert np.isfinite(table.values[:, [table.names.index(name) for name in own]]).all()


def test_training_images_of_the_small_network_are_not_excluded(means):
    from galfeat.features.network import SEEN
    from galfeat.storage.packaged import data_folder

    seen = np.load(data_folder("models") / "embedder" / SEEN)[:5]
    assert trained_on(("embedding",), seen).all()
    assert not trained_on(pipeline(means).measured_families(), seen).any()


def test_cached_features_depend_on_network_and_preparation(means, simulated, tmp_path):
    some = open_dataset(simulated).select(np.arange(3))
    for crop in (1.0, 3.0):
        for cache in (tmp_path, None):
            families = pipeline(means, crop=crop).measured_families()
            values = FeatureExtractor(families, cache=cache).extract(some).values
        kept = FeatureExtractor(families, cache=tmp_path).extract(some).values
        np.testing.assert_array_equal(kept, values)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_saved_model_contains_the_network(means, simulated, tmp_path):
    galaxies = open_dataset(simulated)
    path = tmp_path / "mine.onnx"
    path.write_bytes(means.read_bytes())
    classifier = GalaxyClassifier(pipeline(path), n_jobs=2).fit(galaxies)
    wanted = classifier.predict_proba(galaxies)
    save_model(classifier, tmp_path / "model", training_digests=np.zeros((0, 16), np.uint8))
    path.unlink()
    assert (load_model(tmp_path / "model").predict_proba(galaxies) == wanted).all()


def test_invalid_settings_are_errors(means, tmp_path):
    with pytest.raises(PipelineError, match=r"cannot read .*nowhere.onnx.* or timm:NAME"):
        load_backbone(settings(tmp_path / "nowhere.onnx"))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ModelError, match="onnxruntime cannot open"):
        _ = load_backbone(settings(tmp_path / "text.onnx")).COLUMNS
    with pytest.raises(ModelError, match="does not take an input of the shape"):
        _ = load_backbone(settings(means, side=20)).COLUMNS
    with pytest.raises(PipelineError, match=r"std is .* it should be 3 numbers"):
        pipeline(means, std=[1.0])
    with pytest.raises(PipelineError, match="do not include 'embedding'"):
        pipeline_from_dict(
            {
                "schema": 1,
                "name": "mine",
                "features": {"families": ["colour"]},
                "embedding": {"backbone": "x.onnx"},
                "ensemble": {"members": [{"kind": "logistic"}]},
            }
        )


def test_the_pipeline_transfer_takes_a_network_and_trees():
    shipped = load_pipeline("transfer")
    assert "embedding" in shipped.families
    assert shipped.embedding.backbone.startswith("timm:")
    assert "lightgbm" in {member.kind for member in shipped.members}


@pytest.fixture(scope="module")
def timm():
    """Return timm, where it is installed."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for package in ("timm", "torchvision", "onnxscript"):
        if find_spec(package) is None:
            pytest.skip(f"{package}, of the extra timm, is not installed")
    try:
        import torchvision
    except RuntimeError:  # one built for other hardware than torch is: it lacks its operators,
        for name in ("nms", "qnms"):  # none of which an encoder uses
            torch.library.define(f"torchvision::{name}", "() -> ()")
        import torchvision
    assert torchvision.__version__
    return pytest.importorskip("timm")


def test_a_timm_encoder_with_local_weights_equals_pytorch(timm, tmp_path):
    import torch

    torch.manual_seed(0)
    encoder = timm.create_model("resnet10t", pretrained=False, num_classes=0).eval()
    torch.save(encoder.state_dict(), tmp_path / "weights.pth")
    named = settings("timm:resnet10t", weights=str(tmp_path / "weights.pth"), side=64)
    shown = np.random.default_rng(0).normal(size=(1, 3, 64, 64)).astype(np.float32)
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(shown)).numpy()
    found = load_backbone(named).network.run(shown)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_unknown_timm_names_and_missing_weights_are_errors(timm, tmp_path):
    with pytest.raises(PipelineError, match=r"there is no file .*none.pth"):
        load_backbone(settings("timm:resnet10t", weights=str(tmp_path / "none.pth")))
    (tmp_path / "some.pth").write_bytes(b"")
    with pytest.raises(PipelineError, match="timm cannot create 'no-such-network'"):
        load_backbone(settings("timm:no-such-network", weights=str(tmp_path / "some.pth")))


def test_without_timm_one_line_names_the_extra(monkeypatch):
    monkeypatch.setattr("galfeat.features.timm_encoder.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'galfeat\[timm\]'"):
        load_backbone(settings("timm:resnet10t", side=32))
