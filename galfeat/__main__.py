"""Run the command line as ``python -m galfeat``."""

from galfeat.cli import main

main(prog_name="galfeat")
