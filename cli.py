"""Run galfeat from a checkout: ``python cli.py ...`` is ``galfeat ...``."""

from galfeat.cli import main

if __name__ == "__main__":
    main(prog_name="galfeat")
