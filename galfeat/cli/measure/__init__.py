"""``galfeat measure``: its options, and the tables it writes."""

from galfeat.cli.measure.command import measure

__all__ = ["measure"]
