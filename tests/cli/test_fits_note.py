"""Commands that see FITS images as pictures say where the flux is measured."""

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat.cli import main

NOTE = "`galfeat measure` gives statistics of their flux"


@pytest.fixture
def stamps(tmp_path):
    """A folder of two FITS images of a galaxy."""
    fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed")
    y, x = np.mgrid[-32:32, -32:32]
    for number in (1, 2):
        flux = 50 * np.exp(-np.hypot(x, 2 * y) / 6) + np.random.default_rng(number).normal(
            0, 0.2, x.shape
        )
        fits.PrimaryHDU(flux.astype(np.float32)).writeto(tmp_path / f"{number}.fits")
    return tmp_path


@pytest.mark.parametrize(
    "command", [["classify", "simulated"], ["explain", "simulated"], ["extract"]]
)
def test_the_note_is_printed_once(stamps, command):
    arguments = [*command, str(stamps)]
    if command == ["extract"]:
        arguments += ["-o", str(stamps / "features.csv")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert done.stderr.count(NOTE) == 1


def test_pictures_need_no_note(simulated):
    done = CliRunner().invoke(main, ["classify", "simulated", str(simulated), "--per-class", "1"])
    assert done.exit_code == 0, done.output
    assert NOTE not in done.stderr
