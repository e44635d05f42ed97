"""Convert light to a display image: noise and the colour stretch of Lupton et al. (2004)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.kernels import kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Properties of a survey's images. Triples are for red, green and blue.

    Fluxes are in nanomaggies per pixel of the survey.
    """

    name: str
    bands: str
    pixel_scale: float  # arcseconds
    seeing: tuple[float, float, float]  # FWHM, arcseconds
    noise: tuple[float, float, float]  # of the sky, standard deviation
    gain: float  # photons per nanomaggy, for shot noise
    smoothing: float  # correlation of neighbouring pixels from resampling, as a 3-tap weight
    scales: tuple[float, float, float]  # weights of the bands
    pedestal: float  # added to all channels, so that the sky's noise is not clipped
    softening: float  # Q of the stretch asinh(Q I) / sqrt(Q)
    keep_hue: bool  # saturation: scale all channels alike (SDSS), or clip each (Legacy)


RENDERINGS = {
    "legacy": Rendering(
        name="legacy",
        bands="zrg",
        pixel_scale=0.262,
        seeing=(1.17, 1.22, 1.31),
        noise=(0.0145, 0.0058, 0.0038),
        gain=3600.0,
        smoothing=0.12,
        scales=(2.2, 3.4, 6.0),
        pedestal=0.03,
        softening=20.0,
        keep_hue=False,
    ),
    "sdss": Rendering(
        name="sdss",
        bands="irg",
        pixel_scale=0.396,
        seeing=(1.30, 1.32, 1.36),
        noise=(0.034, 0.021, 0.014),
        gain=1000.0,
        smoothing=0.10,
        scales=(0.230, 0.280, 0.430),
        pedestal=0.0010,
        softening=25.0,
        keep_hue=True,
    ),
}


def add_noise(
    planes: NDArray[np.float32],
    rendering: Rendering,
    *,
    sky: float,
    dimming: float,
    seed: np.random.SeedSequence,
) -> None:
    """Add sky and shot noise in place to planes in nanomaggies per survey pixel.

    `sky` scales the sky's noise, as better or worse nights do; `dimming` scales all noise, as
    averaging over larger pixels does.
    """
    weight = rendering.smoothing
    # Smoothing by (w, 1 - 2w, w) along both axes reduces the scatter of white noise to this.
    kept = 1 - 4 * weight + 6 * weight**2
    white = np.empty(planes.shape[1:], dtype=np.float32)
    for plane, sigma, start in zip(
        planes, rendering.noise, seed.generate_state(3, np.uint64), strict=True
    ):
        _white_noise(white, start)
        _add_noise(plane, white, (sigma * sky) ** 2, 1 / rendering.gain, weight, dimming / kept)


@kernel
def _white_noise(out: NDArray[np.float32], state: np.uint64) -> None:
    """Fill an image with approximately Gaussian noise of mean 0 and variance 1.

    Each value is the sum of the eight bytes of a SplitMix64 number (Steele et al. 2014), ten
    times as fast as true Gaussian noise; smoothing makes it even more Gaussian.
    """
    bytes_ = np.uint64(0x00FF00FF00FF00FF)
    pair = np.uint64(0xFFFF)
    scale = np.float32(1 / np.sqrt(8 * (256**2 - 1) / 12))
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            state += np.uint64(0x9E3779B97F4A7C15)
            bits = state
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            bits = bits ^ (bits >> np.uint64(31))
            bits = (bits & bytes_) + ((bits >> np.uint64(8)) & bytes_)
            total = (
                (bits & pair)
                + ((bits >> np.uint64(16)) & pair)
                + ((bits >> np.uint64(32)) & pair)
                + (bits >> np.uint64(48))
            )
            out[row, column] = np.float32(np.int64(total) - 1020) * scale


@kernel
def _add_noise(
    plane: NDArray[np.float32],
    white: NDArray[np.float32],
    sky: float,
    photon: float,
    weight: float,
    factor: float,
) -> None:
    """Add noise with correlated neighbouring pixels, as in a resampled coadd."""
    rows, columns = plane.shape
    middle = np.float32(1 - 2 * weight)
    side = np.float32(weight)
    smooth = np.empty(columns + 2, dtype=np.float32)
    for row in range(rows):
        own = white[row]
        upper = white[max(row - 1, 0)]
        lower = white[min(row + 1, rows - 1)]
        for column in range(columns):
            smooth[column + 1] = middle * own[column] + side * (upper[column] + lower[column])
        smooth[0] = smooth[2]
        smooth[columns + 1] = smooth[columns - 1]
        target = plane[row]
        for column in range(columns):
            grain = middle * smooth[column + 1] + side * (smooth[column] + smooth[column + 2])
            light = max(target[column], np.float32(0))
            scatter = np.sqrt(np.float32(sky) + light * np.float32(photon))
            target[column] += np.float32(factor) * grain * scatter


