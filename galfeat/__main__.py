"""Entry point of ``galfeat`` and ``python -m galfeat``."""

from __future__ import annotations

import sys

from galfeat.errors import INTERRUPTED, INTERRUPTED_EXIT_CODE


def main() -> None:
    """Run the command line; report an interrupt in one line, even during imports."""
    try:
        from galfeat.cli import main as command_line

        command_line(prog_name="galfeat")
    except KeyboardInterrupt:
        print(f"galfeat: {INTERRUPTED}", file=sys.stderr)
        sys.exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
