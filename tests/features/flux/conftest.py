import numpy as np
import pytest

from galfeat.features.flux.sersic_fit import sersic_b

SIDE = 121


def painted(index, radius, *, q=1.0, angle=0.0, centre=(60.0, 60.0), side=SIDE, parts=5):
    """Return a Sérsic profile of unit brightness at its radius, integrated over pixels."""
    offsets = (np.arange(side * parts) + 0.5) / parts - 0.5
    y, x = np.meshgrid(offsets - centre[1], offsets - centre[0], indexing="ij")
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    r = np.hypot(u, v / q) / radius
    fine = np.exp(-sersic_b(index) * (r ** (1.0 / index) - 1.0))
    return fine.reshape(side, parts, side, parts).mean(axis=(1, 3))


@pytest.fixture(scope="session")
def paint():
    """Return a maker of Sérsic profiles."""
    return painted


@pytest.fixture(scope="session")
def disc():
    """Return an exponential disc with noise, its segment and the standard deviation."""
    light = 20.0 * painted(1.0, 8.0, q=0.6, angle=0.5)
    noisy = light + np.random.default_rng(1).normal(0.0, 0.5, light.shape)
    return noisy, (light > 1.5).astype(np.int32), 0.5
