"""A trunk as ONNX and back: the same activations, with normalisation folded in."""

import numpy as np
import pytest

from galfeat.errors import ModelError
from galfeat.features.network import Network
from galfeat.features.planes import SHAPE
from galfeat.features.shipped_networks import FROZEN, START, shipped_network

pytestmark = pytest.mark.network
torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from galfeat.embedding.onnx_file import to_onnx, to_trunk  # noqa: E402
from galfeat.embedding.trunk import Trunk  # noqa: E402


@pytest.fixture
def shown():
    """Return the planes of eight made-up galaxies."""
    return np.random.default_rng(0).normal(size=(8, *SHAPE)).astype(np.float32)


@pytest.fixture
def trunk(shown):
    """A trunk whose batch normalisation has seen data, so that folding it in matters."""
    torch.manual_seed(0)
    trunk = Trunk().train()
    for _ in range(5):
        trunk(torch.from_numpy(shown))
    for norm in trunk.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(norm.weight, 0.5, 2.0)
            torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
    return trunk.eval()


def outputs(module, shown):
    with torch.no_grad():
        return module(torch.from_numpy(shown)).numpy()


def test_the_file_matches_the_trunk_and_can_be_converted_back(trunk, shown):
    network = to_onnx(trunk)
    wanted = outputs(trunk, shown)
    np.testing.assert_allclose(network.run(shown), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(outputs(to_trunk(network), shown), wanted, rtol=1e-4, atol=1e-4)


def test_a_head_gives_scores(trunk, shown):
    head = torch.nn.Linear(128, 3)
    scores = to_onnx(trunk, head).run(shown)
    assert scores.shape == (8, 3)
    wanted = outputs(torch.nn.Sequential(trunk, head), shown)
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [FROZEN, START])
def test_the_shipped_networks_can_be_trained_on(name, shown):
    network = shipped_network(name)
    wanted = network.run(shown)
    np.testing.assert_allclose(outputs(to_trunk(network), shown), wanted, rtol=1e-3, atol=1e-3)


def test_another_network_is_refused():
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    other = Network(onnx.ModelProto(graph=graph, ir_version=8).SerializeToString())
    with pytest.raises(ModelError, match="other layers than those of `galfeat embedder train`"):
        to_trunk(other)
