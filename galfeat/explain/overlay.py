"""Lines that show measurements on the image of a galaxy: ellipses, bar and spiral arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from galfeat.features.fourier import family as fourier
from galfeat.features.fourier.bar import BAR_RADII
from galfeat.features.fourier.pitch import ARM_RADII
from galfeat.features.fourier.polar import circles, contrast, transform
from galfeat.frame import Frame
from galfeat.frame.canonical import MAX_STRETCH
from galfeat.frame.views import VIEW_SIZE

HALF = 0.5 * VIEW_SIZE
#: Minimum strength of a bar and of arms to be drawn, exceeded by few smooth galaxies.
#: With 0.25, a bar is drawn on 26 % of the simulated galaxies with a bar and 4 % of the others;
#: with 0.3 on 20 % and 2 % (`benchmarks/bars_drawn.py`). Most false bars are the cores of disturbed
#: or merging galaxies.
FAINTEST_BAR, FAINTEST_ARMS = 0.25, 0.1
#: Minimum axis ratio to draw either, and maximum pitch angle of arms in degrees.
FLATTEST, MAX_OPEN = 0.4, 50.0
#: Axis ratio below which a bar is not drawn near the minor axis, and how near in degrees: there
#: deprojection stretches a round bulge, which looks like a bar.
STRETCHED, NEAR_MINOR = 0.7, 20.0
_POINTS = 61


@dataclass(frozen=True, eq=False)
class Mark:
    """A line on the original image.

    Attributes
    ----------
    name : {"Petrosian radius", "half of the light", "bar", "spiral arm"}
    points : ndarray of float, shape (n, 2)
        x and y of its points in pixels; the centre of the first pixel is (0, 0).

    Examples
    --------
    >>> import numpy as np
    >>> from galfeat.explain import Mark
    >>> bar = Mark("bar", np.array([[28.0, 31.5], [36.0, 33.5]]))
    >>> bar.points.mean(axis=0)
    array([32. , 32.5])
    """

    name: str
    points: NDArray[np.float64]


def marks(frame: Frame) -> list[Mark]:
    """Return the ellipses of a galaxy, and its bar and spiral arms if they are clear.

    Parameters
    ----------
    frame : Frame

    Examples
    --------
    >>> from galfeat.data.simulation import simulate
    >>> from galfeat.explain import marks
    >>> from galfeat.frame import measure_frame
    >>> frame = measure_frame(simulate(1, seed=1).images[0])
    >>> [mark.name for mark in marks(frame)][:2]
    ['Petrosian radius', 'half of the light']
    """
    angle = np.linspace(0.0, 2.0 * np.pi, _POINTS)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    petrosian, half_light = frame.radii[0], frame.radii[2]
    q = np.array([1.0, frame.q])
    lines = [
        Mark("Petrosian radius", _in_image(frame, petrosian * circle * q)),
        Mark("half of the light", _in_image(frame, half_light * circle * q)),
    ]
    if frame.deprojected is None or frame.q < FLATTEST:
        return lines
    names = [column.name.removeprefix("fourier.") for column in fourier.COLUMNS]
    values = dict(zip(names, fourier.measure(frame).tolist(), strict=True))
    image, shrunk = frame.deprojected.equalised, np.array([1.0, max(frame.q, 1.0 / MAX_STRETCH)])
    if values["deprojected.bar.strength"] > FAINTEST_BAR:
        ends = bar_ends(image, values["deprojected.bar.length"])
        if not is_stretched_bulge(ends[1], frame.q):
            lines.append(Mark("bar", _in_image(frame, frame.radius * ends * shrunk)))
    wound = values["deprojected.arms.pitch"] < MAX_OPEN
    if wound and values["deprojected.arms.strength"] > FAINTEST_ARMS:
        for arm in arm_lines(image, values):
            lines.append(Mark("spiral arm", _in_image(frame, frame.radius * arm * shrunk)))
    return lines


def bar_ends(image: NDArray[np.float32], length: float) -> NDArray[np.float64]:
    """Return the two ends of a bar, shape (2, 2): x and y from the centre, in view radii.

    Parameters
    ----------
    image : ndarray of float32, shape (64, 64)
        The equalised deprojected view.
    length : float
        Distance of the ends from the centre, in view radii.
    """
    inner = transform(circles(image, BAR_RADII))[: max(int(length * HALF), 1)]
    waves = inner[:, 2] / inner[:, :1, 0]
    angle = 0.5 * np.arctan2(waves[:, 1].sum(), waves[:, 0].sum())
    end = length * np.array([np.cos(angle), np.sin(angle)])
    return np.stack([-end, end])


def is_stretched_bulge(end: NDArray[np.float64], q: float) -> bool:
    """Return whether a bar may be a round bulge, stretched by deprojection along the minor axis.

    Parameters
    ----------
    end : ndarray of float, shape (2,)
        End of the bar along the major and the minor axis, in the deprojected view.
    q : float
        Axis ratio of the galaxy.
    """
    from_minor = np.degrees(np.arctan2(abs(end[0]), abs(end[1])))
    return bool(q < STRETCHED and from_minor < NEAR_MINOR)


def arm_lines(image: NDArray[np.float32], values: dict[str, float]) -> list[NDArray[np.float64]]:
    """Return the arms of the strongest logarithmic spiral, in the units of `bar_ends`."""
    number, rate, phase = spiral(image, values)
    radii = np.geomspace(ARM_RADII[0], ARM_RADII[-1], _POINTS)
    angles = (phase + rate * np.log(radii) + 2.0 * np.pi * np.arange(number)[:, None]) / number
    return [np.stack([radii * np.cos(arm), radii * np.sin(arm)], axis=1) / HALF for arm in angles]


def spiral(image: NDArray[np.float32], values: dict[str, float]) -> tuple[int, float, float]:
    """Return the number of arms, the phase gradient per unit of ln r, and the phase at r = 1 px.

    Parameters
    ----------
    image : ndarray of float32, shape (64, 64)
        The equalised deprojected view.
    values : dict of str to float
        Measurements of the Fourier family, by column without the family's name.
    """
    number = int(values["deprojected.arms.number"])
    rate = number / np.tan(np.radians(values["deprojected.arms.pitch"]))
    rate *= np.sign(values["deprojected.arms.sense"])
    parts = transform(contrast(circles(image, ARM_RADII)))[:, number]
    wave = (parts[:, 0] + 1j * parts[:, 1]) * np.exp(-1j * rate * np.log(ARM_RADII))
    return number, float(rate), float(np.angle(wave.sum()))


def _in_image(frame: Frame, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transform points from the galaxy's axes (x along the major axis) to image pixels."""
    c, s = np.cos(frame.pa), np.sin(frame.pa)
    row, column = frame.origin
    centre = np.array([frame.xc + column, frame.yc + row])
    moved: NDArray[np.float64] = points @ np.array([[c, s], [-s, c]]) + centre
    return moved
