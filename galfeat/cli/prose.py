"""Phrases shared by several commands."""

from __future__ import annotations


def counted(galaxies: int) -> str:
    """Return a count such as "1 galaxy" or "2 galaxies"."""
    return f"{galaxies:,} {'galaxy' if galaxies == 1 else 'galaxies'}"
