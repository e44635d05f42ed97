"""What several rooms' tests share."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_images():
    """The folder of real galaxy images that GALFEAT_TEST_DATA names."""
    folder = os.environ.get("GALFEAT_TEST_DATA")
    if not folder:
        pytest.skip("GALFEAT_TEST_DATA names no folder of real galaxy images")
    return Path(folder)


@pytest.fixture(scope="session")
def exit_codes():
    """The exit codes of docs/exit-codes.md with their meanings."""
    text = (ROOT / "docs" / "exit-codes.md").read_text()
    return {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| ([^|]+)", text, re.M)}
