"""Simulated files: their form, their counts, the same bytes whatever the threads."""

import h5py
import numpy as np
import pytest

from galfeat.data.simulate import CLASS_NAMES, class_labels, simulate, simulate_file
from galfeat.errors import DataError, OutputError


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "galaxies.h5"
    simulate_file(path, 40, seed=3, jobs=2)
    return path


def test_a_file_has_the_form_of_galaxy10_decals(simulated):
    with h5py.File(simulated) as file:
        assert file["images"].shape == (40, 256, 256, 3)
        assert file["images"].dtype == np.uint8
        assert file["images"].chunks is None
        assert file["ans"].dtype == np.uint8
        assert (np.diff(file["ans"][:].astype(int)) >= 0).all()
        for name in ("ra", "dec", "redshift", "pxscale"):
            assert file[name].dtype == np.float64
            assert file[name].shape == (40,)
        assert set(file["pxscale"][:]) == {0.262}
        assert tuple(file.attrs["class_names"]) == CLASS_NAMES


def test_the_same_seed_gives_the_same_bytes_for_any_number_of_jobs(simulated, tmp_path):
    simulate_file(tmp_path / "again.h5", 40, seed=3, jobs=1)
    assert (tmp_path / "again.h5").read_bytes() == simulated.read_bytes()
    assert not np.array_equal(simulate(3, seed=4).images, simulate(3, seed=3).images)
