"""Group rows that show the same region of the sky."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from galfeat.errors import DataError

GALAXY10_WIDTH = 67.0
"""Side of a Galaxy10 DECaLS cut-out in arcsec: 256 pixels of 0.262 arcsec."""

_CELLS_PER_LINK = 1.75
"""More than √3, so that the points of a cell are linked; less than 2, so links span 2 cells."""

_BLOCK = 2**20
"""Number of pairs of cells, or of points in them, at a time."""

_ROUNDING = 1e-9
"""Tolerance of distances that only select candidates."""

Indices = NDArray[np.intp]
Positions = NDArray[np.float64]


def groups_by_position(
    ra: NDArray[np.float64], dec: NDArray[np.float64], separation: float = GALAXY10_WIDTH
) -> NDArray[np.str_]:
    """Group rows with nearby positions.

    Parameters
    ----------
    ra, dec : ndarray of float64, shape (n,)
        Positions in degrees, NaN where unknown.
    separation : float, default 67
        Maximum separation of linked positions, in arcsec, more than 0. The default is the width
        of a Galaxy10 DECaLS image.

    Returns
    -------
    ndarray of str, shape (n,)
        The number of the first row of the group. Groups are friends-of-friends groups; each
        row without a position is a separate group.

    Raises
    ------
    DataError
        If the separation is not more than 0.

    Notes
    -----
    Positions are sorted into cubic cells whose diagonal is shorter than the separation, so that
    all positions of a cell form one group. Neighbouring cells are joined if their closest
    positions are linked (Gunawan 2013; de Berg, Gunawan and Roeloffzen 2017, ISAAC). Time and
    memory grow as n log n, however crowded the positions are.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import groups_by_position
    >>> groups_by_position(np.array([10.0, 50.0, 10.001]), np.zeros(3)).tolist()
    ['0', '1', '0']
    """
    if not separation > 0:
        raise DataError(f"a separation of {separation:g} arcsec; expected more than 0")
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    first = np.arange(len(ra))
    if known.size:
        chord = 2 * np.sin(np.radians(separation / 3600) / 2)
        group = _friends(_unit_vectors(ra[known], dec[known]), chord)
        representative = np.unique(group, return_index=True)[1]
        first[known] = known[representative[group]]
    return first.astype(np.str_)


def _unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> Positions:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def _friends(points: Positions, link: float) -> Indices:
    """Return the number, from 0, of the friends-of-friends group of each point."""
    cells = _Cells(points, link)
    pairs = cells.neighbours()
    # In crowded regions, nearly all neighbours are joined by any of their points.
    linked = pairs[cells.any_linked(pairs)]
    group = cells.joined(linked)
    pairs = pairs[cells.size[pairs].max(axis=1) > 1]
    while len(pairs := pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]):
        points = np.cumsum(cells.size[pairs].sum(axis=1))
        stop = max(1, int(np.searchsorted(points, _BLOCK)))
        linked = np.concatenate([linked, pairs[:stop][cells.closest_linked(pairs[:stop])]])
        group = cells.joined(linked)
        pairs = pairs[stop:]
    return group[cells.cell_of_point]


class _Cells:
    """Points in cubic cells.

    Attributes
    ----------
    cell_of_point : ndarray of int, shape (n,)
    size : ndarray of int, shape (m,)
        The number of points in each cell.
    """

    def __init__(self, points: Positions, link: float) -> None:
        self._points, self._link = points, link
        corners = np.floor(points * (_CELLS_PER_LINK / link))
        self._order = np.lexsort(corners.T)
        sorted_corners = corners[self._order]
        new = np.ones(len(points), dtype=np.bool_)
        new[1:] = (sorted_corners[1:] != sorted_corners[:-1]).any(axis=1)
        self._first = np.flatnonzero(new)
        self._corners = sorted_corners[self._first]
        self.size = np.diff(self._first, append=len(points))
        self.cell_of_point = np.empty(len(points), dtype=np.intp)
        self.cell_of_point[self._order] = np.cumsum(new) - 1

    def neighbours(self) -> Indices:
        """Return all pairs of cells with points close enough to be linked, shape (k, 2)."""
        from scipy.spatial import cKDTree

        pairs: Indices = cKDTree(self._corners).query_pairs(2.5, p=np.inf, output_type="ndarray")
        return pairs

    def joined(self, pairs: Indices) -> Indices:
        """Return the group of each cell if these pairs of cells are linked, shape (m,)."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        n = len(self.size)
        links = coo_matrix((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(n, n))
        group: Indices = connected_components(links, directed=False)[1]
        return group

    def any_linked(self, pairs: Indices) -> NDArray[np.bool_]:
        """Return for each pair of cells whether one point of each are linked, shape (k,)."""
        points = self._points[self._order[self._first]]
        result = np.zeros(len(pairs), dtype=np.bool_)
        for block in range(0, len(pairs), _BLOCK):
            start, end = pairs[block : block + _BLOCK].T
            result[block : block + _BLOCK] = _linked(points[start], points[end], self._link)
        return result

    def closest_linked(self, pairs: Indices) -> NDArray[np.bool_]:
        """Return for each pair of cells whether their closest points are linked, shape (k,)."""
        from scipy.spatial import cKDTree

        start, end = self._points_of(pairs[:, 0]), self._points_of(pairs[:, 1])
        for _ in range(2):
            start = start.near(end, self._link)
            end = end.near(start, self._link)
        # A fourth coordinate keeps the pairs apart: each query finds points of its pair only.
        apart = 4 * self._link
        places = _distinct(np.column_stack([end.points, apart * end.pair]))
        queries = np.column_stack([start.points, apart * start.pair])
        result = np.zeros(len(pairs), dtype=np.bool_)
        if len(places):
            distance, nearest = cKDTree(places).query(
                queries, distance_upper_bound=self._link * (1 + _ROUNDING)
            )
            found = np.flatnonzero(np.isfinite(distance))
            close = _linked(start.points[found], places[nearest[found], :3], self._link)
            result[start.pair[found[close]]] = True
        return result

    def _points_of(self, cells: Indices) -> _PairedPoints:
        """Return the points of one cell of each pair."""
        size = self.size[cells]
        first = np.repeat(self._first[cells] - np.cumsum(size) + size, size)
        points = self._points[self._order[first + np.arange(len(first))]]
        return _PairedPoints(points, np.repeat(np.arange(len(cells)), size), len(cells))


class _PairedPoints(NamedTuple):
    """Points of one cell of each pair, shape (k, 3), and the ascending numbers of the pairs."""

    points: Positions
    pair: Indices
    n_pairs: int

    def near(self, others: _PairedPoints, link: float) -> _PairedPoints:
        """Return the points that are near the box around the other points of their pair."""
        low, high = others.boxes()
        outside = np.maximum(low[self.pair] - self.points, self.points - high[self.pair])
        distance = np.linalg.norm(np.maximum(outside, 0), axis=1)
        kept = distance <= link * (1 + _ROUNDING)
        return _PairedPoints(self.points[kept], self.pair[kept], self.n_pairs)

    def boxes(self) -> tuple[Positions, Positions]:
        """Return the lowest and highest coordinates of each pair, infinite without points."""
        low = np.full((self.n_pairs, 3), np.inf)
        high = np.full((self.n_pairs, 3), -np.inf)
        numbers, first = np.unique(self.pair, return_index=True)
        if len(numbers):
            low[numbers] = np.minimum.reduceat(self.points, first)
            high[numbers] = np.maximum.reduceat(self.points, first)
        return low, high


def _distinct(points: Positions) -> Positions:
    """Return the points without repetitions."""
    points = points[np.lexsort(points.T)]
    new = np.ones(len(points), dtype=np.bool_)
    new[1:] = (points[1:] != points[:-1]).any(axis=1)
    return points[new]


def _linked(start: Positions, end: Positions, link: float) -> NDArray[np.bool_]:
    difference = start - end
    squared = difference[:, 0] ** 2 + difference[:, 1] ** 2 + difference[:, 2] ** 2
    close: NDArray[np.bool_] = squared <= link * link
    return close
