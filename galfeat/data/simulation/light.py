"""Fluxes in each band, and profiles of light."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, pi
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import PERIOD

BANDS = "griz"
TABLE = 1024  # entries of a profile table
_STEPS = np.linspace(0.0, 1.0, TABLE) ** 2

# Magnitudes, colours and fluxes are all scalars or all arrays.
Value = TypeVar("Value", float, NDArray[np.float64])


def galaxy_fluxes(magnitude: Value, colour: Value) -> tuple[Value, Value, Value, Value]:
    """Return g, r, i and z fluxes in nanomaggies, along the colour locus of galaxies.

    Parameters
    ----------
    magnitude : float or ndarray
        AB magnitude in r.
    colour : float or ndarray
        g - r, about -0.1 (star-forming knot) to 1.1 (elliptical at z = 0.15).
    """
    return _fluxes(magnitude, colour, 0.45 * colour + 0.03, 0.80 * colour + 0.05)


def star_fluxes(magnitude: Value, colour: Value) -> tuple[Value, Value, Value, Value]:
    """Return g, r, i and z fluxes in nanomaggies, along the stellar locus.

    The g - r of M dwarfs saturates near 1.4 while r - i still grows, hence the square.
    """
    late = np.maximum(colour - 1.1, 0.0) ** 2
    return _fluxes(magnitude, colour, 0.40 * colour - 0.04 + 4 * late, 0.62 * colour + 5 * late)


def _fluxes(
    magnitude: Value, g_r: Value, r_i: Value, r_z: Value
) -> tuple[Value, Value, Value, Value]:
    r = 10 ** (0.4 * (22.5 - magnitude))
    return r * 10 ** (-0.4 * g_r), r, r * 10 ** (0.4 * r_i), r * 10 ** (0.4 * r_z)


def sersic_b(index: float) -> float:
    """Return b of a Sérsic profile (Ciotti and Bertin 1999), valid for n > 0.5."""
    return (
        2 * index - 1 / 3 + 4 / (405 * index) + 46 / (25515 * index**2) + 131 / (1148175 * index**3)
    )


def sersic_profile(index: float, radius: float, limit: float) -> NDArray[np.float32]:
    """Tabulate the surface brightness of a round Sérsic profile of total flux 1.

    Parameters
    ----------
    index : float
        Sérsic n.
    radius : float
        Half-light radius.
    limit : float
        Radius of the table's last entry.

    Returns
    -------
    ndarray of float32, shape (TABLE,)
        Per unit area, at evenly spaced values of sqrt(R / limit) from 0 to 1, minus the
        value at 1 to avoid a visible edge.
    """
    b = sersic_b(index)
    total = 2 * pi * radius**2 * index * exp(b - 2 * index * log(b) + lgamma(2 * index))
    profile = np.exp(-b * ((_STEPS * (limit / radius)) ** (1 / index) - 1)) / total
    return np.asarray(profile - profile[-1], dtype=np.float32)


def sersic_limit(index: float, radius: float, flux: float, faintest: float) -> float:
    """Return the radius where a Sérsic profile reaches a surface brightness, at most 12 r_e."""
    b = sersic_b(index)
    total = 2 * pi * radius**2 * index * exp(b - 2 * index * log(b) + lgamma(2 * index))
    at_radius = flux / total / faintest
    if at_radius <= exp(-b):
        return radius
    return float(radius * min(max((1 + log(at_radius) / b) ** index, 1.0), 12.0))


@lru_cache(maxsize=1)
def edge_on_profile() -> NDArray[np.float32]:
    """Return t K1(t), the profile of an edge-on exponential disc, at even t from 0 to 8."""
    from scipy.special import k1

    t = np.linspace(0.0, 8.0, TABLE)
    t[0] = 1e-6
    return np.asarray(t * k1(t), dtype=np.float32)


@lru_cache(maxsize=1)
def texture() -> NDArray[np.float32]:
    """Return smooth periodic noise of zero mean and unit variance, shape (PERIOD, PERIOD).

    A power law between scales of 1/4 and 1/40 of the period: neither clouds nor grain.
    """
    rng = np.random.default_rng(1926)
    wave = np.fft.fftfreq(PERIOD, 1 / PERIOD)
    wave = np.hypot(wave[:, None], wave[None, :])
    power = np.where(wave > 0, 1 / (1 + (wave / 8) ** 2), 0) * np.exp(-((wave / 40) ** 2))
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((PERIOD, PERIOD))) * power).real
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)
