"""What a terminal shows: progress, counts in words, errors in one line, and output streams."""

from galfeat.cli.terminal.prose import counted

__all__ = ["counted"]
