"""Histograms of oriented gradients (Dalal & Triggs 2005) of the canonical views.

The same gradients are binned in two ways:

*Cells*, as in the paper and in scikit-image: 4×4 cells, 9 orientations. The canonical frame is
ambiguous by half-turns and mirroring, so the four cells that these map onto each other are
averaged, which leaves one quadrant. All cells of a view form one normalisation block:
normalising each cell by itself would amplify the noise of faint outskirts.

*Rings*: gradients binned by distance from the centre and by orientation relative to the radius.
The gradients of a smooth galaxy are radial; an arm with pitch angle p tilts them by p; bars and
rings have their own signatures.
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

#: Cells per side of a view. With 8 cells per side, half of the features changed their order
#: between surveys, and no score improved.
CELLS = 4
#: Number of rings to the frame radius, and of bins of the angle to the radius, 0 to 90 degrees.
RINGS = 6
RING_ORIENTATIONS = 9
_HALF = 0.5 * VIEW_SIZE
#: Added to the squared norm, so that the histogram of a view without gradients is zero.
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
                            f"gradients at {20 * o} to {20 * o + 20} degrees in the folded cell "
                            f"in row {y} and column {x} from the corner, over the norm of all "
                            f"in the {view} view", _PAPER, degenerate=degenerate,
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
                        f"fraction of all gradients in ring {ring} of the {view} view at "
                        f"{10 * o} to {10 * o + 10} degrees to the radius", "galfeat",
                        degenerate=degenerate,
                    )
                )  # fmt: skip
            listed.append(
                Column(
                    f"hog.{view}.r{ring}.share", "1",
                    f"fraction of all gradients in ring {ring} of the {view} view", "galfeat",
                    degenerate=degenerate,
                )
            )  # fmt: skip
    return tuple(listed)


COLUMNS = _columns()
_CELL_FEATURES = (_QUADRANT * _QUADRANT + 1) * ORIENTATIONS
_RING_FEATURES = RINGS * (RING_ORIENTATIONS + 1)
#: First column of each group of columns.
_DEPROJECTED, _CONTEXT, _RINGS = _CELL_FEATURES, 2 * _CELL_FEATURES, 3 * _CELL_FEATURES
_DEPROJECTED_RINGS = _RINGS + _RING_FEATURES
#: Mask of the columns that are means over rotated views for round galaxies.
_TURNED = np.array([not column.name.startswith("hog.deprojected.") for column in COLUMNS])
_NO_VIEW = np.empty((0, 0), np.float32)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for a missing deprojected view.

    For a round galaxy, the values of the other views are means over rotations.
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
    """Write the folded cells over their norm, then the sums by orientation over their mean."""
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

    Central differences, zero at the edges; unsigned orientation in nine bins of 20 degrees
    from the x axis, without interpolation. This is scikit-image's definition, except that
    gradients along x are divided between the first and the last bin, for mirror symmetry.

    Parameters
    ----------
    image : ndarray of float32 or float64, shape (H, W) or (H, W, 3)
        For three channels, the one with the strongest gradient is used at each pixel. Rows and
        columns beyond a multiple of `cells` are ignored.
    cells : int
        Number of cells per side.
    """
    if image.ndim == 3:
        across, down = strongest_gradients(image)
    else:
        across, down = gradients(image)
    return orientation_histograms(across, down, cells)


@kernel
def fold_quadrants(histograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the cells that a half-turn and the two reflections map onto each other.

    A reflection maps orientation o to 8 - o: bin o spans 20 o to 20 (o + 1) degrees.
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

    All are fractions of the gradients in all rings; zero without gradients. The first nine are
    folded by mirror symmetry into bins of 10 degrees between 0 (along the radius) and 90 (along
    the ring); the tenth is their sum. The outermost rows and columns are ignored.
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
    """Write the values of `ring_histograms`."""
    height, width = across.shape
    yc, xc = 0.5 * (height - 1), np.float32(0.5 * (width - 1))
    # The tangents of 10, 20, 30 and 40 degrees; beyond 45 degrees the two legs are swapped.
    edges = 0.5 * np.pi * np.arange(1, 5) / RING_ORIENTATIONS
    tan10, tan20 = np.float32(np.tan(edges[0])), np.float32(np.tan(edges[1]))
    tan30, tan40 = np.float32(np.tan(edges[2])), np.float32(np.tan(edges[3]))
    wide = np.int32(RING_ORIENTATIONS + 1)
    # An additional ring collects the pixels farther out.
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
