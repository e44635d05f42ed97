"""The commands under ``galfeat data``."""

from galfeat.cli.data.commands import data

__all__ = ["data"]
