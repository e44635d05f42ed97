"""Texture: patterns of neighbouring pixels, wavelets, gradients, entropy and Zernike moments.

To be robust against display stretch and survey noise, texture is measured on equalised views (see
`galfeat.frame.View`) and on their *residual* after subtraction of a galaxy with elliptical
isophotes, smoothed where single pixels are compared. The quantities are published; these choices
are galfeat's.

The aligned views of a round galaxy are rotated by 0, 45, 90 and 135 degrees. Only the difference
between waves along and across changes under rotation by 90 degrees, so the mean over the first
two views equals that over all four, and the mean of that difference is 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from galfeat.features.registry import Column
from galfeat.features.texture.disc import chord
from galfeat.features.texture.entropy import level_entropy, light_entropy
from galfeat.features.texture.gabor import WAVELENGTH, gabor_energies
from galfeat.features.texture.glcm import PROPERTIES, cooccurrence, haralick
from galfeat.features.texture.gradient_pattern import gradient_pattern_asymmetry
from galfeat.features.texture.lbp import PATTERNS, binary_patterns, pattern_shares
from galfeat.features.texture.starlet import starlet
from galfeat.features.texture.zernike import MOMENTS, zernike_moments
from galfeat.features.vector import append
from galfeat.frame import Frame
from galfeat.frame.canonical import MAX_STRETCH, TURNS
from galfeat.frame.equalise import elliptical_model
from galfeat.frame.views import VIEW_SIZE, halve
from galfeat.kernels import kernel, variable

_HALF = 0.5 * VIEW_SIZE
#: Radius of the disc for patterns, wavelets and gradients, in pixels of a view.
_DISC = 0.75 * _HALF
#: Radius of the disc for pairs of levels and Gabor energies.
_WIDE_DISC = 0.85 * _HALF
#: Radius of each circle of neighbours, number of smoothings before it, and tolerance in
#: brightness of a bright neighbour: the noise of a smooth galaxy.
_CIRCLES = ((1, 1, 0.2), (3, 2, 0.3))
#: Number and width of the levels of the residual, and distances of the pairs, in pixels.
_LEVELS, _LEVEL_WIDTH, _DISTANCES = 16, 0.5, (1, 3, 6)
#: Number of scales of the wavelet transform.
_SCALES = 5
#: Halvings of the view before each pass of the Gabor filters; the finest scale is noise.
_HALVINGS = (1, 2, 3)
#: Energy added in each direction, so that faint patterns have no preferred direction.
_FAINTEST_ENERGY = 0.01
#: Tolerances of symmetric gradients: fraction of the largest modulus, and radians.
_SAME_MODULUS, _SAME_PHASE = 0.1, 0.2
#: Ranges and number of bins of the histograms of the equalised view and of the residual; the
#: number is odd, so that a residual of zero is at the centre of a bin.
_BRIGHTEST, _LARGEST_RESIDUAL, _BINS = 30.0, 4.0, 33

_LBP = "Ojala et al. 2002"
_HARALICK = "Haralick et al. 1973"
_GABOR = "Daugman 1985"
_STARLET = "Starck et al. 2007"
_FERRARI = "Ferrari et al. 2015"
_ROSA = "Rosa et al. 2018"
_TEAGUE = "Teague 1980"

_PAIRS = {
    "contrast": ("mean squared difference of levels", "0"),
    "correlation": ("correlation of levels", "1"),
    "energy": ("square root of the sum of the squared frequencies of pairs of levels", "1"),
    "homogeneity": ("mean of 1 / (1 + squared difference) of levels", "1"),
    "entropy": ("entropy, in nats, of pairs of levels", "0"),
}


def _starlet_columns(view: str, where: str) -> list[Column]:
    return [
        Column(
            f"texture.{view}.starlet.s{scale}", "1",
            f"mean modulus of the wavelet of scale {2**scale} px over the mean brightness, "
            f"{where}", _STARLET, degenerate="0 without light",
        )
        for scale in range(_SCALES)
    ]  # fmt: skip


def _columns() -> tuple[Column, ...]:
    residual = "residual of the aligned view"
    listed = []
    for radius, *_ in _CIRCLES:
        for pattern in range(PATTERNS):
            kind = (
                f"{pattern} of 8 neighbours {radius} px away as bright, in one arc"
                if pattern < PATTERNS - 1
                else f"bright neighbours {radius} px away in several arcs"
            )
            listed.append(
                Column(
                    f"texture.residual.lbp.r{radius}.p{pattern}", "1",
                    f"fraction of pixels with {kind}, {residual}", _LBP,
                    degenerate="flat: p8 is 1, the others 0",
                )
            )  # fmt: skip
    for distance in _DISTANCES:
        for name in PROPERTIES:
            meaning, flat = _PAIRS[name]
            listed.append(
                Column(
                    f"texture.residual.glcm.d{distance}.{name}", "1",
                    f"{meaning} of pixels {distance} px apart, {residual}", _HARALICK,
                    degenerate=f"{flat} where flat",
                )
            )  # fmt: skip
    listed += _starlet_columns("residual", residual)
    listed += [
        Column(
            "texture.residual.entropy", "1",
            f"entropy of levels in the Petrosian disc over its maximum, {residual}",
            _FERRARI, degenerate="0 where flat",
        ),
        *_starlet_columns("aligned", "aligned view"),
        Column(
            "texture.aligned.entropy", "1",
            "entropy of levels in the Petrosian disc over its maximum, aligned view",
            _FERRARI, degenerate="0 where flat",
        ),
        Column(
            "texture.aligned.light_entropy", "1",
            "entropy of the light of pixels in the Petrosian disc over its maximum, stretched "
            "image", _FERRARI, degenerate="0 without light",
        ),
    ]  # fmt: skip
    for n, m in MOMENTS[1:]:
        listed.append(
            Column(
                f"texture.aligned.zernike.n{n}m{m}", "1",
                f"magnitude of the Zernike moment of order {n} and repetition {m} on the "
                "Petrosian disc of the aligned view", _TEAGUE, degenerate="0 without light",
            )
        )  # fmt: skip
    round_too = ", and for round galaxies"
    for view in ("aligned", "deprojected"):
        listed.append(
            Column(
                f"texture.{view}.g2", "1",
                f"second gradient moment: asymmetric gradients and their cancellation, {view} view",
                _ROSA, degenerate="0 where flat",
            )
        )  # fmt: skip
        for name, meaning, flat in (
            ("energy", "log10 of the energy of all directions", "-1.4"),
            ("anisotropy", "anisotropy of the energy", "0"),
            ("along", "energy of waves along minus across the major axis, over all", "0"),
        ):
            for halvings in _HALVINGS:
                wave = int(WAVELENGTH) * 2**halvings
                listed.append(
                    Column(
                        f"texture.{view}.gabor.w{wave}.{name}", "1",
                        f"{meaning}, waves of {wave} px, {view} view", _GABOR,
                        degenerate=f"{flat} where flat" + round_too * (name == "along"),
                    )
                )  # fmt: skip
    return tuple(listed)


COLUMNS = _columns()
#: Number of columns measured on a deprojected view, the last ones.
_DEPROJECTED = 1 + 3 * len(_HALVINGS)
_NUMBER, _PASSES = len(COLUMNS), len(_HALVINGS)
_ALIGNED = _NUMBER - _DEPROJECTED
_ALONG = np.array([column.name.endswith(".along") for column in COLUMNS])
_NO_VIEW = np.empty((0, 0), np.float32)


def measure(frame: Frame) -> NDArray[np.float32]:
    """Return the values of `COLUMNS`; NaN for a missing deprojected view.

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.features.texture import COLUMNS, measure
    >>> from galfeat.frame import measure_frame
    >>> frame = measure_frame(simulate(1, seed=1).images[0])
    >>> measure(frame).shape == (len(COLUMNS),)
    True
    """
    petrosian = min(frame.radii[0] / frame.radius * _HALF, _HALF - 0.5)
    # The axis ratio of the equalisation.
    q = max(frame.q, 1.0 / MAX_STRETCH)
    view = frame.aligned[0]
    deprojected = _NO_VIEW if frame.deprojected is None else frame.deprojected.equalised
    values = _measure(view.equalised, view.light, q, TURNS[0], petrosian, deprojected)
    if len(frame.aligned) > 1:
        view = frame.aligned[1]
        turned = _measure(view.equalised, view.light, q, TURNS[1], petrosian, _NO_VIEW)
        values[:_ALIGNED] = 0.5 * (values[:_ALIGNED] + turned[:_ALIGNED])
        values[_ALONG] *= 0.0  # preserves NaN
    return values.astype(np.float32)


@kernel
def _measure(
    equalised: NDArray[np.float32],
    light: NDArray[np.float32],
    q: float,
    turn: float,
    petrosian: float,
    deprojected: NDArray[np.float32],
) -> NDArray[np.float32]:
    # In one function, because kernels are compiled again for each of their callers.
    values = np.full(_NUMBER, np.nan, np.float32)
    residual = equalised - elliptical_model(q, turn)
    wavelets = starlet(residual, variable(_SCALES))
    once = residual - wavelets[0]
    twice = once - wavelets[1]
    place = variable(0)
    for radius, times, tolerance in _CIRCLES:
        codes = binary_patterns(once if times == 1 else twice, radius, tolerance)
        place = append(values, place, pattern_shares(codes, _DISC))
    levels = quantised(once, _LEVELS, _LEVEL_WIDTH, _WIDE_DISC)
    for distance in _DISTANCES:
        place = append(values, place, haralick(cooccurrence(levels, _LEVELS, distance)))
    place = append(values, place, disc_norms(wavelets, equalised, _DISC))
    values[place] = level_entropy(once, petrosian, -_LARGEST_RESIDUAL, _LARGEST_RESIDUAL, _BINS)
    place += 1

    wavelets = starlet(equalised, variable(_SCALES))
    place = append(values, place, disc_norms(wavelets, equalised, _DISC))
    values[place] = level_entropy(equalised, petrosian, 0.0, _BRIGHTEST, _BINS)
    values[place + 1] = light_entropy(light[0] + light[1] + light[2], petrosian)
    place += 2
    moments = zernike_moments(equalised, petrosian, _HALF - 0.5, _HALF - 0.5)
    place = append(values, place, moments[1:])

    view, smoothed = equalised, equalised - wavelets[0] - wavelets[1]
    while place < _NUMBER:
        values[place] = gradient_pattern_asymmetry(smoothed, _DISC, _SAME_MODULUS, _SAME_PHASE)
        image, reach = view, _WIDE_DISC
        for row in range(place + 1, place + 1 + _PASSES):
            side = image.shape[0]
            # `halve` expects channels.
            image = halve(image.reshape(side, side, 1)).reshape(side // 2, side // 2)
            reach *= 0.5
            energies = gabor_energies(image, reach) + _FAINTEST_ENERGY
            total = energies.sum()
            along, aslant = energies[0] - energies[2], energies[1] - energies[3]
            values[row] = np.log10(total)
            values[row + _PASSES] = np.sqrt(along * along + aslant * aslant) / total
            values[row + 2 * _PASSES] = along / total
        place += _DEPROJECTED
        if deprojected.size == 0:
            break
        view, smoothed = deprojected, starlet(deprojected, variable(2))[2]
    return values


@kernel
def quantised(
    image: NDArray[np.float32], number: int, width: float, radius: float
) -> NDArray[np.uint8]:
    """Return levels of equal width, with 0 at the centre of one; 255 outside a disc.

    Values beyond the range are clipped to the outermost levels.
    """
    height, wide = image.shape
    levels = np.full((height, wide), np.uint8(255))
    for y in range(height):
        first, end = chord(radius, y, height, wide)
        for x in range(first, end):
            level = int(np.floor(image[y, x] / width + 0.5)) + number // 2
            levels[y, x] = min(max(level, 0), number - 1)
    return levels


@kernel
def disc_norms(
    planes: NDArray[np.float32], image: NDArray[np.float32], radius: float
) -> NDArray[np.float64]:
    """Return the L1 norms of all planes but the last over that of an image, in a disc."""
    number, height, width = planes.shape
    norms = np.zeros(number - 1, np.float64)
    total = 0.0
    for y in range(height):
        first, end = chord(radius, y, height, width)
        for x in range(first, end):
            total += abs(image[y, x])
        for plane in range(number - 1):
            line = np.float32(0.0)
            for x in range(first, end):
                line += abs(planes[plane, y, x])
            norms[plane] += line
    return norms / max(total, 1e-6)
