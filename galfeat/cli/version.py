"""What ``galfeat --version`` prints."""

from __future__ import annotations


def describe(*, verbose: bool) -> str:
    """Return the version line."""
    from galfeat import __version__

    return f"galfeat {__version__}"
