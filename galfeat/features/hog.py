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

from galfeat.features.registry import Column
from galfeat.frame import Frame, View
from galfeat.frame.views import VIEW_SIZE
from galfeat.kernels import kernel

#: Cells on a side of a view, and orientations from 0 to 180 degrees. Of 8 cells a side,
#: half changed their order from one survey to the next, and no score was better for them.
CELLS = 4
ORIENTATIONS = 9
#: Rings out to the frame radius, and angles to the radius from 0 to 90 degrees.
RINGS = 6
RING_ORIENTATIONS = 9
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


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for the deprojected view where there is none."""
    views = (frame.aligned, _optional(frame.deprojected), frame.context)
    parts = [_mean([cell_features(view.equalised) for view in v], _CELL_FEATURES) for v in views]
    for v in views[:2]:
        parts.append(_mean([_ring_features(view.equalised) for view in v], _RING_FEATURES))
    return np.concatenate(parts)


def _optional(view: View | None) -> tuple[View, ...]:
    return () if view is None else (view,)


def _mean(vectors: list[NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    """Return the mean over turns of a round galaxy; NaN where there is no view."""
    if not vectors:
        return np.full(width, np.nan, np.float32)
    return vectors[0] if len(vectors) == 1 else np.mean(vectors, axis=0, dtype=np.float32)


def _ring_features(image: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = ring_histograms(image, 0.5 * VIEW_SIZE).ravel()
    return result


@kernel
def cell_features(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the folded cells over the norm of all, then their mean over orientations' mean.

    Shape (4 * 9 + 9,).
    """
    across, down = gradients(image)
    folded = fold_quadrants(orientation_histograms(across, down, CELLS))
    cells = folded.reshape(-1, ORIENTATIONS)
    result = np.empty((cells.shape[0] + 1, ORIENTATIONS), np.float32)
    squares, total = np.float32(0.0), np.float32(0.0)
    for cell in cells:
        for o in range(ORIENTATIONS):
            squares += cell[o] * cell[o]
            total += cell[o]
    norm = np.sqrt(squares + np.float32(_EPSILON))
    mean = total / ORIENTATIONS + np.float32(1e-6)
    result[-1] = np.float32(0.0)
    for i in range(cells.shape[0]):
        for o in range(ORIENTATIONS):
            result[i, o] = cells[i, o] / norm
            result[-1, o] += cells[i, o] / mean
    return result.reshape(-1)


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
    steps = strongest_gradients(image) if image.ndim == 3 else gradients(image)
    histograms: NDArray[np.floating] = orientation_histograms(*steps, cells)
    return histograms


@kernel
def gradients(image: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the central differences along x and along y, zero at the edges they would cross."""
    height, width = image.shape
    across, down = np.zeros_like(image), np.zeros_like(image)
    for y in range(height):
        row, out = image[y], across[y]
        for x in range(width - 2):
            out[x + 1] = row[x + 2] - row[x]
    for y in range(1, height - 1):
        upper, lower, out = image[y - 1], image[y + 1], down[y]
        for x in range(width):
            out[x] = lower[x] - upper[x]
    return across, down


@kernel
def strongest_gradients(
    image: NDArray[np.floating],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the central differences of the channel in which they are largest, by pixel."""
    across, down = gradients(np.ascontiguousarray(image[:, :, 0]))
    for channel in range(1, image.shape[2]):
        gx, gy = gradients(np.ascontiguousarray(image[:, :, channel]))
        for y in range(image.shape[0]):
            for x in range(image.shape[1]):
                size = gx[y, x] * gx[y, x] + gy[y, x] * gy[y, x]
                if size > across[y, x] * across[y, x] + down[y, x] * down[y, x]:
                    across[y, x], down[y, x] = gx[y, x], gy[y, x]
    return across, down


@kernel
def orientation_histograms(
    across: NDArray[np.floating], down: NDArray[np.floating], cells: int
) -> NDArray[np.floating]:
    """Return the mean size of gradients by cell and orientation; see `cell_histograms`."""
    height, width = across.shape
    tall, wide = height // cells, width // cells
    histograms = np.zeros((cells, cells, ORIENTATIONS), across.dtype)
    size = np.zeros(width, across.dtype)
    orientation = np.zeros(width, np.int32)
    for y in range(tall * cells):
        gx, gy = across[y], down[y]
        for x in range(width):
            size[x] = np.sqrt(gx[x] * gx[x] + gy[x] * gy[x])
            orientation[x] = 0
        # The bin is the number of bin edges that the direction, turned into the upper half
        # plane, has passed: no arc tangent.
        for edge in range(1, ORIENTATIONS):
            c = across.dtype.type(np.cos(edge * np.pi / ORIENTATIONS))
            s = across.dtype.type(np.sin(edge * np.pi / ORIENTATIONS))
            for x in range(width):
                turned = (gy[x] < 0.0) | ((gy[x] == 0.0) & (gx[x] < 0.0))
                passed = c * gy[x] - s * gx[x]
                orientation[x] += np.int32(passed <= 0.0 if turned else passed >= 0.0)
        cell_row = histograms[y // tall]
        for cell in range(cells):
            between = size[0] * 0.0
            for x in range(cell * wide, (cell + 1) * wide):
                cell_row[cell, orientation[x]] += size[x]
                between += size[x] * (gy[x] == 0.0)
            cell_row[cell, 0] -= 0.5 * between
            cell_row[cell, ORIENTATIONS - 1] += 0.5 * between
    return histograms / (tall * wide)


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
    the ring); the tenth is their sum.
    """
    height, width = image.shape
    yc, xc = 0.5 * (height - 1), 0.5 * (width - 1)
    result = np.zeros((RINGS, RING_ORIENTATIONS + 1), np.float32)
    total = np.float32(0.0)
    along = np.zeros(width, np.float32)
    across = np.zeros(width, np.float32)
    size = np.zeros(width, np.float32)
    ring_of = np.zeros(width, np.int32)
    orientation = np.zeros(width, np.int32)
    per_pixel = np.float32(RINGS / radius)
    for y in range(1, height - 1):
        dy = np.float32(y - yc)
        row, upper, lower = image[y], image[y - 1], image[y + 1]
        for x in range(1, width - 1):
            dx = np.float32(x - xc)
            gx, gy = row[x + 1] - row[x - 1], lower[x] - upper[x]
            size[x] = np.sqrt(gx * gx + gy * gy)
            along[x] = abs(gx * dx + gy * dy)
            across[x] = abs(gy * dx - gx * dy)
            ring_of[x] = int(np.sqrt(dx * dx + dy * dy) * per_pixel)
            orientation[x] = 0
        for edge in range(1, RING_ORIENTATIONS):
            c = np.float32(np.cos(0.5 * np.pi * edge / RING_ORIENTATIONS))
            s = np.float32(np.sin(0.5 * np.pi * edge / RING_ORIENTATIONS))
            for x in range(1, width - 1):
                orientation[x] += np.int32(across[x] * c >= along[x] * s)
        for x in range(1, width - 1):
            ring = ring_of[x]
            if ring < RINGS and size[x] > 0.0:
                result[ring, orientation[x]] += size[x]
                result[ring, RING_ORIENTATIONS] += size[x]
                total += size[x]
    result /= max(total, np.float32(1e-6))
    return result
