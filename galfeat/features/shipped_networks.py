"""The networks shipped with galfeat, in the folder ``models``, with their cards."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from galfeat.features.network import NETWORK, Network
from galfeat.storage.packaged import data_folder

#: The network of the family `embedding`: trained on real galaxies, and frozen.
FROZEN = "embedder"
#: The network that is fine-tuned in a fit: trained on simulated galaxies, so no fold leaks.
START = "simulated-embedder"


@cache
def shipped_network(name: str) -> Network:
    """Return a shipped network, `FROZEN` or `START`."""
    return Network((network_folder(name) / NETWORK).read_bytes())


def network_folder(name: str) -> Path:
    """Return the folder of a shipped network."""
    return data_folder("models") / name
