"""Histograms of oriented gradients (Dalal & Triggs 2005), on the canonical views.

Two readings of the same gradients:

*Cells*, as in the paper and in scikit-image: 4×4 cells, 9 orientations. A galaxy in its own
frame may still be turned by half a turn or mirrored, so the four cells that these moves carry
into each other are averaged, which leaves one quadrant. All cells of a view are one block: a
cell divided by its own gradients alone would show faint outskirts as loud as the galaxy, and
there they are the noise of the survey.

*Rings*: gradients gathered by distance from the centre, their orientation taken relative to
the direction to the centre. A smooth galaxy has all of them along the radius; an arm of pitch
angle p tilts them by p; a bar or a ring has its own signature.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.gradients import (
    ORIENTATIONS,
    gradients,
    orientation_histograms,
    strongest_gradients,
)
from galfeat.features.registry import Column
from galfeat.frame import Frame
from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel

#: Cells on a side of a view. Of 8 cells a side, half changed their order from one survey to the
#: next, and no score was better for them.
CELLS = 4
#: Rings out to the frame radius, and angles to the radius from 0 to 90 degrees.
RINGS = 6
RING_ORIENTATIONS = 9
_HALF = 0.5 * VIEW_SIZE
#: Keeps the histogram of a view without gradients at zero.
_EPSILON = 1e-2

_PAPER = "Dalal & Triggs 2005"
_QUADRANT = CELLS // 2


def _columns() -> tuple[Column, ...]:
    flat, missing = "0 without gradients", "NaN without a deprojected view"
    listed = []
    for view in ("aligned", "deprojected", "context"):
        degenerate = f"{flat}; {missing}" if view == "deprojected" else flat
        for y in range(_QUADRANT):
            for x in range(_QUADRANT):
                for o in range(ORIENTATIONS):
                    listed.append(
                        Column(
                            f"hog.{view}.y{y}x{x}.o{o}", "1",
                            f"gradients at {20 * o} to {20 * o + 20} degrees in cell {y} from "
                            f"the edge to the middle, {x} across, over the norm of all in the "
                            f"{view} view", _PAPER, degenerate=degenerate,
                        )
                    )  # fmt: skip
        for o in range(ORIENTATIONS):
            listed.append(
                Column(
                    f"hog.{view}.o{o}", "1",
                    f"gradients at {20 * o} to {20 * o + 20} degrees in the whole {view} view, "
                    "over their mean", _PAPER, degenerate=degenerate,
                )
            )  # fmt: skip
    for view in ("aligned", "deprojected"):
        degenerate = f"{flat}; {missing}" if view == "deprojected" else flat
        for ring in range(RINGS):
            for o in range(RING_ORIENTATIONS):
                listed.append(
                    Column(
                        f"hog.{view}.r{ring}.o{o}", "1",
                        f"share of all gradients that lie in ring {ring} of the {view} view at "
                        f"{10 * o} to {10 * o + 10} degrees to the radius", "galfeat",
                        degenerate=degenerate,
                    )
                )  # fmt: skip
            listed.append(
                Column(
                    f"hog.{view}.r{ring}.share", "1",
                    f"share of all gradients in ring {ring} of the {view} view", "galfeat",
                    degenerate=degenerate,
                )
            )  # fmt: skip
    return tuple(listed)


COLUMNS = _columns()
_CELL_FEATURES = (_QUADRANT * _QUADRANT + 1) * ORIENTATIONS
_RING_FEATURES = RINGS * (RING_ORIENTATIONS + 1)
#: Where each part of the columns begins.
_DEPROJECTED, _CONTEXT, _RINGS = _CELL_FEATURES, 2 * _CELL_FEATURES, 3 * _CELL_FEATURES
_DEPROJECTED_RINGS = _RINGS + _RING_FEATURES
#: The columns of the views of which a round galaxy has several.
_TURNED = np.array([not column.name.startswith("hog.deprojected.") for column in COLUMNS])
_NO_VIEW = np.empty((0, 0), np.float32)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for the deprojected view where there is none.

    Those of a round galaxy's other views are means over its turns.
    """
    deprojected = _NO_VIEW if frame.deprojected is None else frame.deprojected.equalised
    values = _measure(frame.aligned[0].equalised, frame.context[0].equalised, deprojected)
    turns = len(frame.aligned)
    if turns > 1:
        for aligned, context in zip(frame.aligned[1:], frame.context[1:], strict=True):
            turned = _measure(aligned.equalised, context.equalised, _NO_VIEW)
            values[_TURNED] += turned[_TURNED]
        values[_TURNED] /= turns
    return values


@kernel
def _measure(
    aligned: NDArray[np.float32], context: NDArray[np.float32], deprojected: NDArray[np.float32]
) -> NDArray[np.float32]:
    values = np.full(len(_TURNED), np.float32(np.nan))
    across, down = gradients(aligned)
    _write_cells(across, down, values[:_DEPROJECTED])
    _write_rings(across, down, _HALF, values[_RINGS:_DEPROJECTED_RINGS])
    across, down = gradients(context)
    _write_cells(across, down, values[_CONTEXT:_RINGS])
    if deprojected.size > 0:
        across, down = gradients(deprojected)
        _write_cells(across, down, values[_DEPROJECTED:_CONTEXT])
        _write_rings(across, down, _HALF, values[_DEPROJECTED_RINGS:])
    return values


