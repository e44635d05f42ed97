"""The networks that come with galfeat, in the folder ``models``; their cards lie beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from galfeat.features.network import NETWORK, Network
from galfeat.storage.packaged import data_folder

#: The one whose activations are the family `embedding`: it has seen real galaxies, and is frozen.
FROZEN = "embedder"
#: The one that goes on learning in a fit: it has seen none, so no fold is known to it.
START = "simulated-embedder"


@cache
def shipped_network(name: str) -> Network:
    """Return a network that comes with galfeat, `FROZEN` or `START`."""
    return Network((network_folder(name) / NETWORK).read_bytes())


def network_folder(name: str) -> Path:
    """Return the folder of a network that comes with galfeat."""
    return data_folder("models") / name
