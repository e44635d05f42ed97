"""Fill the vector of a family's values from front to back inside a kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@kernel
def append(vector: NDArray[np.float32], first: int, values: NDArray[np.floating]) -> int:
    """Write values to a vector, starting at index `first`; return the index after them."""
    for i in range(values.size):
        vector[first + i] = values[i]
    return first + values.size