@kernel
def _write_cells(
    across: NDArray[np.float32], down: NDArray[np.float32], values: NDArray[np.float32]
) -> None:
    """Write the folded cells over the norm of all, then their mean over orientations' mean."""
    folded = fold_quadrants(orientation_histograms(across, down, CELLS)).reshape(-1)
    squares, total = np.float32(0.0), np.float32(0.0)
    for value in folded:
        squares += value * value
        total += value
    norm = np.sqrt(squares + np.float32(_EPSILON))
    mean = total / ORIENTATIONS + np.float32(1e-6)
    values[folded.size :] = np.float32(0.0)
    for i in range(folded.size):
        values[i] = folded[i] / norm
        values[folded.size + i % ORIENTATIONS] += folded[i] / mean


@kernel
def cell_histograms(image: NDArray[np.floating], cells: int) -> NDArray[np.floating]:
    """Return the mean gradient magnitude by cell and orientation, shape (cells, cells, 9).

    Central differences, zero at the edge; unsigned orientation in nine bins of 20 degrees
    from the x axis, without interpolation: scikit-image's definition, but for gradients along
    x, which lie between the last bin and the first and go half to each, as a mirror demands.

    Parameters
    ----------
    image : ndarray of float32 or float64, shape (H, W) or (H, W, 3)
        Of three channels the one with the strongest gradient counts, pixel by pixel. Rows and
        columns beyond a multiple of `cells` are left out.
    cells : int
        Cells on a side.
    """
    if image.ndim == 3:
        across, down = strongest_gradients(image)
    else:
        across, down = gradients(image)
    return orientation_histograms(across, down, cells)


@kernel
def fold_quadrants(histograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the cells that a half-turn and the two mirrors carry into each other.

    A mirror turns orientation o into 8 - o: bin o spans 20 o to 20 (o + 1) degrees.
    """
    cells = histograms.shape[0]
    half = cells // 2
    folded = np.empty((half, half, ORIENTATIONS), np.float32)
    last = cells - 1
    quarter = np.float32(0.25)
    for y in range(half):
        for x in range(half):
            for o in range(ORIENTATIONS):
                mirror = ORIENTATIONS - 1 - o
                folded[y, x, o] = quarter * (
                    histograms[y, x, o]
                    + histograms[last - y, last - x, o]
                    + histograms[y, last - x, mirror]
                    + histograms[last - y, x, mirror]
                )
    return folded


@kernel
def ring_histograms(image: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Return gradient magnitude by ring and angle to the radius, shape (6, 9 + 1).

    All are shares of the gradients in all rings; zero where there are none. The first nine are
    folded by mirror symmetry into bins of 10 degrees between 0 (along the radius) and 90 (along
    the ring); the tenth is their sum. The outermost rows and columns are left out.
    """
    across, down = gradients(image)
    result = np.empty((RINGS, RING_ORIENTATIONS + 1), np.float32)
    _write_rings(across, down, radius, result.reshape(-1))
    return result


@kernel
def _write_rings(
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    radius: float,
    values: NDArray[np.float32],
) -> None:
    """Write what `ring_histograms` returns."""
    height, width = across.shape
    yc, xc = 0.5 * (height - 1), np.float32(0.5 * (width - 1))
    # The tangents of 10, 20, 30 and 40 degrees; beyond 45 the two legs change their roles.
    edges = 0.5 * np.pi * np.arange(1, 5) / RING_ORIENTATIONS
    tan10, tan20 = np.float32(np.tan(edges[0])), np.float32(np.tan(edges[1]))
    tan30, tan40 = np.float32(np.tan(edges[2])), np.float32(np.tan(edges[3]))
    wide = np.int32(RING_ORIENTATIONS + 1)
    # One ring more takes what lies beyond.
    sums = np.zeros((RINGS + 1) * wide, np.float32)
    size, place = np.empty(width, np.float32), np.empty(width, np.int32)
    per_pixel = np.float32(RINGS / radius)
    for y in range(1, height - 1):
        dy = np.float32(y - yc)
        for x in range(width):
            gx, gy, dx = across[y, x], down[y, x], np.float32(x) - xc
            size[x] = np.sqrt(gx * gx + gy * gy)
            along, around = abs(gx * dx + gy * dy), abs(gy * dx - gx * dy)
            long, short = max(along, around), min(along, around)
            low = np.int32(short >= tan10 * long) + np.int32(short >= tan20 * long)
            low += np.int32(short >= tan30 * long) + np.int32(short >= tan40 * long)
            bin = np.int32(RING_ORIENTATIONS - 1) - low if around > along else low
            whole = np.int32(np.sqrt(dx * dx + dy * dy) * per_pixel)
            place[x] = min(whole, np.int32(RINGS)) * wide + bin
        for x in range(1, width - 1):
            sums[place[x]] += size[x]
    total = np.float32(0.0)
    for ring in range(RINGS):
        part = sums[ring * wide : (ring + 1) * wide]
        for o in range(RING_ORIENTATIONS):
            part[RING_ORIENTATIONS] += part[o]
        total += part[RING_ORIENTATIONS]
    for i in range(values.size):
        values[i] = sums[i] / max(total, np.float32(1e-6))
