"""The table of measured sources, with units and descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from galfeat.features.flux.columns import COLUMNS, NAMES
from galfeat.features.flux.flags import describe, quality
from galfeat.storage.versions import require_package

_BY_NAME = dict(zip(NAMES, COLUMNS, strict=True))
_OWN = {
    "label": ("", "number of the source in the segmentation, 0 if there is none"),
    "quality": ("", "0 good, 1 suspect, 2 bad, 4 not measured"),
    "flags": ("", "what is doubtful, in words"),
}


@dataclass(frozen=True, eq=False)
class FluxTable:
    """Published morphology of the sources of an image.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        Number of each source in the segmentation; 0 where there is none.
    flag_bits : ndarray of int64, shape (n,)
        Sums of the flags in `galfeat.features.flux.flags`.
    values : dict of str to ndarray of float64, shape (n,)
        The measured columns by name. Errors, where they are known, end in ``_error``.
    flux_unit : str
        Unit of the image.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.flux import FluxTable
    >>> table = FluxTable(np.array([1]), np.array([0]), {"gini": np.array([0.5])})
    >>> table["gini"].tolist(), table.unit("r50"), table.flags
    ([0.5], 'px', [''])
    """

    labels: NDArray[np.int64]
    flag_bits: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    flux_unit: str = ""

    def __len__(self) -> int:
        """Return the number of sources."""
        return len(self.labels)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return a measured column."""
        return self.values[name]

    @property
    def flags(self) -> list[str]:
        """The words of each source's flags."""
        return [describe(int(bits)) for bits in self.flag_bits]

    @property
    def quality(self) -> NDArray[np.int64]:
        """The quality of each source: 0 good, 1 suspect, 2 bad, 4 not measured."""
        return np.array([quality(int(bits)) for bits in self.flag_bits], np.int64)

    def unit(self, name: str) -> str:
        """Return the unit of a column; empty for a pure number or an unknown unit of flux."""
        if name in _OWN:
            return ""
        unit = _BY_NAME[name.removesuffix("_error")].unit
        return {"1": "", "flux": self.flux_unit}.get(unit, unit)

    def description(self, name: str) -> str:
        """Return the meaning of a column and its reference."""
        if name in _OWN:
            return _OWN[name][1]
        column = _BY_NAME[name.removesuffix("_error")]
        text = f"{column.meaning} ({column.reference})"
        return f"standard deviation of {text}" if name.endswith("_error") else text

    def columns(self) -> dict[str, Any]:
        """Return label, quality, flags and the measured columns by name."""
        first: dict[str, Any] = {
            "label": self.labels, "quality": self.quality, "flags": self.flags
        }  # fmt: skip
        return first | self.values

    def to_astropy(self) -> Any:  # noqa: ANN401
        """Return an astropy table with units and descriptions.

        Raises
        ------
        MissingDependencyError
            If astropy is not installed.
        """
        require_package("astropy.table", "fits", "an astropy table")
        from astropy.table import Table
        from astropy.units import Unit

        table = Table(self.columns())
        for name in table.colnames:
            table[name].description = self.description(name)
            unit = self.unit(name)
            if unit:
                table[name].unit = Unit({"px": "pix"}.get(unit, unit), parse_strict="silent")
        return table
