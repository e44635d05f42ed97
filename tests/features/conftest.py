"""Views of a known pattern, in the size and type that galfeat's views have."""

import numpy as np
import pytest

SIZE = 64


@pytest.fixture(scope="session")
def polar():
    """Radius in pixels and angle from x towards rising rows, of a view's pixels."""
    v, u = np.mgrid[:SIZE, :SIZE] - 0.5 * (SIZE - 1)
    return np.hypot(u, v), np.arctan2(v, u)


@pytest.fixture(scope="session")
def smooth_noise():
    """Return a maker of smooth random images without a symmetry."""

    def make(seed, size=SIZE):
        noise = np.random.default_rng(seed).normal(size=(size, size))
        frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
        smoothed = np.fft.ifft2(np.fft.fft2(noise) * np.exp(-0.5 * (frequency / 0.08) ** 2)).real
        return (10.0 * smoothed / smoothed.std()).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def spiral(polar):
    """Return a maker of logarithmic spirals: number of arms, winding per ln r, contrast."""
    r, theta = polar

    def make(arms, rate, contrast=0.5):
        return (10.0 * (1.0 + contrast * np.cos(arms * theta - rate * np.log(r)))).astype(
            np.float32
        )

    return make


@pytest.fixture(scope="session")
def population():
    """Galaxies of all classes as the Legacy Surveys show them, and their features."""
    from galfeat.data.simulation.simulator import simulate
    from galfeat.features import FeatureExtractor

    simulated = simulate(100, seed=3, class_counts=[10] * 10)
    return simulated, FeatureExtractor().extract(simulated.images)
