"""The table ``[embedding]`` of a recipe: which network gives the family `embedding`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from galfeat.recipe_table import Table

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

    @classmethod
    def of(cls, table: Table) -> BackboneSettings:
        """Read them from the table ``[embedding]`` of a recipe."""
        return cls(
            backbone=table.take("backbone", str),
            weights=table.take("weights", str, cls.weights),
            side=table.take("side", int, cls.side),
            crop=table.take("crop", float, cls.crop),
            mean=table.take_numbers("mean", 3, cls.mean),
            std=table.take_numbers("std", 3, cls.std),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the table that `of` reads as equal settings."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


KEYS = tuple(one.name for one in fields(BackboneSettings))
