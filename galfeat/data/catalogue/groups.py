"""Group rows that show the same region of the sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GALAXY10_WIDTH = 67.0
"""Side of a Galaxy10 DECaLS cut-out in arcsec: 256 pixels of 0.262 arcsec."""


def groups_by_position(
    ra: NDArray[np.float64], dec: NDArray[np.float64], separation: float = GALAXY10_WIDTH
) -> NDArray[np.str_]:
    """Group rows with nearby positions.

    Parameters
    ----------
    ra, dec : ndarray of float64, shape (n,)
        Positions in degrees, NaN where unknown.
    separation : float, default 67
        Maximum separation of linked positions, in arcsec. The default is the width of a
        Galaxy10 DECaLS image.

    Returns
    -------
    ndarray of str, shape (n,)
        The number of the first row of the group. Groups are friends-of-friends groups; each
        row without a position is a separate group.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data.catalogue import groups_by_position
    >>> groups_by_position(np.array([10.0, 50.0, 10.001]), np.zeros(3)).tolist()
    ['0', '1', '0']
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    first = np.arange(len(ra))
    if known.size:
        tree = cKDTree(_unit_vectors(ra[known], dec[known]))
        chord = 2 * np.sin(np.radians(separation / 3600) / 2)
        pairs = tree.query_pairs(chord, output_type="ndarray")
        links = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(known.size, known.size))
        component = connected_components(links, directed=False)[1]
        representative = np.unique(component, return_index=True)[1]
        first[known] = known[representative[component]]
    return first.astype(np.str_)


def _unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
