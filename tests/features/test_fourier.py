"""Fourier amplitudes, bars and spirals of known order, phase and winding."""

import numpy as np
import pytest

from galfeat.features.fourier import (
    ANGLES,
    COLUMNS,
    ORDERS,
    RADII,
    RINGS,
    WINDING_ORDERS,
    WINDINGS,
    amplitudes,
    bar,
    circles,
    contrast,
    measure,
    phase_drift,
    transform,
    windings,
)
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
THETA = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
LINEAR = (np.arange(RADII) + 0.5) / RADII
LOGARITHMIC = 0.12 ** (1.0 - np.arange(RADII) / (RADII - 1.0))
RATES = 0.75 + 1.5 * np.arange(WINDINGS)


def wave(m, amplitude=0.4, phase=0.0, rate=0.0, radii=LINEAR):
    """Samples on circles with one wave, wound by `rate` per unit of ln r."""
    angle = m * THETA[None, :] - phase - rate * np.log(radii)[:, None]
    return (5.0 * (1.0 + amplitude * np.cos(angle))).astype(np.float32)


@pytest.mark.parametrize("m", range(1, ORDERS + 1))
@pytest.mark.parametrize("phase", [0.0, 1.0, -2.5])
def test_a_wave_has_its_amplitude_at_its_order_and_nowhere_else(m, phase):
    values = amplitudes(transform(wave(m, 0.4, phase))).reshape(ORDERS, RINGS)
    expected = np.zeros((ORDERS, RINGS))
    expected[m - 1] = 0.4
    np.testing.assert_allclose(values, expected, atol=1e-5)


@pytest.mark.parametrize("m", range(1, ORDERS + 1))
def test_the_amplitude_in_an_image_is_that_of_its_pattern(polar, m):
    image = (20.0 * (1.0 + 0.3 * np.cos(m * polar[1] - 0.7))).astype(np.float32)
    values = amplitudes(transform(circles(image, 30.0, False))).reshape(ORDERS, RINGS)
    outer = values[:, 3:]  # bilinear samples blunt six waves on a small circle
    np.testing.assert_allclose(outer[m - 1], 0.3, atol=0.01)
    assert np.delete(outer, m - 1, axis=0).max() < 0.005


def test_an_even_view_has_no_waves(polar):
    flat = np.full((64, 64), 8.0, np.float32)
    round_ = (30.0 * np.exp(-polar[0] / 10.0)).astype(np.float32)
    np.testing.assert_allclose(amplitudes(transform(circles(flat, 30.0, False))), 0.0, atol=1e-6)
    assert amplitudes(transform(circles(round_, 30.0, False))).max() < 0.01


def test_dark_views_give_zeros_not_infinities():
    parts = transform(np.zeros((RADII, ANGLES), np.float32))
    for values in (amplitudes(parts), phase_drift(parts), windings(parts)):
        np.testing.assert_array_equal(values, 0.0)
    assert np.isfinite(bar(parts)).all()
    np.testing.assert_array_equal(contrast(np.zeros((RADII, ANGLES), np.float32)), 0.0)


@pytest.mark.parametrize("m", range(1, WINDING_ORDERS + 1))
def test_a_bars_phase_does_not_move(m):
    values = phase_drift(transform(wave(m, 0.5, 0.8))).reshape(WINDING_ORDERS, 2)
    coherence, drift = values[m - 1]
    assert coherence == pytest.approx(1.0, abs=1e-5)
    assert drift == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("step", [0.2, 0.6, 1.5])
def test_a_phase_that_moves_evenly_is_coherent_and_drifts_by_its_step(step):
    angle = 2.0 * THETA[None, :] - step * np.arange(RADII)[:, None]
    for sense in (angle, -angle):
        samples = (5.0 * (1.0 + 0.4 * np.cos(sense))).astype(np.float32)
        coherence, drift = phase_drift(transform(samples))[2:4]
        assert coherence == pytest.approx(1.0, abs=1e-5)
        assert drift == pytest.approx(step, abs=1e-4)


def test_every_circle_counts_alike_however_bright():
    steps = np.where(np.arange(RADII) < 8, 0.3, -0.9).cumsum()
    samples = 5.0 * (1.0 + 0.4 * np.cos(2.0 * THETA[None, :] - steps[:, None]))
    faded = samples * np.exp(-0.2 * np.arange(RADII))[:, None]
    one, other = (phase_drift(transform(s.astype(np.float32)))[2:4] for s in (samples, faded))
    np.testing.assert_allclose(other, one, rtol=1e-4)
    assert one[0] < 0.95


def test_noise_is_not_coherent():
    rng = np.random.default_rng(0)
    phases = rng.uniform(-np.pi, np.pi, (200, RADII, 1))
    angle = 2.0 * THETA[None, None, :] - phases
    samples = (5.0 * (1.0 + 0.4 * np.cos(angle))).astype(np.float32)
    assert np.median([phase_drift(transform(one))[2] for one in samples]) < 0.4


