"""Activations of a small convolutional network that was trained on other galaxies.

The network is frozen: it was trained on galaxies that no classifier is fitted on, so what it
says of a training galaxy is as honest as what it says of a new one. Its card, in the folder
``models/embedder``, says what it has seen; those images are left out of fits that use it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.data.digest import among
from galfeat.features.network import SEEN, WIDTH
from galfeat.features.planes import mirrored, planes
from galfeat.features.registry import Column
from galfeat.features.shipped_networks import FROZEN, network_folder, shipped_network
from galfeat.frame import Frame

COLUMNS = tuple(
    Column(
        f"embedding.e{k:03}", "1",
        f"activation {k} of the small network, mean over mirrors and half a turn", "galfeat",
    )
    for k in range(WIDTH)
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the activations of the network that comes with galfeat, shape (128,)."""
    return shipped_network(FROZEN).run(mirrored(planes(frame))).mean(axis=0)


def cache_key() -> str:
    """Return what the values depend on beside the source: a digest of the network."""
    return shipped_network(FROZEN).digest


def trained_on(digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell of which images the network has learned the class, shape (n,).

    Parameters
    ----------
    digests : ndarray of uint8, shape (n, 16)
        Of the pixels of each image.
    """
    return among(digests, np.load(network_folder(FROZEN) / SEEN))
