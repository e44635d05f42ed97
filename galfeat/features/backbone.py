"""Activations of a network from elsewhere, in place of the small one.

Any ONNX file with one image as its input and one output will do, or an encoder that timm knows.
The galaxy is cut out around its centre, in units of its own radius, so that its place and size in
the image do not matter; it is not turned, since such networks were trained on images as they are.
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

#: How a backbone is named that timm knows.
TIMM = "timm:"


@dataclass(frozen=True)
class BackboneSettings:
    """Which network takes the place of the small one, and how images are prepared for it.

    Attributes
    ----------
    backbone : str
        The path of an ONNX file, or ``timm:NAME``.
    weights : str
        With ``timm:NAME`` a local file of weights; without one they come from the hub.
    side : int
        Pixels of the square that the network is shown.
    crop : float
        Half of the square's width, in radii of the frame; 0 shows the whole image.
    mean, std : tuple of float
        Of red, green and blue, from 0 to 1: taken away, and divided by.
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
    """Return the network that a pipeline names, ready to be run.

    Raises
    ------
    PipelineError
        If there is no such file, or timm knows no such network.
    MissingDependencyError
        If timm is asked for and not installed.
    """
    if settings.backbone.startswith(TIMM):
        from galfeat.features.timm_encoder import timm_network

        name = settings.backbone.removeprefix(TIMM)
        return Backbone(timm_network(name, settings.weights, settings.side), settings)
    try:
        content = Path(settings.backbone).read_bytes()
    except OSError as error:
        raise PipelineError(
            f"[embedding] backbone: cannot read {settings.backbone}: {error.strerror}; give the "
            f"path of an ONNX file, or {TIMM}NAME"
        ) from error
    return Backbone(Network(content), settings)


@dataclass(frozen=True, eq=False)
class Backbone:
    """A family of features: what a network says of an image.

    Two are equal if network and preparation are.

    Parameters
    ----------
    network : Network
        From images, shape (n, 3, side, side), to activations, shape (n, d).
    settings : BackboneSettings
    """

    network: Network
    settings: BackboneSettings

    def __eq__(self, other: object) -> bool:
        """Tell whether another says the same of every image."""
        return isinstance(other, Backbone) and self.cache_key() == other.cache_key()

    def __hash__(self) -> int:
        """Go with equality."""
        return hash(self.cache_key())

    def __str__(self) -> str:
        """Name the family and the network."""
        return f"embedding of {self.settings.backbone}"

    @cached_property
    def COLUMNS(self) -> tuple[Column, ...]:  # noqa: N802  # as in the modules of other families
        """One for each activation; the network is run once to count them."""
        side = self.settings.side
        width = self.network.run(np.zeros((1, 3, side, side), np.float32)).shape[1]
        called = self.settings.backbone
        return tuple(
            Column(f"embedding.b{k:04}", "1", f"activation {k} of {called}", "galfeat", False)
            for k in range(width)
        )

    def measure(self, frame: Frame) -> NDArray[np.float32]:
        """Return the activations for a galaxy, shape (d,)."""
        activations: NDArray[np.float32] = self.network.run(self._shown(frame))[0]
        if len(activations) != len(self.COLUMNS):
            raise ModelError(
                f"{self.settings.backbone} gave {len(activations)} activations and "
                f"{len(self.COLUMNS)} before; give a network with an output of one size"
            )
        return activations

    def cache_key(self) -> str:
        """Return what the values depend on beside galfeat's own source."""
        settings = self.settings
        return (
            f"{self.network.digest} {settings.side} {settings.crop} {settings.mean} {settings.std}"
        )

    def _shown(self, frame: Frame) -> NDArray[np.float32]:
        """Return the image as the network wants it, shape (1, 3, side, side)."""
        from PIL import Image

        settings, height, width = self.settings, *frame.rgb.shape[:2]
        half = settings.crop * frame.radius if settings.crop else 0.5 * max(height, width)
        middle = (frame.yc, frame.xc) if settings.crop else (0.5 * (height - 1), 0.5 * (width - 1))
        top, left = (round(centre + 0.5 - half) for centre in middle)
        side = max(round(2 * half), 1)
        # What lies outside the image is sky.
        canvas = Image.new("RGB", (side, side), _rounded(frame.sky[0]))
        canvas.paste(Image.fromarray(frame.rgb), (-left, -top))
        square = canvas.resize((settings.side, settings.side), Image.Resampling.BICUBIC)
        counts = np.asarray(square, np.float32)
        mean, std = np.array(settings.mean, np.float32), np.array(settings.std, np.float32)
        shown = (counts / np.float32(255.0) - mean) / std
        return np.ascontiguousarray(shown.transpose(2, 0, 1)[None], np.float32)


def _rounded(sky: Sequence[float] | NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(np.clip(round(float(level)), 0, 255)) for level in sky)
