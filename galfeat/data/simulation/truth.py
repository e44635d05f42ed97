"""The true parameters of a scene as columns, against which features are tested."""

from __future__ import annotations

from math import hypot, nan

import numpy as np

from galfeat.data.simulation.scene import EDGE_ON, Galaxy, Scene


def truth(scene: Scene, pixel_scale: float, size: int) -> dict[str, float]:
    """Return the parameters of a scene's target by name.

    Lengths are in arcseconds, angles in degrees from +x (right) towards +y (down), positions
    in pixels. For missing components, strengths and numbers are 0, other parameters NaN.

    Parameters
    ----------
    scene : Scene
    pixel_scale : float
        Arcseconds per pixel of the image.
    size : int
        Its width and height in pixels.
    """
    target = scene.galaxies[0]
    middle = (size - 1) / 2
    return {
        "x": middle + target.x / pixel_scale,
        "y": middle + target.y / pixel_scale,
        "radius90": scene.radius90,
        "redshift": scene.redshift,
        **_shape(target),
        **_disc(target),
        **_structure(target),
        **_interaction(scene),
        "neighbours": float(len(scene.neighbours) + len(scene.specks)),
        "stars": float(len(scene.stars)),
    }


def _shape(target: Galaxy) -> dict[str, float]:
    spheroid, disc = target.spheroid, target.disc
    light = [10 ** (-0.4 * part.magnitude) for part in (spheroid, disc) if part is not None]
    bulge = 10 ** (-0.4 * spheroid.magnitude) if spheroid else 0.0
    q = nan
    if disc is not None:
        q = disc.thickness if disc.inclination >= EDGE_ON else disc.q
    elif spheroid is not None:
        q = spheroid.q
    return {
        "position_angle": target.position_angle % 180,
        "q": q,
        "magnitude": float(-2.5 * np.log10(sum(light))) if light else nan,
        "bulge_fraction": bulge / sum(light) if light else nan,
        "sersic_n": spheroid.index if spheroid else nan,
        "sersic_radius": spheroid.radius if spheroid else nan,
        "sersic_q": spheroid.q if spheroid else nan,
    }


def _disc(target: Galaxy) -> dict[str, float]:
    disc, knots = target.disc, target.knots
    return {
        "disc_scale_length": disc.scale_length if disc else nan,
        "inclination": disc.inclination if disc else nan,
        "disc_thickness": disc.thickness if disc else nan,
        "dust": disc.dust if disc else 0.0,
        "flocculence": disc.flocculence if disc else 0.0,
        "clumpiness": disc.clumpiness if disc else 0.0,
        "knots": float(knots.number) if knots else 0.0,
    }


def _structure(target: Galaxy) -> dict[str, float]:
    arms, bar, ring = target.arms, target.bar, target.ring
    return {
        "arm_number": float(arms.number) if arms else 0.0,
        "arm_contrast": arms.contrast if arms else 0.0,
        "pitch_angle": arms.pitch if arms else nan,
        "winding": float(arms.winding) if arms else 0.0,
        "bar_strength": bar.strength if bar else 0.0,
        "bar_length": bar.length if bar else nan,
        "bar_angle": bar.angle if bar else nan,
        "ring_radius": ring.radius if ring else nan,
    }


def _interaction(scene: Scene) -> dict[str, float]:
    target = scene.galaxies[0]
    separation = ratio = nan
    if len(scene.galaxies) > 1:
        other = scene.galaxies[1]
        separation = hypot(other.x - target.x, other.y - target.y)
        ratio = 10 ** (-0.4 * (_magnitude(other) - _magnitude(target)))
    return {
        "tidal_strength": target.distortion.strength if target.distortion else 0.0,
        "tails": float(sum(len(galaxy.streams) for galaxy in scene.galaxies)),
        "shells": float(len(target.shells)),
        "nuclei": float(min(len(scene.galaxies), 2)),
        "nuclei_separation": separation,
        "nuclei_flux_ratio": ratio,
    }


def _magnitude(galaxy: Galaxy) -> float:
    return _shape(galaxy)["magnitude"]
