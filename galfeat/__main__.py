"""Entry point of ``galfeat`` and ``python -m galfeat``."""

from __future__ import annotations

import codecs
import io
import os
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
    _replace_closed_streams()
    _print_any_character()
    if "error" in sys.warnoptions:  # meant for one's own code, not for libraries
        warnings.simplefilter("default")
    try:
        from galfeat.cli import main as command_line
        from galfeat.cli.streams import prepare_streams

        prepare_streams()
        command_line(prog_name="galfeat")
    except KeyboardInterrupt:
        print(f"galfeat: {INTERRUPTED}", file=sys.stderr)
        sys.exit(INTERRUPTED_EXIT_CODE)


def _replace_closed_streams() -> None:
    """Use the null device for streams that the caller closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _print_any_character() -> None:
    """Print names of files as they are, and escape characters unknown to the locale."""
    codecs.register_error("galfeat", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="galfeat")


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


if __name__ == "__main__":
    main()
