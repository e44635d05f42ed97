"""A short name for what an image shows, whatever file it came in."""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray


def pixel_digest(image: NDArray[np.uint8]) -> bytes:
    """Return 16 bytes that are equal for equal decoded pixels.

    Parameters
    ----------
    image : ndarray of uint8
        Decoded pixels of any shape.

    Returns
    -------
    bytes
        XXH3 of 128 bits, of the shape and the pixels in C order. It does not depend on the
        memory layout, the file's name or its encoding. It tells images apart and is no
        safeguard against somebody who wants two to look the same.
    """
    digest = xxhash.xxh3_128()
    digest.update(np.asarray(image.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def among(digests: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each digest whether it is one of those known, shape (n,)."""
    known_digests = {digest.tobytes() for digest in known}
    return np.array([digest.tobytes() in known_digests for digest in digests], dtype=np.bool_)
