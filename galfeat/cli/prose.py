"""Words that several commands print."""

from __future__ import annotations


def counted(galaxies: int) -> str:
    """Return "1 galaxy", "2 galaxies"."""
    return f"{galaxies:,} {'galaxy' if galaxies == 1 else 'galaxies'}"
