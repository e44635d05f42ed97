"""Entry point of ``galfeat`` and ``python -m galfeat``."""

from __future__ import annotations

import sys
import warnings

from galfeat.errors import INTERRUPTED, INTERRUPTED_EXIT_CODE


def main() -> None:
    """Run the command line; report an interrupt in one line, even during imports."""
    if sys.flags.optimize > 1:
        print(
            "galfeat: Python runs without docstrings (-OO or PYTHONOPTIMIZE=2), which libraries "
            "and the help need; use -O or PYTHONOPTIMIZE=1",
            file=sys.stderr,
        )
        sys.exit(2)
    if "error" in sys.warnoptions:  # meant for one's own code, not for libraries
        warnings.simplefilter("default")
    try:
        from galfeat.cli import main as command_line
        from galfeat.cli.terminal.streams import prepare_streams

        prepare_streams()
        command_line(prog_name="galfeat")
    except KeyboardInterrupt:
        print(f"galfeat: {INTERRUPTED}", file=sys.stderr)
        sys.exit(INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
