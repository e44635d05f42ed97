"""Print pip constraints that pin the dependencies in a setup.cfg to their lower bounds."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path


def lowest(setup_cfg: Path) -> list[str]:
    """Return ``name==bound`` for each requirement ``name >= bound``."""
    config = configparser.ConfigParser()
    config.read(setup_cfg)
    requirements = [
        config["options"]["install_requires"],
        *config["options.extras_require"].values(),
    ]
    bounds = re.findall(r"^([A-Za-z0-9_.-]+) *>= *([0-9.]+)", "\n".join(requirements), re.MULTILINE)
    return [f"{name}=={bound}" for name, bound in bounds]


if __name__ == "__main__":
    print("\n".join(lowest(Path(sys.argv[1]))))
