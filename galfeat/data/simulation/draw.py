"""Draw a scene: paint light into planes, one per band, and convert them to an image."""

from __future__ import annotations

from math import ceil, cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from galfeat.data.simulation.axes import View
from galfeat.data.simulation.blur import blur
from galfeat.data.simulation.galaxy import paint_galaxy
from galfeat.data.simulation.light import galaxy_fluxes, star_fluxes
from galfeat.data.simulation.points import paint_glare, paint_points
from galfeat.data.simulation.rendering import (
    RENDERINGS,
    Rendering,
    add_noise,
    resample,
    share_colour,
    stretch,
    to_bytes,
)
from galfeat.data.simulation.scene import Scene, Speck, Star
from galfeat.errors import DataError

GLARE_LIMIT = 15.5  # r magnitude; brighter stars have an aureole
AUREOLE = 0.03  # fraction of a star's light
SPIKE_LIMIT = 14.0  # r magnitude; brighter stars have diffraction spikes
SPIKES = 0.006  # fraction of a star's light


def draw(
    scene: Scene,
    *,
    size: int = 256,
    pixel_scale: float | None = None,
    rendering: str = "legacy",
    turn: float = 0.0,
    mirror: bool = False,
    shift: tuple[float, float] = (0.0, 0.0),
    noise: bool = True,
    seed: int | np.random.SeedSequence = 0,
) -> NDArray[np.uint8]:
    """Draw a scene as an image of a survey.

    Parameters
    ----------
    scene : Scene
        The objects on the sky. A scene has the same geometry in every rendering.
    size : int
        Width and height in pixels.
    pixel_scale : float, optional
        Arcseconds per pixel; the survey's own by default. Smaller pixels are interpolated
        from the survey's, as cut-out services do.
    rendering : {"legacy", "sdss"}
        Bands, seeing, noise, sky level and stretch.
    turn : float
        Rotation of the sky in degrees, from +x (right) towards +y (down).
    mirror : bool
        Mirror the sky left to right, before the rotation.
    shift : tuple of float
        Shift along x and y in arcseconds, after the rotation.
    noise : bool
        If False, omit sky and shot noise, but keep the sky level.
    seed : int or SeedSequence
        Seed of the noise.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Red, green, blue.

    Raises
    ------
    DataError
        If the rendering is unknown, or size or pixel scale is not positive.
    """
    survey = find_rendering(rendering)
    scale = survey.pixel_scale if pixel_scale is None else pixel_scale
    if size < 1 or not scale > 0:
        raise DataError(
            f"cannot draw {size} pixels of {scale} arcseconds; pass a positive size and scale"
        )
    work = max(scale, survey.pixel_scale)
    enlarged = work > scale * 1.001
    work_size = ceil(size * scale / work) + 4 if enlarged else size
    planes = surface_brightness(
        scene,
        size=work_size,
        pixel_scale=work,
        rendering=rendering,
        turn=turn,
        mirror=mirror,
        shift=shift,
    )
    planes *= np.float32(survey.pixel_scale**2)
    if noise:
        if not isinstance(seed, np.random.SeedSequence):
            seed = np.random.SeedSequence(seed)
        dimming = survey.pixel_scale / work
        add_noise(planes, survey, sky=scene.conditions.noise, dimming=dimming, seed=seed)
    for plane, level, sigma in zip(planes, scene.conditions.sky, survey.noise, strict=True):
        if level:
            plane += np.float32(level * sigma)
    image = np.empty((work_size, work_size, 3), dtype=np.float32)
    scales = np.array(survey.scales, dtype=np.float32)
    stretch(planes, scales, survey.pedestal, survey.softening, survey.keep_hue, image)
    share_colour(image)
    if not enlarged:
        return to_bytes(image)
    out = np.empty((size, size, 3), dtype=np.uint8)
    resample(image, scale / work, out)
    return out


