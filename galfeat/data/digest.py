"""Digests of decoded pixels, to identify images independently of their files."""

from __future__ import annotations

import numpy as np
import xxhash
from numpy.typing import NDArray


def pixel_digest(image: NDArray[np.uint8]) -> bytes:
    """Return a digest of decoded pixels.

    Parameters
    ----------
    image : ndarray of uint8
        Decoded pixels of any shape.

    Returns
    -------
    bytes
        The 128-bit XXH3 hash of the shape and the pixels in C order. It does not depend on
        memory layout, file name or encoding. The hash is not cryptographic: it identifies
        images but does not protect against deliberate collisions.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import pixel_digest
    >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> len(pixel_digest(image)), pixel_digest(image) == pixel_digest(image.copy(order="F"))
    (16, True)
    """
    digest = xxhash.xxh3_128()
    digest.update(np.asarray(image.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def among(digests: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each digest whether it is in `known`, shape (n,)."""
    known_digests = {digest.tobytes() for digest in known}
    return np.array([digest.tobytes() in known_digests for digest in digests], dtype=np.bool_)
