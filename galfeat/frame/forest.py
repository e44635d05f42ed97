"""Union-find: a forest in which each node has a parent and a root is its own parent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def root_of(parents: NDArray[np.int32], node: int) -> int:
    """Return the root of a node, halving the path to it."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node
