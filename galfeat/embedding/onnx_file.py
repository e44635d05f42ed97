"""Convert a trunk to an ONNX file, which runs without PyTorch, and back."""

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

#: Maximum difference between onnxruntime and PyTorch, relative to the largest value.
TOLERANCE = 1e-4
#: Operator set and file format that the oldest supported onnxruntime can read.
_OPSET, _FORMAT = 17, 8

Floats = NDArray[np.float32]


def to_onnx(trunk: Trunk, head: nn.Linear | None = None) -> Network:
    """Return a trunk and an optional head as an ONNX network, verified against PyTorch.

    Batch normalisation is folded into the preceding convolutions.

    Parameters
    ----------
    trunk : Trunk
        Its running statistics are used for batch normalisation.
    head : Linear, optional
        With a head, the network returns scores, otherwise activations.

    Raises
    ------
    ModelError
        If the outputs of both networks differ for the same input.
    """
    weights = _folded(trunk.eval())
    if head is not None:
        weights.append((head.weight.detach().numpy(), head.bias.detach().numpy()))
    network = Network(_file(weights, width=len(weights[-1][1])))
    example = torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        activations = trunk(example)
        expected = (activations if head is None else head(activations)).numpy()
    error = float(np.abs(network.run(example.numpy()) - expected).max() / np.abs(expected).max())
    if not error <= TOLERANCE:
        raise ModelError(
            f"the ONNX network differs from the trained one by {error:.1e} of its largest value, "
            f"more than {TOLERANCE:.0e}; try another version of onnx"
        )
    return network


def to_trunk(network: Network) -> Trunk:
    """Return the trunk of a network written by `to_onnx`.

    Raises
    ------
    ModelError
        If it is any other network.
    """
    tensors = onnx.load_from_string(network.content).graph.initializer
    weights = [torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in tensors]
    trunk = Trunk()
    convolutions = [layer for layer in trunk.layers if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in trunk.layers if isinstance(layer, nn.BatchNorm2d)]
    shapes = [
        part.shape
        for convolution in convolutions
        for part in (convolution.weight, convolution.weight[:, 0, 0, 0])
    ]
    if [tensor.shape for tensor in weights[: len(shapes)]] != shapes:
        raise ModelError(
            "the network has other layers than those of `galfeat embedder train`; "
            "use a network trained with that command"
        )
    for index, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        convolution.weight.data, norm.bias.data = weights[2 * index], weights[2 * index + 1]
        norm.running_var.fill_(1.0 - norm.eps)
    trunk.eval()
    return trunk


def _folded(trunk: Trunk) -> list[tuple[Floats, Floats]]:
    """Return the weights and biases of the convolutions, with batch normalisation folded in."""
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
    """Return an ONNX file of convolutions, global average pooling and an optional linear layer."""
    nodes: list[Any] = []
    tensors: list[Any] = []
    before = "planes"
    for index, (_, size, stride) in enumerate(LAYERS):
        names = [f"weight{index}", f"bias{index}"]
        pads = [size // 2] * 4
        nodes.append(
            helper.make_node(
                "Conv", [before, *names], [f"sum{index}"], strides=[stride, stride], pads=pads
            )
        )
        nodes.append(helper.make_node("Relu", [f"sum{index}"], [f"layer{index}"]))
        tensors += map(numpy_helper.from_array, weights[index], names)
        before = f"layer{index}"
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