def surface_brightness(
    scene: Scene,
    *,
    size: int = 256,
    pixel_scale: float,
    rendering: str = "legacy",
    turn: float = 0.0,
    mirror: bool = False,
    shift: tuple[float, float] = (0.0, 0.0),
    blurred: bool = True,
) -> NDArray[np.float32]:
    """Return the light of a scene with seeing, before noise and stretch.

    Parameters
    ----------
    scene, size, pixel_scale, rendering, turn, mirror, shift
        As for `draw`.
    blurred : bool
        If False, omit the point spread function and all point sources.

    Returns
    -------
    ndarray of float32, shape (3, size, size)
        Nanomaggies per square arcsecond in the bands displayed as red, green and blue.
    """
    survey = find_rendering(rendering)
    fine = ceil(pixel_scale / 0.45)  # subpixels; coarser pixels would undersample the light
    step = pixel_scale / fine
    view = _view(size * fine, step, turn, mirror, shift)
    planes = np.zeros((3, size * fine, size * fine), dtype=np.float32)
    bands = ["griz".index(band) for band in survey.bands]
    for galaxy in (*scene.neighbours, *scene.galaxies):
        paint_galaxy(planes, view, galaxy, bands)
    if blurred:
        widths = [width * scene.conditions.seeing for width in survey.seeing]
        blur(planes, [width / step for width in widths])
        _paint_points(planes, view, scene, bands, np.array(widths))
    if fine > 1:
        planes = planes.reshape(3, size, fine, size, fine).mean(axis=(2, 4), dtype=np.float32)
    return planes


def find_rendering(name: str) -> Rendering:
    """Return the rendering of the given name; raise DataError if it does not exist."""
    if name not in RENDERINGS:
        raise DataError(f"unknown rendering {name!r}; choose one of {', '.join(RENDERINGS)}")
    return RENDERINGS[name]


def _view(size: int, scale: float, turn: float, mirror: bool, shift: tuple[float, float]) -> View:
    """Return the map from pixels to the original sky: undo shift, rotation and mirroring."""
    c = cos(radians(turn)) * scale
    s = sin(radians(turn)) * scale
    sign = -1.0 if mirror else 1.0
    return View(
        column0=(size - 1) / 2 + shift[0] / scale,
        row0=(size - 1) / 2 + shift[1] / scale,
        xx=sign * c,
        xy=sign * s,
        yx=-s,
        yy=c,
    )


def _paint_points(
    planes: NDArray[np.float32],
    view: View,
    scene: Scene,
    bands: list[int],
    widths: NDArray[np.float64],
) -> None:
    """Add unresolved sources: specks and stars, bright stars with glare."""
    if scene.specks:
        shapes, fluxes = _specks(scene.specks)
        paint_points(planes, view, shapes, np.ascontiguousarray(fluxes[:, bands]), widths)
    if scene.stars:
        shapes, fluxes = _stars(scene.stars)
        fluxes = np.ascontiguousarray(fluxes[:, bands])
        paint_points(planes, view, shapes, fluxes, widths)
        for star, flux in zip(scene.stars, fluxes, strict=True):
            if star.magnitude < GLARE_LIMIT:
                spikes = SPIKES if star.magnitude < SPIKE_LIMIT else 0.0
                paint_glare(planes, view, star.x, star.y, flux, AUREOLE, spikes)


def _specks(specks: tuple[Speck, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shapes and griz fluxes for `paint_points`."""
    columns = np.array(
        [(s.x, s.y, s.size, s.q, s.position_angle, s.magnitude, s.colour) for s in specks]
    ).T
    x, y, size, q, angle, magnitude, colour = columns
    angle = np.radians(angle)
    shapes = np.column_stack([x, y, size, q, np.cos(angle), np.sin(angle)])
    return shapes, np.column_stack(galaxy_fluxes(magnitude, colour))


def _stars(stars: tuple[Star, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shapes and griz fluxes for `paint_points`."""
    x, y, magnitude, colour = np.array([(s.x, s.y, s.magnitude, s.colour) for s in stars]).T
    round_ = np.zeros_like(x), np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    return np.column_stack([x, y, *round_]), np.column_stack(star_fluxes(magnitude, colour))
