"""A short name for what an image shows, whatever file it came in."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

DIGEST_SIZE = 16


def pixel_digest(image: NDArray[np.uint8]) -> bytes:
    """Return 16 bytes that are equal for equal decoded pixels.

    Parameters
    ----------
    image : ndarray of uint8
        Decoded pixels of any shape.

    Returns
    -------
    bytes
        BLAKE2b of the shape and the pixels in C order. It does not depend on the
        memory layout, the file's name or its encoding.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
    digest.update(np.asarray(image.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()
