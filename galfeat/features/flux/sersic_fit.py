"""Fit the two-dimensional Sérsic model, convolved with the PSF, by Levenberg-Marquardt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import gamma, gammaincinv

from galfeat.features.flux.sersic_kernels import (
    SIZE,
    plain_equations,
    sersic_stack,
    stacked_equations,
)

#: Bounds of the Sérsic index and of the ellipticity.
INDEX_BOUNDS = (0.05, 12.0)
_MAX_ELLIPTICITY = 0.98
#: Minimum half-light radius in pixels; the maximum is this many diagonals of the cut-out.
_MIN_RADIUS, _MAX_DIAGONALS = 0.05, 10.0
_ROUNDS = 80
#: Relative gain in chi squared and step of the parameters that end the fit.
_TOLERANCE, _STEP = 1e-6, 3e-3


@dataclass(frozen=True)
class SersicFit:
    """A fitted Sérsic model.

    Attributes
    ----------
    amplitude, radius, index, x, y, ellipticity, angle : float
        Brightness at the half-light ellipse and its semi-major axis (px), Sérsic index, column
        and row of the centre, 1 - q, and the position angle from x to y (0 to pi).
    chi2 : float
        Chi squared.
    number : int
        Number of pixels.
    errors : ndarray of float64, shape (7,)
        Standard deviations of the parameters from the curvature of chi squared; NaN where
        that is singular.
    converged, at_bound : bool
    model : ndarray of float32, shape (H, W)
        The convolved model.
    """

    amplitude: float
    radius: float
    index: float
    x: float
    y: float
    ellipticity: float
    angle: float
    chi2: float
    number: int
    errors: NDArray[np.float64]
    converged: bool
    at_bound: bool
    model: NDArray[np.float32]

    @property
    def flux(self) -> float:
        """The light of the model out to infinity."""
        n, b = self.index, sersic_b(self.index)
        area = 2.0 * np.pi * (1.0 - self.ellipticity) * self.radius**2
        return float(self.amplitude * area * n * np.exp(b) * b ** (-2.0 * n) * gamma(2.0 * n))


def sersic_b(index: float) -> float:
    """Return the constant that makes the effective radius contain half of the light.

    Examples
    --------
    >>> from galfeat.features.flux.sersic_fit import sersic_b
    >>> round(sersic_b(4.0), 4)
    7.6692
    """
    return float(gammaincinv(2.0 * index, 0.5))


class _Problem:
    """The normal equations of the fit of an image with a PSF or without."""

    def __init__(
        self,
        light: NDArray[np.float32],
        weight: NDArray[np.float32],
        psf: NDArray[np.float64] | None,
        oversample: bool,
    ) -> None:
        self.light, self.weight, self.oversample = light, weight, oversample
        self.transfer: NDArray[np.complex64] | None = None
        self.margin = self.origin = (0, 0)
        if psf is not None:
            height, width = light.shape
            self.margin = psf.shape[0] // 2, psf.shape[1] // 2
            # The middle of the PSF as for scipy.signal.fftconvolve.
            self.origin = (
                self.margin[0] + (psf.shape[0] - 1) // 2,
                self.margin[1] + (psf.shape[1] - 1) // 2,
            )
            full = tuple(
                fft.next_fast_len(size + 2 * edge + kernel, real=True)
                for size, edge, kernel in zip((height, width), self.margin, psf.shape, strict=True)
            )
            self.full = full
            padded = np.zeros(full, np.float32)
            padded[: psf.shape[0], : psf.shape[1]] = psf / psf.sum()
            self.transfer = fft.rfft2(padded)

    def stack(self, parameters: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the convolved model and its derivatives."""
        b, db = _constants(parameters[2])
        height, width = self.light.shape
        if self.transfer is None:
            return sersic_stack(height, width, parameters, b, db, self.oversample)
        down, right = self.margin
        moved = parameters.copy()
        moved[3] += right
        moved[4] += down
        plain = sersic_stack(height + 2 * down, width + 2 * right, moved, b, db, self.oversample)
        # The model is the amplitude times the derivative to it.
        spectra = fft.rfft2(plain[1:], self.full)
        spectra *= self.transfer
        blurred = fft.irfft2(spectra, self.full)
        top, left = self.origin
        cropped = blurred[:, top : top + height, left : left + width]
        result = np.empty((SIZE + 1, height, width), np.float32)
        result[1:] = cropped
        result[0] = parameters[0] * cropped[0]
        return result

    def equations(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the normal equations; see `plain_equations`."""
        if self.transfer is None:
            b, db = _constants(parameters[2])
            upper = plain_equations(self.light, self.weight, parameters, b, db, self.oversample)
        else:
            upper = stacked_equations(self.light, self.weight, self.stack(parameters))
        return upper + np.triu(upper, 1).T


def _constants(log_index: float) -> tuple[float, float]:
    """Return b and its derivative to the Sérsic index."""
    n = float(np.exp(log_index))
    step = 1e-4 * n
    low, b, high = gammaincinv(2.0 * np.array([n - step, n, n + step]), 0.5)
    return float(b), float((high - low) / (2.0 * step))


def _bounded(parameters: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the parameters moved to their bounds."""
    result = parameters.copy()
    widest = _MAX_DIAGONALS * np.hypot(shape[0], shape[1])
    result[1] = np.clip(result[1], np.log(_MIN_RADIUS), np.log(widest))
    result[2] = np.clip(result[2], *np.log(INDEX_BOUNDS))
    result[3] = np.clip(result[3], -1.0, shape[1])
    result[4] = np.clip(result[4], -1.0, shape[0])
    ellipticity = np.hypot(result[5], result[6])
    if ellipticity > _MAX_ELLIPTICITY:
        result[5:] *= _MAX_ELLIPTICITY / ellipticity
    return result


def fit_sersic(
    light: NDArray[np.float32],
    weight: NDArray[np.float32],
    start: tuple[float, float, float, float, float, float, float],
    *,
    psf: NDArray[np.float64] | None = None,
    oversample: bool = True,
) -> SersicFit | None:
    """Fit the model to an image.

    Parameters
    ----------
    light, weight : ndarray of float32, shape (H, W)
        The sky-subtracted image and the inverse standard deviation of each pixel, zero to
        ignore it.
    start : tuple of float
        Amplitude, radius (px), index, x, y, ellipticity and position angle to start from.
    psf : ndarray, shape (h, w), optional
        Its centre is pixel ``((h - 1) // 2, (w - 1) // 2)``, as for `scipy.signal.fftconvolve`.
        It is normalised here.
    oversample : bool, default True
        Whether to integrate the pixels within 6 px of the centre (15×15 subpixels within 1.5 px,
        3×3 beyond). If False the model is sampled in the middle of each pixel.

    Returns
    -------
    SersicFit or None
        None with fewer than eight pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.features.flux.sersic_fit import fit_sersic
    >>> y, x = np.mgrid[:61, :61] - 30.0
    >>> image = np.exp(-1.678 * (np.hypot(x, y / 0.5) / 8 - 1)).astype(np.float32)
    >>> start = (1.0, 5.0, 2.0, 29.0, 30.0, 0.2, 0.3)
    >>> fit = fit_sersic(image, np.ones_like(image), start, oversample=False)
    >>> print(f"{fit.index:.2f} {fit.radius:.2f} {fit.ellipticity:.2f}")
    1.00 8.00 0.50
    """
    number = int(np.count_nonzero(weight))
    if number <= SIZE:
        return None
    amplitude, radius, index, x, y, ellipticity, angle = start
    problem = _Problem(light, weight, psf, oversample)
    first = np.array(
        [
            amplitude, np.log(max(radius, 0.3)), np.log(max(index, 0.1)), x, y,
            ellipticity * np.cos(2.0 * angle), ellipticity * np.sin(2.0 * angle),
        ]
    )  # fmt: skip
    parameters, equations, converged = _minimise(problem, _bounded(first, light.shape))
    return _result(problem, parameters, equations, converged, number)


def _minimise(
    problem: _Problem, parameters: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return the parameters of least chi squared, their normal equations and convergence."""
    equations = problem.equations(parameters)
    damping, converged = 1e-3, False
    for _ in range(_ROUNDS):
        curvature, gradient = equations[1:, 1:], equations[0, 1:]
        diagonal = np.maximum(np.diag(curvature), 1e-30)
        try:
            step = np.linalg.solve(curvature + np.diag(damping * diagonal), gradient)
        except np.linalg.LinAlgError:
            damping *= 10.0
            continue
        # A step of the logarithms beyond a factor of e leaves the region of linearity.
        longest = max(np.abs(step[1:3]).max(), np.abs(step[5:]).max() / 0.5, 1e-12)
        trial = _bounded(parameters + step * min(1.0, 1.0 / longest), problem.light.shape)
        after = problem.equations(trial)
        gain = equations[0, 0] - after[0, 0]
        moved = np.abs(trial - parameters)[1:].max()
        if np.isfinite(after[0, 0]) and gain >= 0.0:
            done = gain <= _TOLERANCE * equations[0, 0] and moved < _STEP
            parameters, equations = trial, after
            damping = max(0.1 * damping, 1e-9)
            if done:
                converged = True
                break
        else:
            if moved < 1e-7 or damping > 1e10:
                converged = True
                break
            damping *= 8.0
    return parameters, equations, converged and bool(np.all(np.isfinite(parameters)))


def _result(
    problem: _Problem,
    parameters: NDArray[np.float64],
    equations: NDArray[np.float64],
    converged: bool,
    number: int,
) -> SersicFit:
    index, radius = float(np.exp(parameters[2])), float(np.exp(parameters[1]))
    ellipticity = float(np.hypot(parameters[5], parameters[6]))
    angle = float(0.5 * np.arctan2(parameters[6], parameters[5]) % np.pi)
    widest = _MAX_DIAGONALS * np.hypot(problem.light.shape[0], problem.light.shape[1])
    at_bound = (
        np.isclose(index, INDEX_BOUNDS).any()
        or np.isclose(radius, (_MIN_RADIUS, widest)).any()
        or ellipticity > 0.999 * _MAX_ELLIPTICITY
    )
    return SersicFit(
        amplitude=float(parameters[0]), radius=radius, index=index,
        x=float(parameters[3]), y=float(parameters[4]), ellipticity=ellipticity, angle=angle,
        chi2=float(equations[0, 0]), number=number,
        errors=_errors(equations, radius, index, ellipticity, angle),
        converged=converged, at_bound=bool(at_bound), model=problem.stack(parameters)[0],
    )  # fmt: skip


def _errors(
    equations: NDArray[np.float64], radius: float, index: float, ellipticity: float, angle: float
) -> NDArray[np.float64]:
    """Return the standard deviations of the parameters from the curvature of chi squared."""
    try:
        covariance = np.linalg.inv(equations[1:, 1:])
    except np.linalg.LinAlgError:
        return np.full(SIZE, np.nan)
    c, s = np.cos(2.0 * angle), np.sin(2.0 * angle)
    turn = np.eye(SIZE)
    turn[1, 1], turn[2, 2] = radius, index
    turn[5:, 5:] = [[c, s], [-0.5 * s / max(ellipticity, 1e-6), 0.5 * c / max(ellipticity, 1e-6)]]
    variance = np.diag(turn @ covariance @ turn.T)
    return np.sqrt(np.where(variance >= 0.0, variance, np.nan))
