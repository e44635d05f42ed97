"""Re-render galaxies as another survey: a proxy for images unlike the training set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter, zoom

from galfeat.data.dataset import DataSet, Image, row_numbers
from galfeat.errors import ImageError

#: Side of the new cut-out, in pixels, and its pixels per pixel of the old one.
SIDE, RESOLUTION = 256, 0.5
#: Range of the random scale factors of the galaxies' sizes.
SIZES = (0.6, 1.2)
#: Sigma of the PSF added after the reduction, in new pixels.
PSF = 0.7
#: Softening of the asinh stretch applied on top of the original one.
STRETCH = 6.0
#: Mixing matrix of the bands, and gains of the mixed bands.
BANDS = np.array([[0.85, 0.15, 0.0], [0.1, 0.8, 0.1], [0.0, 0.2, 0.75]], np.float32)
GAINS = np.array([0.95, 1.0, 1.1], np.float32)
#: New sky level and noise, in counts of 255.
SKY, NOISE = 33.0, 5.0


def rerender(rgb: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Re-render an image as a survey with coarser pixels, another stretch and a brighter sky.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    random : Generator
        Draws the galaxy's new size and the noise.

    Returns
    -------
    ndarray of uint8, shape (256, 256, 3)
    """
    edge = np.concatenate([rgb[:8].reshape(-1, 3), rgb[-8:].reshape(-1, 3)])
    light = (rgb - np.median(edge, axis=0)).astype(np.float32) / 255.0
    factor = RESOLUTION * random.uniform(*SIZES)
    sigma = 0.42 / factor  # against aliasing on the new pixels
    light = zoom(gaussian_filter(light, (sigma, sigma, 0)), (factor, factor, 1), order=1)
    light = gaussian_filter(light, (PSF, PSF, 0))
    intensity = np.clip(light.mean(axis=2, keepdims=True), 1e-4, None)
    light = light * (np.arcsinh(STRETCH * intensity) / np.arcsinh(STRETCH) / intensity)
    light = (light @ BANDS.T) * GAINS
    light = _cut_out(light)
    noise = gaussian_filter(random.normal(size=light.shape), (0.5, 0.5, 0))
    counts = 255.0 * light + SKY + noise * (NOISE / noise.std())
    result: NDArray[np.uint8] = np.clip(np.rint(counts), 0, 255).astype(np.uint8)
    return result


class RerenderedDataSet(DataSet):
    """A data set whose images are re-rendered when they are read.

    Parameters
    ----------
    original : DataSet
        n galaxies.
    seed : int
        Seed of sizes and noise. The image of a row depends only on its number and the seed.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.data import ArrayDataSet
    >>> from galfeat.data.simulation import RerenderedDataSet
    >>> original = ArrayDataSet(np.zeros((2, 64, 64, 3), np.uint8))
    >>> RerenderedDataSet(original, seed=0).read([1])[0].shape
    (256, 256, 3)
    """

    def __init__(self, original: DataSet, seed: int) -> None:
        super().__init__(original.catalogue)
        self._original = original
        self._seeds = np.random.SeedSequence(seed).spawn(len(original))

    def read(self, rows: ArrayLike, jobs: int = 1) -> list[Image | ImageError]:
        """Return re-rendered images; see `DataSet.read`."""
        numbers = row_numbers(rows, len(self))
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(self._rerender, numbers, self._original.read(numbers, jobs)))

    def _rerender(self, row: int, image: Image | ImageError) -> Image | ImageError:
        if isinstance(image, ImageError):
            return image
        return rerender(image, np.random.default_rng(self._seeds[row]))


def _cut_out(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Crop an image to the new size, or extend it by mirroring its borders."""
    pad = [(max(SIDE - n, 0) // 2, max(SIDE - n, 0) - max(SIDE - n, 0) // 2) for n in light.shape]
    light = np.pad(light, (pad[0], pad[1], (0, 0)), mode="symmetric")
    y, x = ((n - SIDE) // 2 for n in light.shape[:2])
    return light[y : y + SIDE, x : x + SIDE]
