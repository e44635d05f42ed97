"""`galfeat.measure` on images whose statistics are known."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import galfeat
from galfeat.errors import DataError, ImageError
from galfeat.features.flux import FluxTable, measure
from galfeat.features.flux.columns import COLUMNS, NAMES, STATMORPH
from galfeat.features.flux.sersic_fit import sersic_b


def light_within(index, radius):
    """Return the light of a Sérsic profile of unit half-light radius within a radius."""
    b = sersic_b(index)
    return quad(lambda r: 2 * np.pi * r * np.exp(-b * (r ** (1 / index) - 1)), 0, radius)[0]


def radii_of(index):
    """Return Petrosian radius, r20, r50 and r80 within 1.5 of it, in half-light radii."""

    def ratio(r):
        local = np.exp(-sersic_b(index) * (r ** (1 / index) - 1))
        return local * np.pi * r * r / light_within(index, r) - 0.2

    petrosian = brentq(ratio, 0.5, 6.0)
    total = light_within(index, 1.5 * petrosian)
    fractions = [
        brentq(lambda r, f=f: light_within(index, r) - f * total, 1e-4, 1.5 * petrosian)
        for f in (0.2, 0.5, 0.8)
    ]
    return petrosian, *fractions


#: Columns that change with the unit of flux, or not at all when the image is turned.
IN_FLUX = [column.name.split(".")[1] for column in COLUMNS if column.unit == "flux"]
INVARIANT = [
    "r20", "r50", "r80", "petrosian_circular", "petrosian_elliptical", "gini", "m20",
    "concentration", "asymmetry", "ellipticity", "deviation", "flux_circular", "flux_elliptical",
]  # fmt: skip


def segment_of(light, level):
    return (light > level).astype(np.int32)


@pytest.mark.parametrize(("index", "radius"), [(0.5, 10.0), (1.0, 8.0), (2.0, 9.0), (4.0, 24.0)])
def test_radii_and_concentration_of_a_sersic_profile(index, radius, paint):
    # The centre is a corner of pixels: a single pixel with a cusp would count as an outlier.
    light = paint(index, radius, side=242, centre=(120.5, 120.5), parts=6)
    table = measure(light, segmentation=segment_of(light, 0.15), sersic=False)
    petrosian, r20, r50, r80 = radii_of(index)
    assert table["petrosian_circular"][0] == pytest.approx(petrosian * radius, rel=0.02)
    assert table["r20"][0] == pytest.approx(r20 * radius, rel=0.02)
    assert table["r50"][0] == pytest.approx(r50 * radius, rel=0.02)
    assert table["concentration"][0] == pytest.approx(5 * np.log10(r80 / r20), abs=0.03)
    assert table["ellipticity"][0] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(("index", "radius"), [(1.0, 8.0), (4.0, 6.0)])
def test_the_fit_recovers_a_profile_without_noise(index, radius, paint):
    light = paint(index, radius, q=0.7, angle=0.8, centre=(60.3, 59.6), parts=15)
    segmentation = segment_of(light, 0.2)
    table = measure(light, segmentation=segmentation, variance=np.full(light.shape, 1e-4))
    assert table["sersic_index"][0] == pytest.approx(index, rel=0.03)
    assert table["sersic_radius"][0] == pytest.approx(radius, rel=0.03)
    assert 1.0 - table["sersic_ellipticity"][0] == pytest.approx(0.7, abs=0.01)
    assert table["sersic_angle"][0] == pytest.approx(0.8, abs=0.01)
    assert table["sersic_x"][0] == pytest.approx(60.3, abs=0.02)
    assert table["sersic_y"][0] == pytest.approx(59.6, abs=0.02)


def test_gini_of_a_constant_image_is_zero():
    image = np.full((64, 64), 3.0)
    table = measure(image, segmentation=np.ones((64, 64), int), sersic=False)
    assert table["gini"][0] == pytest.approx(0.0, abs=1e-6)


def test_a_symmetric_galaxy_has_no_asymmetry(paint):
    light = paint(1.0, 8.0, q=0.5)
    table = measure(light, segmentation=segment_of(light, 0.05), sersic=False)
    for name in ("asymmetry", "rms_asymmetry"):
        assert table[name][0] == pytest.approx(0.0, abs=1e-3)
    for name in ("outer_asymmetry", "shape_asymmetry"):
        assert table[name][0] == pytest.approx(0.0, abs=0.02)


def test_two_equal_nuclei_have_an_intensity_near_one(paint):
    light = paint(0.5, 4.0, centre=(55.0, 60.0)) + paint(0.5, 4.0, centre=(65.0, 60.0))
    table = measure(light, segmentation=segment_of(light, 0.02), sersic=False)
    assert table["intensity"][0] > 0.9
    assert table["deviation"][0] > 0.3


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_statistics_do_not_change_when_the_image_is_turned(turns, paint):
    light = paint(1.0, 8.0, q=0.6, angle=0.4) + 0.5 * paint(0.5, 3.0, centre=(68.0, 57.0))
    labels = segment_of(light, 0.05)
    first = measure(light, segmentation=labels, sersic=False)
    turned = measure(np.rot90(light, turns), segmentation=np.rot90(labels, turns), sersic=False)
    for name in INVARIANT:
        assert turned[name][0] == pytest.approx(first[name][0], rel=5e-3, abs=1e-3), name


@pytest.mark.parametrize("factor", [1e-20, 1e12])
def test_the_unit_of_flux_scales_fluxes_alone(disc, factor):
    image, labels, noise = disc
    settings = {"segmentation": labels, "resamples": 0}
    first = measure(image, variance=np.full(image.shape, noise**2), **settings)
    scaled = measure(
        image * factor, variance=np.full(image.shape, (factor * noise) ** 2), **settings
    )
    for name in NAMES:
        wanted = first[name][0] * (factor if name in IN_FLUX else 1.0)
        if name not in ("sersic_aic", "sersic_bic"):
            assert scaled[name][0] == pytest.approx(wanted, rel=2e-4, nan_ok=True, abs=1e-30), name


def test_lengths_and_magnitudes_have_units(disc):
    image, labels, _ = disc
    table = measure(image, segmentation=labels, pixel_scale=0.2, zero_point=25.0, flux_unit="count")
    assert table["r50_arcsec"][0] == pytest.approx(0.2 * table["r50"][0])
    assert table["magnitude"][0] == pytest.approx(25 - 2.5 * np.log10(table["flux_elliptical"][0]))
    mean = table["flux_r50"][0] / (np.pi * table["r50_arcsec"][0] ** 2)
    assert table["surface_brightness_r50"][0] == pytest.approx(25 - 2.5 * np.log10(mean))
    assert (table.unit("r50"), table.unit("r50_arcsec")) == ("px", "arcsec")
    assert (table.unit("flux_circular"), table.unit("gini")) == ("count", "")
    without = measure(image, segmentation=labels, sersic=False)
    assert np.isnan(without["magnitude"][0])
    assert np.isnan(without["r50_arcsec"][0])


def test_a_neighbour_is_ignored(disc, paint):
    image, labels, _ = disc
    first = measure(image, segmentation=labels, sersic=False)
    neighbour = image + 300.0 * paint(0.5, 2.0, centre=(95.0, 95.0))
    both = labels.copy()
    both[88:103, 88:103] = 2
    second = measure(neighbour, segmentation=both, sources=[1], sersic=False)
    for name in ("r50", "gini", "m20", "petrosian_circular", "concentration"):
        assert second[name][0] == pytest.approx(first[name][0], rel=0.02), name


def test_masked_pixels_are_ignored_whatever_they_contain(disc):
    image, labels, _ = disc
    mask = np.zeros(image.shape, bool)
    mask[40:45, 70:76] = True
    first = measure(image, segmentation=labels, mask=mask)
    spoiled = np.where(mask, 1e9, image)
    assert np.array_equal(
        list(first.values.values()),
        list(measure(spoiled, segmentation=labels, mask=mask).values.values()),
        equal_nan=True,
    )


def test_edges_without_data_are_masked(disc):
    image, _, _ = disc
    framed = np.full((141, 135), np.nan)
    framed[10:-10, 7:-7] = image
    table = measure(framed)
    inner = measure(image)
    assert table["r50"][0] == pytest.approx(inner["r50"][0], rel=0.03)
    assert table["centroid_x"][0] == pytest.approx(inner["centroid_x"][0] + 7.0, abs=0.1)
    assert np.isfinite(table["sersic_index"][0])


def test_sources_are_detected_and_the_sky_is_subtracted(disc):
    image, labels, noise = disc
    given = measure(image, segmentation=labels)
    found = measure(image + 100.0)
    assert len(found) == 1
    for name in ("r50", "petrosian_circular", "sersic_index", "sersic_radius"):
        assert found[name][0] == pytest.approx(given[name][0], rel=0.05), name
    assert found["sky_sigma"][0] == pytest.approx(noise, rel=0.1)


def test_many_sources_by_segmentation_by_number_and_by_position(paint):
    rng = np.random.default_rng(3)
    places = [(30.0, 30.0), (90.0, 35.0), (60.0, 95.0)]
    light = sum(paint(1.0, 4.0 + k, centre=place) for k, place in enumerate(places))
    image = 20.0 * light + rng.normal(0.0, 0.2, light.shape)
    table = measure(image, sources="all", sersic=False)
    assert len(table) == 3
    order = np.argsort(table["r50"])
    assert np.allclose(table["centroid_x"][order], [p[0] for p in places], atol=0.3)
    positions = [(60, 95), (30, 30), (110, 110)]
    picked = measure(image, positions=positions, sersic=False)
    assert np.allclose(picked["centroid_x"][:2], [60, 30], atol=0.3)
    assert picked.flags[2] == "no-source"
    assert picked.quality.tolist()[2] == 4
    assert np.isnan(picked["gini"][2])
    labels = np.zeros(image.shape, np.int64)
    labels[20:41, 20:41], labels[25:46, 80:101] = 7_000_000, 12
    numbered = measure(image, segmentation=labels, sersic=False)
    assert numbered.labels.tolist() == [12, 7_000_000]
    one = measure(image, segmentation=labels, sources=[7_000_000], sersic=False)
    assert one["r50"][0] == numbered["r50"][1]
    threads = measure(image, segmentation=labels, sersic=False, n_jobs=2)
    assert np.array_equal(threads["gini"], numbered["gini"])


def test_errors_are_measured_where_the_variance_is_given(disc):
    image, labels, noise = disc
    variance = np.full(image.shape, noise**2)
    table = measure(image, segmentation=labels, variance=variance, pixel_scale=2.0, zero_point=0.0)
    again = measure(image, segmentation=labels, variance=variance, pixel_scale=2.0, zero_point=0.0)
    assert table["r50_error"][0] == again["r50_error"][0]
    assert 0.0 < table["r50_error"][0] < 0.5
    assert table["r50_arcsec_error"][0] == pytest.approx(2.0 * table["r50_error"][0])
    assert 0.0 < table["magnitude_error"][0] < 0.1
    assert "r50_error" not in measure(image, segmentation=labels, sersic=False).values


def test_errors_of_the_fit_match_its_scatter(paint):
    light = 20.0 * paint(1.0, 6.0, q=0.7)
    labels, variance = segment_of(light, 1.0), np.full(light.shape, 0.25)
    rng = np.random.default_rng(5)
    tables = [
        measure(
            light + rng.normal(0.0, 0.5, light.shape), segmentation=labels, variance=variance,
            resamples=0,
        )
        for _ in range(40)
    ]  # fmt: skip
    for name in ("sersic_index", "sersic_radius", "sersic_x", "sersic_ellipticity"):
        scatter = np.std([table[name][0] for table in tables])
        error = np.median([table[f"{name}_error"][0] for table in tables])
        assert error == pytest.approx(scatter, rel=0.35), name


def test_a_point_spread_function_is_taken_into_account(paint):
    offsets = np.arange(-10, 11)
    line = np.exp(-0.5 * (offsets / 2.0) ** 2)
    psf = np.outer(line, line)
    from scipy.signal import fftconvolve

    light = paint(1.0, 5.0, q=0.6)
    blurred = fftconvolve(light, psf / psf.sum(), mode="same")
    labels = segment_of(light, 0.05)
    plain = measure(blurred, segmentation=labels, gain=1e4)
    table = measure(blurred, segmentation=labels, gain=1e4, psf=7.0 * psf)
    assert table["sersic_radius"][0] == pytest.approx(5.0, rel=0.02)
    assert 1.0 - table["sersic_ellipticity"][0] == pytest.approx(0.6, abs=0.02)
    assert plain["sersic_radius"][0] > 5.1


def test_nothing_is_measured_without_light():
    image = np.full((40, 40), -1.0)
    labels = np.zeros((40, 40), int)
    labels[10:20, 10:20] = 1
    table = measure(image, segmentation=labels)
    assert "no-light" in table.flags[0]
    assert np.isnan(table["gini"][0])
    assert measure(np.zeros((32, 32))).flags == ["no-source"]


@pytest.mark.parametrize("value", [1e300, -1e300, 1e-320, np.inf, -np.inf])
def test_absurd_pixels_are_ignored(disc, value):
    image, labels, _ = disc
    first = measure(image, segmentation=labels)
    spoiled = image.copy()
    spoiled[5, 5] = value
    table = measure(spoiled, segmentation=labels)
    for name in ("r50", "gini", "concentration", "sersic_index"):
        assert table[name][0] == pytest.approx(first[name][0], rel=0.01), name


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 40), (11, 11)])
def test_tiny_images_give_flags_not_errors(shape):
    image = np.random.default_rng(0).random(shape) + 1.0
    table = measure(image, segmentation=np.ones(shape, int))
    assert table.quality[0] > 0


def test_the_table_has_all_columns_in_order(disc):
    image, labels, _ = disc
    table = measure(image, segmentation=labels)
    assert tuple(table.values) == NAMES
    assert set(STATMORPH) < set(NAMES)
    assert isinstance(table, FluxTable)
    assert galfeat.measure is measure


def test_an_astropy_table_has_units_and_descriptions(disc):
    units = pytest.importorskip("astropy.units", reason="writes astropy tables")
    image, labels, _ = disc
    table = measure(image, segmentation=labels, pixel_scale=0.1, flux_unit="nanomaggy").to_astropy()
    assert str(table["r50_arcsec"].unit) == "arcsec"
    assert table["flux_circular"].unit == units.Unit("nanomaggy")
    assert "Lotz" in table["gini"].description


@pytest.mark.parametrize(
    ("image", "settings", "message"),
    [
        (np.zeros((3, 20, 20)), {}, "one band"),
        (np.zeros((20, 20), np.uint8), {}, "8 bits"),
        (np.zeros((0, 5)), {}, "one band"),
        (np.full((4, 4), "a"), {}, "expected numbers"),
        (np.zeros((20, 20)), {"mask": np.zeros((20, 19))}, "the mask has shape"),
        (np.zeros((20, 20)), {"segmentation": np.full((20, 20), 0.5)}, "fractions"),
        (np.zeros((20, 20)), {"segmentation": np.full((20, 20), -1)}, "expected 0 to"),
        (np.zeros((20, 20)), {"psf": np.zeros((5, 5))}, "positive sum"),
        (np.zeros((20, 20)), {"psf": np.zeros(5)}, "the PSF has shape"),
        (np.zeros((20, 20)), {"positions": [1.0, 2.0]}, "positions have shape"),
        (np.zeros((20, 20)), {"mask": np.ones((20, 20))}, "the mask hides all pixels"),
        (np.zeros((20, 20)), {"variance": -np.ones((20, 20))}, "variance has no positive values"),
        (
            np.zeros((2, 2)),
            {"mask": [[1, 1], [0, 0]], "variance": [[1, 1], [0, np.nan]]},
            "the mask hides all pixels with a positive variance",
        ),
    ],
)
def test_wrong_arrays_are_image_errors(image, settings, message):
    with pytest.raises(ImageError, match=message):
        measure(image, **settings)


def test_a_source_that_is_not_there_is_a_data_error(disc):
    image, labels, _ = disc
    with pytest.raises(DataError, match="source 5 is not in the segmentation; it contains 1"):
        measure(image, segmentation=labels, sources=[5])
    with pytest.raises(DataError, match="expected 'central'"):
        measure(image, segmentation=labels, sources="every")


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan, np.inf, "a"])
@pytest.mark.parametrize("name", ["pixel_scale", "zero_point", "gain"])
def test_numbers_out_of_range_are_data_errors(disc, name, value):
    if name == "zero_point" and value in (-1.0, 0.0):
        assert len(measure(disc[0], sersic=False, zero_point=value)) == 1
        return
    with pytest.raises(DataError, match=rf"{name} is .*; expected a .*finite number"):
        measure(disc[0], **{name: value})


def test_a_source_away_from_the_centre_is_flagged(paint):
    noise = np.random.default_rng(6).normal(0.0, 0.2, (121, 121))
    aside = 20.0 * paint(1.0, 3.0, centre=(95.0, 40.0)) + noise
    table = measure(aside, sersic=False)
    assert "off-centre" in table.flags[0]
    assert table.quality[0] == 2
    assert "off-centre" not in measure(aside, sersic=False, sources="all").flags[0]
    assert "off-centre" not in measure(aside, sersic=False, positions=[(95, 40)]).flags[0]
    near = 20.0 * paint(1.0, 3.0, centre=(63.0, 57.0)) + noise
    assert measure(near, sersic=False).flags == [""]
    labels = segment_of(aside - noise, 1.0)
    table = measure(aside, segmentation=labels, sources="central", sersic=False)
    assert "off-centre" in table.flags[0]


def test_a_source_beside_many_blank_pixels_is_flagged(disc):
    image, labels, _ = disc
    y, x = np.mgrid[:121, :121] - 60.0
    hole = np.where(np.hypot(x, y) < 5.0, np.nan, image)
    dead = image.copy()
    dead[66, 60] = np.nan
    for settings in ({}, {"segmentation": labels}):
        table = measure(hole, sersic=False, **settings)
        assert "at-edge" in table.flags[0]
        assert table.quality[0] > 0
        assert "at-edge" not in measure(dead, sersic=False, **settings).flags[0]
    # Pixels that the user masks are no missing data.
    table = measure(image, segmentation=labels, mask=np.isnan(hole), sersic=False)
    assert "at-edge" not in table.flags[0]
    variance = np.where(np.isnan(hole), 0.0, 0.25)
    table = measure(image, segmentation=labels, variance=variance, resamples=0, sersic=False)
    assert "at-edge" in table.flags[0]


def test_positions_outside_the_image_are_flagged(disc):
    image, _, _ = disc
    positions = [(60.0, 60.0), (-0.6, 60.0), (60.0, 121.0), (np.nan, 3.0), (5.0, 5.0)]
    table = measure(image, positions=positions, sersic=False)
    assert table.flags[1:] == ["outside-image"] * 2 + ["no-source"] * 2
    assert table.quality.tolist() == [0, 4, 4, 4, 4]
    assert table.labels[1:].tolist() == [0, 0, 0, 0]
