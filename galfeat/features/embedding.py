"""Activations of a small convolutional network trained on other galaxies.

The network is frozen: it was trained on galaxies that no classifier is fitted on, so its
activations are equally unbiased for training and new galaxies. Its training images are described
in its card in the folder ``models/embedder`` and are left out of fits that use it.
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
        f"activation {k} of the small network, mean over mirror images and half-turn", "galfeat",
    )
    for k in range(WIDTH)
)  # fmt: skip


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the activations of the shipped network, shape (128,)."""
    return shipped_network(FROZEN).run(mirrored(planes(frame))).mean(axis=0)


def cache_key() -> str:
    """Return the digest of the network."""
    return shipped_network(FROZEN).digest


def trained_on(digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return whether the network was trained on each image, shape (n,).

    Parameters
    ----------
    digests : ndarray of uint8, shape (n, 16)
        Pixel digests of the images.
    """
    return among(digests, np.load(network_folder(FROZEN) / SEEN))
