"""Encoders of timm as ONNX networks."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from galfeat.errors import MissingDependencyError, PipelineError
from galfeat.features.network import Network


def timm_network(name: str, weights: str, side: int) -> Network:
    """Return an encoder without its head.

    Parameters
    ----------
    name : str
        A model name of timm; ``hf-hub:`` names are accepted, too.
    weights : str
        A local file of weights; if empty, they are fetched from the hub.
    side : int
        Side of the square input, in pixels.

    Raises
    ------
    MissingDependencyError
        If timm or the packages that write ONNX are not installed.
    PipelineError
        If timm has no such encoder, or its weights cannot be loaded.
    """
    for package in ("timm", "torch", "onnx", "onnxscript"):
        if find_spec(package) is None:
            raise MissingDependencyError(
                f"backbone timm:{name} needs the package {package}, which is not installed; "
                "install it with: pip install 'galfeat[timm]'"
            )
    import timm
    import torch

    if weights and not Path(weights).is_file():
        raise PipelineError(f"[embedding] weights: there is no file {weights}")
    try:
        encoder = timm.create_model(
            name, pretrained=not weights, num_classes=0, checkpoint_path=weights,
            **({"img_size": side} if _takes_size(name) else {}),
        ).eval()  # fmt: skip
    except Exception as error:
        raise PipelineError(
            f"[embedding] backbone: timm cannot create {name!r}: {' '.join(str(error).split())}"
        ) from error
    example = torch.zeros(1, 3, side, side)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        torch.onnx.export(
            encoder, (example,), f"{folder}/encoder.onnx", external_data=False, verbose=False
        )
        return Network(Path(folder, "encoder.onnx").read_bytes())


def _takes_size(name: str) -> bool:
    """Return whether an encoder, such as a transformer, needs the image size when created."""
    return name.startswith(("vit", "deit", "beit", "eva", "swin"))
