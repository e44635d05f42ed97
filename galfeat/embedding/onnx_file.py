"""A trunk as an ONNX file, which runs without PyTorch, and back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from galfeat.embedding.trunk import LAYERS, Trunk
from galfeat.errors import ModelError
from galfeat.features.network import Network
from galfeat.features.planes import SHAPE

#: The most by which onnxruntime may differ from PyTorch, relative to the largest value.
TOLERANCE = 1e-4
#: Of the operators, and of the file: what the oldest onnxruntime that galfeat takes can read.
_OPSET, _FORMAT = 17, 8

Floats = NDArray[np.float32]


def to_onnx(trunk: Trunk, head: nn.Linear | None = None) -> Network:
    """Return a trunk, and a head on it, as an ONNX network that was checked against them.

    Each batch normalisation becomes part of the convolution before it.

    Parameters
    ----------
    trunk : Trunk
        With the batch normalisation of prediction, not of training.
    head : Linear, optional
        With it the network gives scores, without it activations.

    Raises
    ------
    ModelError
        If the two say different things of the same input.
    """
    weights = _folded(trunk.eval())
    if head is not None:
        weights.append((head.weight.detach().numpy(), head.bias.detach().numpy()))
    network = Network(_file(weights, width=len(weights[-1][1])))
    example = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        activations = trunk(example)
        wanted = (activations if head is None else head(activations)).numpy()
    off = float(np.abs(network.run(example.numpy()) - wanted).max() / np.abs(wanted).max())
    if not off <= TOLERANCE:
        raise ModelError(
            f"the network written as ONNX differs from the trained one by {off:.1e} of its "
            f"largest value, more than {TOLERANCE:.0e}; try another version of onnx"
        )
    return network


def to_trunk(network: Network) -> Trunk:
    """Return the trunk of a network that `to_onnx` made.

    Raises
    ------
    ModelError
        If it is another network.
    """
    kept = onnx.load_from_string(network.content).graph.initializer
    weights = [torch.from_numpy(numpy_helper.to_array(one).copy()) for one in kept]
    trunk = Trunk()
    convolutions = [layer for layer in trunk.layers if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in trunk.layers if isinstance(layer, nn.BatchNorm2d)]
    shapes = [part.shape for one in convolutions for part in (one.weight, one.weight[:, 0, 0, 0])]
    if [one.shape for one in weights[: len(shapes)]] != shapes:
        raise ModelError("the network is not one that `galfeat embedder train` made")
    for place, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        convolution.weight.data, norm.bias.data = weights[2 * place], weights[2 * place + 1]
        norm.running_var.fill_(1.0 - norm.eps)
    trunk.eval()
    return trunk


def _folded(trunk: Trunk) -> list[tuple[Floats, Floats]]:
    """Return the weights and biases of the convolutions with what normalises them in them."""
    folded = []
    layers = list(trunk.layers)
    for convolution, norm in pairwise(layers):
        if isinstance(convolution, nn.Conv2d):
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = convolution.weight * factor[:, None, None, None]
            bias = norm.bias - norm.running_mean * factor
            folded.append((weight.detach().contiguous().numpy(), bias.detach().numpy()))
    return folded


def _file(weights: list[tuple[Floats, Floats]], width: int) -> bytes:
    """Return the ONNX file of convolutions, a mean over the view and perhaps a linear layer."""
    nodes: list[Any] = []
    tensors: list[Any] = []
    before = "planes"
    for place, (_, size, stride) in enumerate(LAYERS):
        names = [f"weight{place}", f"bias{place}"]
        pads = [size // 2] * 4
        nodes.append(
            helper.make_node(
                "Conv", [before, *names], [f"sum{place}"], strides=[stride, stride], pads=pads
            )
        )
        nodes.append(helper.make_node("Relu", [f"sum{place}"], [f"layer{place}"]))
        tensors += map(numpy_helper.from_array, weights[place], names)
        before = f"layer{place}"
    nodes.append(helper.make_node("GlobalAveragePool", [before], ["mean"]))
    nodes.append(helper.make_node("Flatten", ["mean"], ["activations"]))
    if len(weights) > len(LAYERS):
        nodes.append(
            helper.make_node("Gemm", ["activations", "head", "offset"], ["scores"], transB=1)
        )
        tensors += map(numpy_helper.from_array, weights[-1], ["head", "offset"])
    graph = helper.make_graph(
        nodes,
        "galaxies",
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["n", width])],
        initializer=tensors,
    )
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(
        graph, opset_imports=opset, ir_version=_FORMAT, producer_name="galfeat"
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
