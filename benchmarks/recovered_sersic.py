"""Accuracy of the flux family on drawn Sérsic galaxies with a PSF and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from galfeat.features.flux import measure
from galfeat.features.flux.sersic_fit import sersic_b

#: Side of the image, and subpixels of a pixel along a side.
_SIDE, _PARTS = 161, 5
#: Standard deviation of the PSF in pixels, electrons per unit, and standard deviation of the sky.
_PSF, _GAIN, _SKY = 1.5, 50.0, 1.0
HEAD = """
## Drawn galaxies

{number} Sérsic galaxies of each kind, drawn with {parts}×{parts} subpixels per pixel (more at the
centre), a Gaussian PSF of {fwhm:.1f} px (full width at half maximum) and noise of photons and sky,
with random radius (5 to 12 px), axis ratio (0.3 to 0.95), position angle and centre. Errors are
the bias (median of measured minus true; radii over true) and the scatter (half of the 16th to 84th
percentile).
S/N is that of all light. The circular r50 is not corrected for the PSF, so it is compared with that
of the drawn image without noise.

| index | S/N | index | radius, % | axis ratio | angle, ° | magnitude | r50, % | C |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def drawn(
    index: float, radius: float, q: float, angle: float, x: float, y: float, flux: float
) -> NDArray[np.float64]:
    """Return a Sérsic galaxy, integrated over pixels and convolved with the PSF."""
    b = sersic_b(index)

    def profile(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
        c, s = np.cos(angle), np.sin(angle)
        u = (columns - x) * c + (rows - y) * s
        v = (rows - y) * c - (columns - x) * s
        r = np.sqrt(u * u + (v / q) ** 2) / radius
        return np.asarray(np.exp(-b * (r ** (1.0 / index) - 1.0)))

    def sampled(first: tuple[int, int], side: int, parts: int) -> NDArray[np.float64]:
        offsets = (np.arange(side * parts) + 0.5) / parts - 0.5
        rows, columns = np.meshgrid(first[0] + offsets, first[1] + offsets, indexing="ij")
        fine = profile(rows, columns)
        return np.asarray(fine.reshape(side, parts, side, parts).mean(axis=(1, 3)))

    image = sampled((0, 0), _SIDE, _PARTS)
    row, column = round(y) - 3, round(x) - 3
    image[row : row + 7, column : column + 7] = sampled((row, column), 7, 61)
    convolved = fftconvolve(image, psf(), mode="same")
    return np.asarray(flux * convolved / _total(index, radius, q))


def _total(index: float, radius: float, q: float) -> float:
    """Return the light out to infinity of a model with unit brightness at its radius."""
    from scipy.special import gamma

    b = sersic_b(index)
    area = 2.0 * np.pi * q * radius**2 * index
    return float(area * np.exp(b) * b ** (-2.0 * index) * gamma(2 * index))


def psf() -> NDArray[np.float64]:
    """Return the Gaussian PSF."""
    offsets = np.arange(-9, 10)
    line = np.exp(-0.5 * (offsets / _PSF) ** 2)
    plane = np.outer(line, line)
    return np.asarray(plane / plane.sum())


def recovery_table(number: int) -> str:
    """Return the section on drawn galaxies."""
    lines = []
    for index in (0.5, 1.0, 2.5, 4.0):
        for flux in (3e3, 3e4):
            errors, noise = _errors(index, flux, number)
            cells = [f"{np.median(e):+.3f} ± {_half(e):.3f}" for e in errors.T]
            lines.append(f"| {index:g} | {noise:.0f} | " + " | ".join(cells) + " |")
    head = HEAD.format(number=number, parts=_PARTS, fwhm=2.3548 * _PSF)
    return head + "\n".join(lines) + "\n"


def _half(values: NDArray[np.float64]) -> float:
    low, high = np.percentile(values, [16, 84])
    return float(0.5 * (high - low))


def _errors(index: float, flux: float, number: int) -> tuple[NDArray[np.float64], float]:
    """Return the errors of each galaxy, and the median signal-to-noise ratio."""
    random = np.random.default_rng([int(10 * index), int(flux)])
    rows, ratios = [], []
    for _ in range(number):
        radius, q = random.uniform(5.0, 12.0), random.uniform(0.3, 0.95)
        angle = random.uniform(0.0, np.pi)
        x, y = _SIDE // 2 + random.uniform(-0.5, 0.5, 2)
        light = drawn(index, radius, q, angle, x, y, flux)
        variance = np.maximum(light, 0.0) / _GAIN + _SKY**2 / 100.0
        image = light + np.sqrt(variance) * random.standard_normal(light.shape)
        yy, xx = np.mgrid[:_SIDE, :_SIDE]
        distance = np.hypot(yy - y, xx - x)
        labels = (distance < 3.0 * radius).astype(np.int32)
        settings = {"segmentation": labels, "psf": psf(), "zero_point": 0.0, "resamples": 0}
        found = measure(image, variance=variance, **settings)
        clean = measure(light + 1e-9 * image, gain=1e12, sersic=False, **settings)
        turn = (found["sersic_angle"][0] - angle + np.pi / 2) % np.pi - np.pi / 2
        rows.append(
            (
                found["sersic_index"][0] - index,
                100.0 * (found["sersic_radius"][0] / radius - 1.0),
                (1.0 - found["sersic_ellipticity"][0]) - q,
                np.degrees(turn),
                found["sersic_magnitude"][0] + 2.5 * np.log10(flux),
                100.0 * (found["r50"][0] / clean["r50"][0] - 1.0),
                found["concentration"][0] - clean["concentration"][0],
            )
        )
        inside = labels > 0
        ratios.append(light[inside].sum() / np.sqrt(variance[inside].sum()))
    return np.array(rows), float(np.median(ratios))