@kernel
def stretch(
    planes: NDArray[np.float32],
    scales: NDArray[np.float32],
    pedestal: float,
    softening: float,
    keep_hue: bool,
    out: NDArray[np.float32],
) -> None:
    """Stretch planes (3, H, W) of flux to an image (H, W, 3) between 0 and 255."""
    root = np.sqrt(np.float32(softening))
    for row in range(planes.shape[1]):
        for column in range(planes.shape[2]):
            red = max(planes[0, row, column] * scales[0] + np.float32(pedestal), np.float32(0))
            green = max(planes[1, row, column] * scales[1] + np.float32(pedestal), np.float32(0))
            blue = max(planes[2, row, column] * scales[2] + np.float32(pedestal), np.float32(0))
            mean = (red + green + blue) / np.float32(3) + np.float32(1e-8)
            bent = np.float32(softening) * mean
            factor = np.log(bent + np.sqrt(bent * bent + np.float32(1))) / (root * mean)
            if keep_hue:
                brightest = max(red, green, blue) * factor
                if brightest > 1:
                    factor /= brightest
            factor *= np.float32(255)
            out[row, column, 0] = min(red * factor, np.float32(255))
            out[row, column, 1] = min(green * factor, np.float32(255))
            out[row, column, 2] = min(blue * factor, np.float32(255))


@kernel
def resample(image: NDArray[np.float32], scale: float, out: NDArray[np.uint8]) -> None:
    """Enlarge an image (H, W, 3) about its centre by Keys's (1981) cubic interpolation.

    `scale` is the size of a pixel of `out` in pixels of `image`, at most 1.
    """
    rows, columns = out.shape[:2]
    middle_row = (image.shape[0] - 1) / 2
    middle_column = (image.shape[1] - 1) / 2
    strip = np.empty((4, image.shape[1], 3), dtype=np.float32)
    weights = np.empty(4, dtype=np.float32)
    line = np.empty((image.shape[1], 3), dtype=np.float32)
    for row in range(rows):
        place = middle_row + (row - (rows - 1) / 2) * scale
        first = int(np.floor(place))
        _cubic(place - first, weights)
        for k in range(4):
            strip[k] = image[min(max(first - 1 + k, 0), image.shape[0] - 1)]
        for column in range(image.shape[1]):
            for channel in range(3):
                total = np.float32(0)
                for k in range(4):
                    total += weights[k] * strip[k, column, channel]
                line[column, channel] = total
        for column in range(columns):
            place = middle_column + (column - (columns - 1) / 2) * scale
            first = int(np.floor(place))
            _cubic(place - first, weights)
            for channel in range(3):
                total = np.float32(0)
                for k in range(4):
                    at = min(max(first - 1 + k, 0), image.shape[1] - 1)
                    total += weights[k] * line[at, channel]
                out[row, column, channel] = np.uint8(
                    min(max(total + np.float32(0.5), np.float32(0)), np.float32(255))
                )


@kernel
def _cubic(t: float, weights: NDArray[np.float32]) -> None:
    """Write the weights of the four neighbours of a position `t` beyond the second."""
    weights[0] = ((2 - t) * t - 1) * t / 2
    weights[1] = ((3 * t - 5) * t * t + 2) / 2
    weights[2] = ((4 - 3 * t) * t + 1) * t / 2
    weights[3] = (t - 1) * t * t / 2


@kernel
def share_colour(image: NDArray[np.float32]) -> None:
    """Average the colour of 2 x 2 pixels of an image (H, W, 3), keeping their luminance.

    The surveys publish JPEG images, which store colour at half the resolution; their noise
    is therefore greyer than that of three independent bands.
    """
    red, green, blue = np.float32(0.299), np.float32(0.587), np.float32(0.114)
    for row in range(0, image.shape[0] - 1, 2):
        for column in range(0, image.shape[1] - 1, 2):
            u = np.float32(0)
            v = np.float32(0)
            for part in range(4):
                pixel = image[row + part // 2, column + part % 2]
                grey = red * pixel[0] + green * pixel[1] + blue * pixel[2]
                u += pixel[0] - grey
                v += pixel[2] - grey
            u *= np.float32(0.25)
            v *= np.float32(0.25)
            w = -(red * u + blue * v) / green
            for part in range(4):
                pixel = image[row + part // 2, column + part % 2]
                grey = red * pixel[0] + green * pixel[1] + blue * pixel[2]
                pixel[0] = min(max(grey + u, np.float32(0)), np.float32(255))
                pixel[1] = min(max(grey + w, np.float32(0)), np.float32(255))
                pixel[2] = min(max(grey + v, np.float32(0)), np.float32(255))


def to_bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round an image of values from 0 to 255 to uint8."""
    return (image + np.float32(0.5)).astype(np.uint8)