@pytest.mark.parametrize("degrees", [0, 20, 60, 90, -45])
def test_a_bar_has_its_strength_angle_and_length(degrees):
    angle = np.radians(degrees)
    samples = np.full((RADII, ANGLES), 5.0)
    waves = 2.0 * (THETA - angle)
    rise = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 0.98, 0.98, 0.98])[:, None]
    samples[:8] *= 1.0 + rise * (0.6 * np.cos(waves) + 0.2 * np.cos(2.0 * waves))
    # Outside, a disc stretched across the bar.
    samples[8:] *= 1.0 - 0.2 * np.cos(waves)
    strength, radius, extent, end, boxiness, alignment, outer = bar(
        transform(samples.astype(np.float32))
    )
    assert strength == pytest.approx(0.6, abs=1e-4)
    assert radius == 4.5 / 16  # the fifth circle's
    assert extent == 8 / 16
    assert end == 8 / 16
    assert boxiness == pytest.approx(0.2, abs=1e-4)
    assert alignment == pytest.approx(abs(np.cos(angle)), abs=1e-3)
    assert outer == pytest.approx(-1.0, abs=1e-3)


@pytest.mark.parametrize("m", range(1, WINDING_ORDERS + 1))
@pytest.mark.parametrize("step", range(WINDINGS))
def test_a_spiral_peaks_at_its_arms_and_its_winding(m, step):
    samples = contrast(wave(m, 0.3, 0.4, RATES[step], LOGARITHMIC))
    values = windings(transform(samples)).reshape(WINDING_ORDERS, WINDINGS, 2)
    assert np.unravel_index(values[:, :, 0].argmax(), (WINDING_ORDERS, WINDINGS)) == (m - 1, step)
    assert np.delete(values, m - 1, axis=0).max() < 1e-4
    if step > 0:  # the most open step hardly knows its sense
        assert values[m - 1, step, 1] < 0.4 * values[m - 1, step, 0]


@pytest.mark.parametrize("step", [1, 3])
def test_the_winding_in_an_image_is_that_of_its_spiral(spiral, step):
    image = spiral(2, RATES[step])
    values = windings(transform(contrast(circles(image, 30.0, True))))
    assert values.reshape(WINDING_ORDERS, WINDINGS, 2)[1, :, 0].argmax() == step


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_mirror_turns_the_sense_and_changes_no_value(step):
    # Strongest on one circle: of equal ones, rounding would choose which holds the bar.
    strength = 0.1 + 0.2 * np.exp(-(((np.arange(len(LOGARITHMIC)) - 6) / 3) ** 2))[:, None]
    forth = wave(2, strength, 0.4, RATES[step], LOGARITHMIC)
    back = wave(2, strength, -0.4, -RATES[step], LOGARITHMIC)
    for function in (windings, phase_drift, amplitudes, bar):
        one, other = (function(transform(samples)) for samples in (forth, back))
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_turns_and_mirrors_of_an_image_change_no_value(smooth_noise):
    image = smooth_noise(5) + np.float32(40.0)

    def everything(view):
        rings = transform(circles(view, 30.0, False))
        spirals = transform(contrast(circles(view, 30.0, True)))
        return np.concatenate(
            [amplitudes(rings), phase_drift(rings), bar(rings)[:5], windings(spirals)]
        )

    plain = everything(image)
    for moved in (np.rot90(image), image[::-1, ::-1], image[:, ::-1], image.T):
        np.testing.assert_allclose(everything(np.ascontiguousarray(moved)), plain, atol=2e-4)


def test_without_a_deprojected_view_its_columns_are_missing_and_no_others(paint):
    values = measure(measure_frame(paint(160, scale=12.0, q=0.15, noise=2.0)))
    for name, value in zip(NAMES, values, strict=True):
        assert np.isnan(value) == name.startswith("fourier.deprojected."), name


def test_columns_are_where_their_names_say(paint):
    frame = measure_frame(paint(128, scale=8.0, q=0.6, noise=2.0))
    values = dict(zip(NAMES, measure(frame), strict=True))
    rings = transform(circles(frame.aligned[0].equalised, 30.0, False))
    assert values["fourier.aligned.a2.r3"] == np.float32(amplitudes(rings)[8 + 3])
    assert values["fourier.aligned.a2.drift"] == np.float32(phase_drift(rings)[3])
    assert values["fourier.aligned.bar.strength"] == np.float32(bar(rings)[0])
    spirals = transform(contrast(circles(frame.deprojected.equalised, 30.0, True)))
    expected = windings(spirals).reshape(WINDING_ORDERS, WINDINGS, 2)[2, 4, 1]
    assert values["fourier.deprojected.w3.s4.weak"] == np.float32(expected)
