"""Commands that see FITS images as pictures say where the flux is measured."""

import os

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


def test_bands_are_chosen_and_forgotten_at_the_end(tmp_path, monkeypatch):
    fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed")
    planes = np.random.default_rng(0).normal(size=(4, 32, 32)).astype("f4")
    for name, data, bands in (("four", planes, "griz"), ("three", planes[1:], "riz")):
        unit = fits.PrimaryHDU(data)
        unit.header["BANDS"] = bands
        unit.writeto(tmp_path / f"{name}.fits")

    def digest(name, *options):
        output = tmp_path / "features.csv"
        arguments = ["extract", str(tmp_path / f"{name}.fits"), "-o", str(output), *options]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return output.read_text().splitlines()[1].split(",")[2]

    assert digest("four", "--bands", "riz") == digest("three")
    assert "GALFEAT_BANDS" not in os.environ
    assert digest("four") != digest("three")
    monkeypatch.setenv("GALFEAT_BANDS", "riz")
    assert digest("four") == digest("three")
