"""Radial profiles of a disc: light, arms, ring, dust."""

from __future__ import annotations

from math import radians, tan

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import Table
from galfeat.data.simulation.scene import Arms, Bar, Disc, Galaxy, Ring

STEPS = 512
YOUNG_LENGTH = 1.3  # scale length of young over old stars

Floats = NDArray[np.float64]


def radial_table(galaxy: Galaxy, disc: Disc, reach: float) -> Table:
    """Tabulate the columns `paint_disc.RADIAL` from the centre to a radius.

    Light is relative to the central surface brightness of an exponential disc of old stars.
    """
    scaled = np.linspace(0.0, reach / disc.scale_length, STEPS)
    old = _fall_off(disc, scaled, 1.0)
    young = _fall_off(disc, scaled, YOUNG_LENGTH) / YOUNG_LENGTH**2 * _step(scaled, -0.4, 1.0)
    if galaxy.bar is not None:
        gap = _bar_gap(galaxy.bar, scaled * disc.scale_length)
        old *= gap
        young *= gap**2
    grown, wound, contrast = _arms(galaxy.arms, disc, scaled)
    return np.stack(
        [
            old,
            young,
            _ring(galaxy.ring, scaled * disc.scale_length),
            grown,
            wound,
            contrast,
            disc.dust * grown * np.exp(-0.5 * scaled),
            texture_place(scaled),
        ],
        axis=1,
    ).astype(np.float32)


def wound_angle(arms: Arms, scaled: Floats) -> Floats:
    """Return the winding angle of arms, in radians, at radii in scale lengths."""
    return np.asarray(np.log(scaled + 0.02) / tan(radians(arms.pitch)))


def texture_place(scaled: Floats) -> Floats:
    """Return the texture coordinates of radii in scale lengths."""
    return np.asarray(20 * np.log(scaled + 0.15))


def _step(value: Floats, low: float, high: float) -> Floats:
    """Return a smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _fall_off(disc: Disc, scaled: Floats, stretch: float) -> Floats:
    """Return an exponential with a break, truncated smoothly at the end of the disc."""
    beyond = np.maximum(scaled - disc.break_radius, 0.0)
    depth = np.minimum(scaled, disc.break_radius) + beyond / disc.outer
    return np.exp(-depth / stretch) * (1 - _step(scaled, 0.6 * disc.extent, disc.extent))


def _bar_gap(bar: Bar, radius: Floats) -> Floats:
    """Return the fraction of the disc's light that remains around a bar."""
    return 1 - bar.gap * (1 - _step(radius, 0.7 * bar.length, 1.15 * bar.length))


def _arms(arms: Arms | None, disc: Disc, scaled: Floats) -> tuple[Floats, Floats, Floats]:
    """Return strength (0 to 1), winding angle and contrast of the arms.

    Without arms, patches are still sheared by differential rotation.
    """
    if arms is None:
        return np.ones(STEPS), 2.0 * np.log(scaled + 0.02), np.zeros(STEPS)
    grown = _step(scaled, 0.7 * arms.start, 1.4 * arms.start + 1e-6)
    grown *= 1 - _step(scaled, 0.5 * arms.end, arms.end)
    return grown, wound_angle(arms, scaled), arms.contrast * grown


def _ring(ring: Ring | None, radius: Floats) -> Floats:
    if ring is None:
        return np.zeros(STEPS)
    return ring.strength * np.exp(-0.5 * ((radius - ring.radius) / ring.width) ** 2)
