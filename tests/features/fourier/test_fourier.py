"""Fourier amplitudes, bars and spirals of known order, phase and winding."""

from functools import partial

import numpy as np
import pytest

from galfeat.features.fourier.bar import BAR_RADII, bar
from galfeat.features.fourier.family import (
    COLUMNS,
    LINEAR,
    LOGARITHMIC,
    amplitudes,
    lopsidedness,
    measure,
    phase_drift,
    phases,
    windings,
)
from galfeat.features.fourier.pitch import ARM_RADII, arms
from galfeat.features.fourier.polar import (
    ANGLES,
    ORDERS,
    PHASE_RINGS,
    RADII,
    RINGS,
    WINDING_ORDERS,
    WINDINGS,
    circles,
    contrast,
    transform,
)
from galfeat.features.fourier.spirality import spirality
from galfeat.frame import measure_frame

NAMES = [column.name for column in COLUMNS]
THETA = 2.0 * np.pi * np.arange(ANGLES) / ANGLES
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
    values = amplitudes(transform(circles(image, 30.0 * LINEAR))).reshape(ORDERS, RINGS)
    outer = values[:, 3:]  # bilinear samples blunt six waves on a small circle
    np.testing.assert_allclose(outer[m - 1], 0.3, atol=0.01)
    assert np.delete(outer, m - 1, axis=0).max() < 0.005


def test_an_even_view_has_no_waves(polar):
    flat = np.full((64, 64), 8.0, np.float32)
    round_ = (30.0 * np.exp(-polar[0] / 10.0)).astype(np.float32)
    np.testing.assert_allclose(amplitudes(transform(circles(flat, 30.0 * LINEAR))), 0.0, atol=1e-6)
    assert amplitudes(transform(circles(round_, 30.0 * LINEAR))).max() < 0.01


def test_dark_views_give_zeros_not_infinities():
    parts = transform(np.zeros((RADII, ANGLES), np.float32))
    for values in (amplitudes(parts), phase_drift(parts), windings(parts), phases(parts)):
        np.testing.assert_array_equal(values, 0.0)
    assert lopsidedness(parts) == 0.0
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


@pytest.mark.parametrize("m", range(1, ORDERS + 1))
@pytest.mark.parametrize("phase", [0.0, 1.0, -2.5])
def test_a_wave_has_its_phase_at_its_order(m, phase):
    values = phases(transform(wave(m, 0.4, phase))).reshape(ORDERS, PHASE_RINGS)
    np.testing.assert_allclose(values[m - 1], phase, atol=1e-5)


def test_phases_turn_with_the_view_and_change_sign_in_a_mirror(smooth_noise):
    view = smooth_noise(8) + np.float32(40.0)
    plain = phases(transform(circles(view, 30.0 * LINEAR))).reshape(ORDERS, PHASE_RINGS)
    for moved, turn, sign in ((view[::-1], 0.0, -1.0), (view[::-1, ::-1], np.pi, 1.0)):
        values = phases(transform(circles(np.ascontiguousarray(moved), 30.0 * LINEAR)))
        expected = sign * plain + turn * np.arange(1, ORDERS + 1)[:, None]
        change = values.reshape(ORDERS, PHASE_RINGS) - expected
        np.testing.assert_allclose(np.cos(change), 1.0, atol=1e-4)


@pytest.mark.parametrize("amplitude", [0.0, 0.1, 0.5])
def test_lopsidedness_is_the_amplitude_between_one_and_a_half_and_two_and_a_half_lengths(amplitude):
    strong = np.where((LINEAR > 0.49) & (LINEAR < 0.85), amplitude, 0.9)[:, None]
    assert lopsidedness(transform(wave(1, strong, 0.7))) == pytest.approx(amplitude, abs=1e-5)


def test_a_disc_shifted_by_a_part_of_its_length_is_lopsided_by_that_part():
    v, u = np.mgrid[:64, :64] - 31.5
    disc = (30.0 * np.exp(-np.hypot(u - 1.6, v) / (32.0 / 3.0))).astype(np.float32)
    found = lopsidedness(transform(circles(disc, 30.0 * LINEAR)))
    assert found == pytest.approx(1.6 / (32.0 / 3.0), rel=0.05)


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
    values = windings(transform(contrast(circles(image, 30.0 * LOGARITHMIC))))
    assert values.reshape(WINDING_ORDERS, WINDINGS, 2)[1, :, 0].argmax() == step


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_mirror_turns_the_sense_and_changes_no_value(step):
    forth = wave(2, 0.3, 0.4, RATES[step], LOGARITHMIC)
    back = wave(2, 0.3, -0.4, -RATES[step], LOGARITHMIC)
    for function in (windings, phase_drift, amplitudes):
        one, other = (function(transform(samples)) for samples in (forth, back))
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_turns_and_mirrors_of_an_image_change_no_value(smooth_noise):
    image = smooth_noise(5) + np.float32(40.0)

    def everything(view):
        rings = transform(circles(view, 30.0 * LINEAR))
        spirals = transform(contrast(circles(view, 30.0 * LOGARITHMIC)))
        return np.concatenate(
            [amplitudes(rings), phase_drift(rings), windings(spirals), [lopsidedness(rings)]]
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
    # Alone, a kernel may be compiled to other roundings than inside another.
    same = partial(pytest.approx, rel=1e-5, abs=1e-5)
    values = dict(zip(NAMES, measure(frame), strict=True))
    rings = transform(circles(frame.aligned[0].equalised, 30.0 * LINEAR))
    assert values["fourier.aligned.a2.r3"] == same(amplitudes(rings)[8 + 3])
    assert values["fourier.aligned.a2.drift"] == same(phase_drift(rings)[3])
    assert values["fourier.aligned.lopsidedness"] == same(lopsidedness(rings))
    face_on = frame.deprojected.equalised
    spirals = transform(contrast(circles(face_on, 30.0 * LOGARITHMIC)))
    expected = windings(spirals).reshape(WINDING_ORDERS, WINDINGS, 2)[2, 4, 1]
    assert values["fourier.deprojected.w3.s4.weak"] == same(expected)
    length = bar(transform(circles(face_on, BAR_RADII)))[1]
    assert values["fourier.deprojected.bar.length"] == same(length)
    samples = circles(face_on, ARM_RADII)
    found = arms(transform(contrast(samples)))
    assert values["fourier.deprojected.arms.pitch"] == same(found[1])
    assert values["fourier.deprojected.arms.sense"] == same(found[4])
    assert values["fourier.deprojected.spirality"] == same(spirality(samples))
    expected = phases(transform(circles(face_on, 30.0 * LINEAR))).reshape(ORDERS, PHASE_RINGS)
    assert values["fourier.deprojected.p3.r2"] == same(expected[2, 2])


def test_covariant_columns_are_the_phases_and_the_sense():
    covariant = {column.name for column in COLUMNS if not column.invariant}
    expected = {f"fourier.deprojected.p{m}.r{r}" for m in range(1, 7) for r in range(PHASE_RINGS)}
    assert covariant == expected | {"fourier.deprojected.arms.sense"}
