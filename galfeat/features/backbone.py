"""Activations of an external network, used instead of the small one.

The network is an ONNX file with one image as its input and one output, or an encoder of timm.
The galaxy is cut out around its centre, in units of its own radius, so that its position and size
in the image do not matter; it is not rotated, because such networks were trained on images of any
orientation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import ModelError, PipelineError
from galfeat.features.network import Network
from galfeat.features.registry import Column

if TYPE_CHECKING:
    from galfeat.frame import Frame

#: Prefix of the names of timm's backbones.
TIMM = "timm:"


@dataclass(frozen=True)
class BackboneSettings:
    """An external network and the preparation of its input.

    Attributes
    ----------
    backbone : str
        The path of an ONNX file, or ``timm:NAME``.
    weights : str
        With ``timm:NAME``, a local file of weights; by default they are fetched from the hub.
    side : int
        Side of the square input, in pixels.
    crop : float
        Half-width of the cut-out, in frame radii; 0 for the whole image.
    mean, std : tuple of float
        Mean to subtract and standard deviation to divide by, for red, green and blue in 0 to 1.
    """

    backbone: str
    weights: str = ""
    side: int = 224
    crop: float = 2.0
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def to_dict(self) -> dict[str, Any]:
        """Return the table ``[embedding]`` of a pipeline file."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


@lru_cache(maxsize=2)
def load_backbone(settings: BackboneSettings) -> Backbone:
    """Return the network of a pipeline, ready to run.

    Raises
    ------
    PipelineError
        If the file or timm's model does not exist.
    MissingDependencyError
        If timm is required but not installed.
    """
    if settings.backbone.startswith(TIMM):
        from galfeat.features.timm_encoder import timm_network

        name = settings.backbone.removeprefix(TIMM)
        return Backbone(timm_network(name, settings.weights, settings.side), settings)
    try:
        content = Path(settings.backbone).read_bytes()
    except OSError as error:
        raise PipelineError(
            f"[embedding] backbone: cannot read {settings.backbone}: {error.strerror}; set the "
            f"path of an ONNX file, or {TIMM}NAME"
        ) from error
    return Backbone(Network(content), settings)


@dataclass(frozen=True, eq=False)
class Backbone:
    """A feature family: the activations of an external network.

    Two backbones are equal if their networks and preparations are.

    Parameters
    ----------
    network : Network
        From images, shape (n, 3, side, side), to activations, shape (n, d).
    settings : BackboneSettings
    """

    network: Network
    settings: BackboneSettings

    def __eq__(self, other: object) -> bool:
        """Return whether another backbone has the same network and preparation."""
        return isinstance(other, Backbone) and self.cache_key() == other.cache_key()

    def __hash__(self) -> int:
        """Return a hash consistent with equality."""
        return hash(self.cache_key())

    def __str__(self) -> str:
        """Return the names of the family and the network."""
        return f"embedding of {self.settings.backbone}"

    @cached_property
    def COLUMNS(self) -> tuple[Column, ...]:  # noqa: N802  # as in the modules of other families
        """One column per activation; the network is run once to count them."""
        side = self.settings.side
        width = self.network.run(np.zeros((1, 3, side, side), np.float32)).shape[1]
        name = self.settings.backbone
        return tuple(
            Column(f"embedding.b{k:04}", "1", f"activation {k} of {name}", "galfeat", False)
            for k in range(width)
        )

    def measure(self, frame: Frame) -> NDArray[np.float32]:
        """Return the activations for a galaxy, shape (d,)."""
        activations: NDArray[np.float32] = self.network.run(self._prepared(frame))[0]
        if len(activations) != len(self.COLUMNS):
            raise ModelError(
                f"{self.settings.backbone} returned {len(activations)} activations, but "
                f"{len(self.COLUMNS)} before; use a network with an output of constant size"
            )
        return activations

    def cache_key(self) -> str:
        """Return a key of everything the values depend on except galfeat's source."""
        settings = self.settings
        return (
            f"{self.network.digest} {settings.side} {settings.crop} {settings.mean} {settings.std}"
        )

    def _prepared(self, frame: Frame) -> NDArray[np.float32]:
        """Return the input of the network, shape (1, 3, side, side)."""
        from PIL import Image

        settings, height, width = self.settings, *frame.rgb.shape[:2]
        half = settings.crop * frame.radius if settings.crop else 0.5 * max(height, width)
        middle = (frame.yc, frame.xc) if settings.crop else (0.5 * (height - 1), 0.5 * (width - 1))
        top, left = (round(centre + 0.5 - half) for centre in middle)
        side = max(round(2 * half), 1)
        # Fill the area outside the image with sky.
        canvas = Image.new("RGB", (side, side), _rounded(frame.sky[0]))
        canvas.paste(Image.fromarray(frame.rgb), (-left, -top))
        square = canvas.resize((settings.side, settings.side), Image.Resampling.BICUBIC)
        counts = np.asarray(square, np.float32)
        mean, std = np.array(settings.mean, np.float32), np.array(settings.std, np.float32)
        normalised = (counts / np.float32(255.0) - mean) / std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)


def _rounded(sky: Sequence[float] | NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(np.clip(round(float(level)), 0, 255)) for level in sky)
