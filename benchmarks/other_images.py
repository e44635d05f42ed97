"""Images without a galaxy: stars, noise, shapes, photographs and artefacts of the camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Image = NDArray[np.uint8]
SIDE, NUMBER = 256, 80
#: Sky levels in images of different surveys.
_SKIES = (3.0, 17.0, 33.0)


def _as_image(values: NDArray[np.float64]) -> Image:
    grey = values if values.ndim == 3 else values[..., None].repeat(3, axis=2)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator) -> Iterator[Image]:
    """Yield white noise of different strengths, in colour or grey."""
    for number in range(NUMBER):
        level, strength = rng.choice([*_SKIES, 120.0]), 2.0 ** rng.uniform(0, 6)
        channels = 1 if number % 2 else 3
        yield _as_image(rng.normal(level, strength, (SIDE, SIDE, channels)).repeat(4 - channels, 2))


def stars(rng: np.random.Generator) -> Iterator[Image]:
    """Yield single stars: Moffat profiles, the bright ones saturated and with spikes."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for number in range(NUMBER):
        x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 1.5, 2)
        width, beta, peak = rng.uniform(3, 9), rng.uniform(2.5, 4.5), 10 ** rng.uniform(1.5, 4.5)
        light = peak * moffat(np.hypot(x - x0, y - y0), width, beta)
        if peak > 1000:
            angle, length = rng.uniform(0, np.pi), np.sqrt(peak)
            along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
            across = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
            for u, v in ((along, across), (across, along)):
                light += 0.02 * peak * np.exp(-np.abs(u) / length - v**2 / 4)
        coloured = light[..., None] * rng.uniform(0.6, 1.4, 3)
        if number % 2:
            coloured = 60 * np.arcsinh(coloured / 30)
        yield _as_image(
            coloured + rng.normal(rng.choice(_SKIES), rng.uniform(1, 5), (SIDE, SIDE, 3))
        )


def bleeding_stars(rng: np.random.Generator) -> Iterator[Image]:
    """Yield saturated stars with a halo, spikes, and charge that bled along the columns."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for number in range(NUMBER):
        x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 2.0, 2)
        peak, radius = 10 ** rng.uniform(3.5, 5.5), np.hypot(x - x0, y - y0)
        light = peak * moffat(radius, rng.uniform(3, 7), rng.uniform(2.5, 4.0))
        light += 0.02 * peak / (1 + (radius / rng.uniform(10, 30)) ** 2)
        light += _spikes(x - x0, y - y0, peak, rng)
        width, length = rng.uniform(1, 6), rng.uniform(20, 200)
        bled = (np.abs(x - x0) < width) & (np.abs(y - y0) < length * rng.uniform(0.5, 1, SIDE))
        coloured = np.where(bled, 10 * peak, light)[..., None] * rng.uniform(0.6, 1.4, 3)
        if number % 2:
            coloured = coloured.transpose(1, 0, 2)
        yield _as_image(_sky(rng) + 25 * np.arcsinh(coloured / 25))


def diffraction_spikes(rng: np.random.Generator) -> Iterator[Image]:
    """Yield the spikes of a bright star that is in the middle, or outside the image."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for number in range(NUMBER):
        x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 2.0, 2)
        if number % 2:
            x0 += rng.choice([-1, 1]) * rng.uniform(0.55, 0.8) * SIDE
        peak = 10 ** rng.uniform(3.5, 5.0)
        light = _spikes(x - x0, y - y0, peak, rng, number=int(rng.choice([2, 3])))
        light += peak * moffat(np.hypot(x - x0, y - y0), rng.uniform(3, 7), 3.0)
        yield _as_image(
            _sky(rng) + 25 * np.arcsinh(light[..., None] * rng.uniform(0.6, 1.4, 3) / 25)
        )


def cosmic_rays(rng: np.random.Generator) -> Iterator[Image]:
    """Yield tracks of cosmic rays: sharp, short, in one band or in all."""
    for number in range(NUMBER):
        image = _sky(rng)
        for track in range(int(rng.integers(1, 20))):
            spread = 3.0 if track == 0 else 0.25 * SIDE
            x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, spread, 2)
            length, angle = 10 ** rng.uniform(0, 1.7), rng.uniform(0, np.pi)
            light = 10 ** rng.uniform(1.7, 2.5) * _line(x0, y0, angle, 0.6, length)
            bands = [int(rng.integers(3))] if number % 2 else [0, 1, 2]
            image[..., bands] += light[..., None]
        yield _as_image(image)


