"""Columns of the Fourier family: names, units, meanings and references."""

from __future__ import annotations

from itertools import accumulate

from galfeat.features.fourier.polar import ORDERS, PHASE_RINGS, RINGS, WINDING_ORDERS, WINDINGS
from galfeat.features.registry import Column

#: In the order of the columns.
VIEWS = ("deprojected", "aligned", "context")

_AMPLITUDES = "Elmegreen & Elmegreen 1985"
_SPIRALS = "Considère & Athanassoula 1982"
_LOPSIDEDNESS = "Rix & Zaritsky 1995"
_BAR = (
    ("strength", "1", "largest amplitude of m = 2 in phase with the bar", "Aguerri et al. 2000"),
    ("length", "frame radii", "radius of constant phase of m = 2", "Aguerri et al. 2000"),
    ("share", "1", "light of m = 2 over all light within the bar's length", "Ohta et al. 1990"),
    ("boxiness", "1", "largest amplitude of m = 4 in phase with the bar", "Ohta et al. 1990"),
    ("alignment", "1", "cosine of twice the angle between bar and major axis", "galfeat"),
)
_ARMS = (
    ("number", "1", "order m = 2 to 6 of the strongest logarithmic spiral", "0 without contrast"),
    ("pitch", "deg", "pitch angle of the strongest logarithmic spiral", "90 without contrast"),
    ("strength", "1", "amplitude of the strongest logarithmic spiral over the mean light", ""),
    ("coherence", "1", "fraction of the variance of its order explained by the spiral", ""),
    ("sense", "1", "amplitude minus that of the opposite sense, over their sum; positive if the "
     "angle from x towards rising rows increases outwards along an arm", ""),
)  # fmt: skip


def _columns(view: str) -> list[Column]:
    def column(
        name: str,
        unit: str,
        meaning: str,
        paper: str,
        invariant: bool = True,
        degenerate: str = "0 without light",
    ) -> Column:
        text = f"{meaning}, in the {view} view"
        if view == "deprojected":
            degenerate += "; NaN without a deprojected view"
        return Column(f"fourier.{view}.{name}", unit, text, paper, invariant, degenerate)

    orders = range(1, ORDERS + 1)
    listed = [
        column(f"a{m}.r{ring}", "1", f"amplitude of m = {m} over m = 0 in ring {ring} of {RINGS}",
               _AMPLITUDES)
        for m in orders for ring in range(RINGS)
    ]  # fmt: skip
    for m in range(1, WINDING_ORDERS + 1):
        listed += [
            column(f"a{m}.coherence", "1", f"steadiness of the change of phase of m = {m} with "
                   "radius", "galfeat"),
            column(f"a{m}.drift", "rad", f"change of phase of m = {m} per circle", "galfeat"),
        ]  # fmt: skip
    listed += [
        column(f"w{m}.s{step}.{sense}", "1",
               f"amplitude of {m}-armed logarithmic spirals of winding step {step}, in the "
               f"{sense}er sense", _SPIRALS)
        for m in range(1, WINDING_ORDERS + 1) for step in range(WINDINGS)
        for sense in ("strong", "weak")
    ]  # fmt: skip
    if view == "context":
        return listed
    listed += [
        column(f"bar.{name}", unit, meaning, paper,
               degenerate="1 without m = 2" if name == "alignment" else "0 without m = 2")
        for name, unit, meaning, paper in _BAR
    ]  # fmt: skip
    listed.append(
        column("lopsidedness", "1", "mean amplitude of m = 1 over m = 0 between 1.5 and 2.5 scale "
               "lengths of the equalised profile", _LOPSIDEDNESS)
    )  # fmt: skip
    if view == "aligned":
        return listed
    listed += [
        column(f"arms.{name}", unit, meaning, "Davis et al. 2012", name != "sense",
               degenerate or "0 without contrast")
        for name, unit, meaning, degenerate in _ARMS
    ]  # fmt: skip
    listed.append(
        column("spirality", "rad", "spread of the gradient's direction around the radial "
               "direction", "Ferrari et al. 2015")
    )  # fmt: skip
    listed += [
        column(f"p{m}.r{ring}", "rad", f"phase of m = {m}, from the major axis towards rising "
               f"rows, in ring {ring} of {PHASE_RINGS}", _AMPLITUDES, False)
        for m in orders for ring in range(PHASE_RINGS)
    ]  # fmt: skip
    return listed


_OF_VIEW = {view: _columns(view) for view in VIEWS}
COLUMNS = tuple(column for view in VIEWS for column in _OF_VIEW[view])
#: Index of the first value of each view, and the total number.
PLACES = tuple(accumulate((len(_OF_VIEW[view]) for view in VIEWS), initial=0))
