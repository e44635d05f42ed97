"""Run galfeat from a checkout: ``python cli.py ...`` is ``galfeat ...``."""

from galfeat.__main__ import main

if __name__ == "__main__":
    main()