def bad_columns(rng: np.random.Generator) -> Iterator[Image]:
    """Yield columns and rows that are bright or dark, one of them in the middle."""
    for number in range(NUMBER):
        image = _sky(rng)
        for line in range(int(rng.integers(1, 6))):
            middle = 0.5 * SIDE + rng.normal(0, 2.0 if line == 0 else 0.25 * SIDE)
            first = int(np.clip(middle, 0, SIDE - 3))
            stop = first + int(rng.integers(1, 4))
            top = int(rng.integers(0, SIDE // 2)) if rng.random() < 0.4 else 0
            image[top:, first:stop] += rng.choice([-60.0, 40.0, 120.0, 250.0])
        yield _as_image(image.transpose(1, 0, 2) if number % 3 == 0 else image)


def ghosts(rng: np.random.Generator) -> Iterator[Image]:
    """Yield reflections of a bright star: faint discs out of focus, with the pupil's hole."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    for _ in range(NUMBER):
        image = _sky(rng)
        for reflection in range(int(rng.integers(1, 3))):
            x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 4.0 if reflection == 0 else 40.0, 2)
            outer, shift = rng.uniform(15, 90), rng.normal(0, 4, 2)
            hole = rng.uniform(0.25, 0.5) * outer
            light = _disc(np.hypot(x - x0, y - y0), outer)
            light *= 1 - _disc(np.hypot(x - x0 - shift[0], y - y0 - shift[1]), hole)
            image += rng.uniform(10, 80) * light[..., None] * rng.uniform(0.5, 1.5, 3)
        yield _as_image(image)


def satellite_trails(rng: np.random.Generator) -> Iterator[Image]:
    """Yield trails across the image near its middle, steady or flashing, in one band or in all."""
    for number in range(NUMBER):
        image = _sky(rng)
        x0, y0 = 0.5 * (SIDE - 1) + rng.normal(0, 8.0, 2)
        angle, width = rng.uniform(0, np.pi), rng.uniform(1.0, 4.0)
        light = 10 ** rng.uniform(1.3, 2.5) * _line(x0, y0, angle, width, 4.0 * SIDE)
        if number % 4 == 0:
            y, x = np.mgrid[:SIDE, :SIDE].astype(float)
            along = x * np.cos(angle) + y * np.sin(angle)
            light *= 0.5 + 0.5 * np.sin(along / rng.uniform(3, 20))
        bands = [int(rng.integers(3))] if number % 2 else [0, 1, 2]
        image[..., bands] += light[..., None]
        yield _as_image(image)


def shapes(rng: np.random.Generator) -> Iterator[Image]:
    """Yield discs, boxes, ramps, waves and chequerboards."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    half = SIDE / 2
    for number in range(NUMBER):
        size, shade = rng.uniform(20, 100), rng.uniform(60, 255)
        drawn = (
            np.where(np.hypot(x - half, y - half) < size, shade, 0.0),
            np.where((np.abs(x - half) < size) & (np.abs(y - half) < size / 2), shade, 0.0),
            x * shade / SIDE,
            127 + 120 * np.sin(x / (size / 6)),
            ((x // (size / 3) + y // (size / 3)) % 2) * shade,
        )[number % 5]
        yield _as_image(drawn + rng.normal(0, 2, drawn.shape))


def photographs(rng: np.random.Generator) -> Iterator[Image]:
    """Yield parts of the photographs and drawings in scikit-image, except those of the sky."""
    import skimage.data

    folder = Path(str(skimage.data.__file__)).parent
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.jpg")]):
        whole = Pillow.open(path, formats=("PNG", "JPEG")).convert("RGB")
        if "hubble" in path.name or min(whole.size) < 150:
            continue
        for _ in range(4):
            side = int(rng.integers(120, min(whole.size) + 1))
            left, top = (int(rng.integers(0, length - side + 1)) for length in whole.size)
            part = whole.crop((left, top, left + side, top + side))
            yield np.asarray(part.resize((SIDE, SIDE)))


#: All kinds of images, in the order of the table.
KINDS = (
    stars,
    bleeding_stars,
    diffraction_spikes,
    cosmic_rays,
    bad_columns,
    ghosts,
    satellite_trails,
    noise,
    shapes,
    photographs,
)


def _sky(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(rng.choice(_SKIES), rng.uniform(1, 5), (SIDE, SIDE, 3))


def moffat(radius: NDArray[np.float64], width: float, beta: float) -> NDArray[np.float64]:
    """Return a Moffat profile of full width at half maximum `width` and peak 1."""
    scale = 0.5 * width / np.sqrt(2 ** (1 / beta) - 1)
    profile: NDArray[np.float64] = (1 + radius**2 / scale**2) ** -beta
    return profile


def _disc(radius: NDArray[np.float64], outer: float) -> NDArray[np.float64]:
    """Return a disc of height 1 with an edge about 3 px wide."""
    edge: NDArray[np.float64] = 1 / (1 + np.exp(np.clip(radius - outer, -50, 50)))
    return edge


def _line(x0: float, y0: float, angle: float, width: float, length: float) -> NDArray[np.float64]:
    """Return a line of Gaussian cross-section with standard deviation `width` and peak 1."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    across = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
    beyond = np.maximum(np.abs(along) - 0.5 * length, 0.0)
    light: NDArray[np.float64] = np.exp(-0.5 * (across**2 + beyond**2) / width**2)
    return light


def _spikes(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    peak: float,
    rng: np.random.Generator,
    number: int = 2,
) -> NDArray[np.float64]:
    """Return lines through a star: two for a vane of four arms, three for hexagonal mirrors."""
    start, length = rng.uniform(0, np.pi), 0.3 * np.sqrt(peak) * rng.uniform(0.5, 1.5)
    light = np.zeros(x.shape)
    for spike in range(number):
        angle = start + np.pi * spike / number
        along = x * np.cos(angle) + y * np.sin(angle)
        across = y * np.cos(angle) - x * np.sin(angle)
        light += 0.02 * peak * np.exp(-np.abs(along) / length - across**2 / 4)
    return light
