"""Agreement of the flux family with statmorph on real galaxies, its accuracy, and the cost of both.

    python benchmarks/flux_parity.py FITS [--cache FILE] -o docs/background/flux.md

FITS is a folder with CANDELS, JWST, HST and Legacy Surveys cut-outs and statmorph's test image.
Both codes use the same flux, segmentation, mask, variance or gain, and PSF. statmorph takes up to
several seconds per galaxy; its results are stored in the cache file.
"""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from recovered_sersic import recovery_table
from scipy.stats import spearmanr

from galfeat.data.readers.fits.flux import read_flux, read_plane
from galfeat.errors import ImageError
from galfeat.features.flux import measure
from galfeat.features.flux.columns import STATMORPH
from galfeat.features.flux.detection import detect
from galfeat.storage.atomic import atomic_file

#: Values published with statmorph for its test image, by its names.
PUBLISHED = {
    "rpetro_circ": 40.93755531944313, "rpetro_ellip": 41.64283484446126,
    "rhalf_circ": 21.60803205322342, "rhalf_ellip": 22.08125638365687,
    "r20": 11.69548630967248, "r50": 21.62164455681452, "r80": 32.07883340820674,
    "gini": 0.38993180299621, "m20": -1.54448930789228, "sn_per_pixel": 6.80319166183472,
    "concentration": 2.19100140632153, "asymmetry": 0.00377345808887,
    "smoothness": 0.00430880839402, "multimode": 0.23423423423423,
    "intensity": 0.51203949030140, "deviation": 0.01522525597953,
    "rms_asymmetry2": 0.0053900924481633, "outer_asymmetry": -0.01821399684443,
    "shape_asymmetry": 0.16308278287864, "sersic_rhalf": 22.45788866502031,
    "sersic_n": 0.61206828194077, "sersic_ellip": 0.05083866217150,
}  # fmt: skip
_GOAL = 0.99
_FREE = ("sersic_", "sky_")
HEAD = """# Agreement of the flux family with statmorph

Made by `python benchmarks/flux_parity.py`; do not edit. `galfeat.measure` compared with statmorph
{version} on {number} cut-outs in linear flux: {kinds}. Both use the same flux, segmentation, mask,
variance or gain, and PSF, and statmorph's definitions: its box of sky, its segments, its centre of
minimum asymmetry and its model. Flags are not used to exclude galaxies, except for the Sérsic
columns, which need a fit that converged in both ({fits}).

The ratio is galfeat's value over statmorph's: the median, and the 16th and 84th percentile.
The goals are a Spearman correlation of 0.99 and a median ratio within 1 % (Sérsic index and
radius: within 3 %).

| column | statmorph | galaxies | Spearman | ratio | 16 % | 84 % | |
|---|---|---:|---:|---:|---:|---:|---|
"""
DIFFERENCES = """
Ratios of columns that can be zero or negative exclude zeros. Sérsic indices are higher by
{index:.1f} % because galfeat integrates the model over the pixels near the centre and statmorph
samples it in their middles. With `oversample=False` the median ratio is {plain:.4f} (radius
{plain_radius:.4f}), and chi squared is {chi:.4f} times statmorph's.

- Apertures divide rows of pixels into thin strips; statmorph intersects pixels and ellipses. The
  areas differ by about 1 in 10,000.
- The search for the centre of minimum asymmetry ends at 0.0003 px, statmorph's at 0.000001 px.
- Gaussians wider than 5 px blur means over squares of pixels.
- statmorph returns -99 for undefined values, galfeat NaN.

## statmorph's test image

The values published with statmorph's tests, for `slice.fits`.

| column | statmorph | published | galfeat |
|---|---|---:|---:|
"""
TIME = """
## Time

Processor time on one thread of the same machine in the same run, medians over the cut-outs.
statmorph's time includes the fit; without it is the total minus its own record of the fit.

| | statmorph | galfeat | ratio (median of the galaxies) | 16 % | 84 % |
|---|---:|---:|---:|---:|---:|
{rows}
By size of the cut-out:

| cut-out | galaxies | without fit | with fit |
|---|---:|---:|---:|
{sizes}
"""


@dataclass(frozen=True)
class Galaxy:
    """A cut-out and what belongs to it."""

    name: str
    kind: str
    image: NDArray[np.floating[Any]]
    labels: NDArray[np.int32]
    label: int
    mask: NDArray[np.bool_]
    gain: float | None = None
    variance: NDArray[np.float64] | None = None
    psf: NDArray[np.float64] | None = None


def galaxies(folder: Path) -> Iterator[Galaxy]:
    """Yield the galaxies of a folder of FITS files."""
    for path in sorted(folder.glob("candels/*_[hj].fits")):
        flux = read_flux(path)[0]
        labels = read_plane(re.sub("_[hj].fits", "_segmap.fits", str(path))).astype(np.int32)
        label = int(re.findall(r"_(\d+)_[hj]", path.name)[0])
        image = flux.flux.astype(np.float64)
        blank = np.zeros(image.shape, bool)
        yield Galaxy(path.name, "CANDELS", image, labels, label, blank, gain=flux.gain)
    path = folder / "statmorph_slice.fits"
    image, labels, mask = (read_plane(path, hdu=k) for k in range(3))
    yield Galaxy(
        path.name, "statmorph", image.astype(np.float64), labels.astype(np.int32), 1,
        mask.astype(bool), gain=1.0,
    )  # fmt: skip
    psf = read_plane(folder / "hst" / "f105w_psf.fits.gz").astype(np.float64)
    for path in sorted(folder.glob("hst/abell*")):
        flux = read_flux(path)[0]
        yield from _detected(path.name, "HST", flux.flux, gain=flux.gain or 68952.38, psf=psf)
    for path in sorted(folder.glob("jwst/*/*[mw].fits")):
        spread = read_plane(str(path).replace(".fits", "_err.fits")).astype(np.float64) ** 2
        name = f"{path.parent.name}/{path.name}"
        yield from _detected(name, "JWST", read_flux(path)[0].flux, variance=spread)
    for path in sorted(folder.glob("legacy/*.fits")):
        try:
            bands = read_flux(path)
        except ImageError:  # one of them is cut short on purpose
            continue
        for band in bands:
            yield from _detected(f"{path.name} {band.band}", "Legacy", band.flux, gain=1000.0)


def _detected(
    name: str,
    kind: str,
    flux: NDArray[np.floating[Any]],
    *,
    gain: float | None = None,
    variance: NDArray[np.float64] | None = None,
    psf: NDArray[np.float64] | None = None,
) -> Iterator[Galaxy]:
    """Yield the central source of an image by galfeat's detection, the sky subtracted."""
    image = flux.astype(np.float64)
    mask = ~np.isfinite(image)
    if variance is not None:
        mask |= ~(np.isfinite(variance) & (variance > 0.0))
        variance = np.where(mask, 1.0, variance)
    found = detect(image, mask=mask)
    if len(found.peaks) == 0:
        return
    middle = (np.array(image.shape[::-1]) - 1) / 2.0
    label = int(np.argmin(((found.peaks - middle) ** 2).sum(axis=1))) + 1
    mask = ~found.usable
    image = np.where(mask, 0.0, image - found.sky)
    yield Galaxy(name, kind, image, found.labels, label, mask, gain, variance, psf)


def run_statmorph(galaxy: Galaxy) -> dict[str, float]:
    """Return statmorph's values, flags, size and processor times."""
    import statmorph

    weight = None if galaxy.variance is None else np.sqrt(galaxy.variance)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = statmorph.SourceMorphology(
            galaxy.image, galaxy.labels, galaxy.label, mask=galaxy.mask, weightmap=weight,
            gain=galaxy.gain, psf=galaxy.psf,
        )  # fmt: skip
    total = time.process_time() - start
    names = [*STATMORPH.values(), "flag", "flag_sersic", "nx_stamp", "sersic_runtime", "runtime"]
    values = {name: float(getattr(found, name)) for name in names}
    # The fit's share of the wall time, of the processor time.
    share = min(values["sersic_runtime"] / max(values["runtime"], 1e-9), 1.0)
    return {**values, "seconds": total, "seconds_without": total * (1.0 - share)}


def run_galfeat(galaxy: Galaxy, repeats: int = 5) -> dict[str, float]:
    """Return galfeat's values and processor times with and without the fit."""
    arguments: dict[str, Any] = {
        "segmentation": galaxy.labels, "mask": galaxy.mask, "variance": galaxy.variance,
        "gain": galaxy.gain, "psf": galaxy.psf, "sources": [galaxy.label], "resamples": 0,
    }  # fmt: skip
    table = measure(galaxy.image, **arguments)
    result = {name: float(table[name][0]) for name in table.values}
    result["bits"] = float(table.flag_bits[0])
    plain = measure(galaxy.image, **arguments, oversample=False)
    for name in ("sersic_index", "sersic_radius", "sersic_chi2"):
        result[f"plain_{name}"] = float(plain[name][0])
    for name, sersic in (("seconds", True), ("seconds_without", False)):
        times = []
        for _ in range(2 if sersic else repeats):
            start = time.process_time()
            measure(galaxy.image, **arguments, sersic=sersic)
            times.append(time.process_time() - start)
        result[name] = min(times)
    return result


def ratios(own: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return median, 16th and 84th percentile of the ratio where the divisor is not zero."""
    used = np.abs(other) > 1e-12
    return np.percentile(own[used] / other[used], [50, 16, 84])


def parity_rows(own: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """Return the rows of the table of agreement."""
    lines = []
    fitted = converged(own, others)
    for name, theirs in STATMORPH.items():
        a, b = column(own, name), column(others, theirs)
        used = np.isfinite(a) & (b != -99.0)
        if name.startswith("sersic_"):
            used &= fitted
        a, b = a[used], b[used]
        rank = spearmanr(a, b).statistic
        middle, low, high = ratios(a, b)
        missed = [] if rank >= _GOAL else ["Spearman below 0.99"]
        limit = 0.03 if name in ("sersic_index", "sersic_radius") else 0.01
        if not name.startswith(_FREE) or limit == 0.03:
            missed += [] if abs(middle - 1.0) <= limit else ["ratio"]
        lines.append(
            f"| `{name}` | `{theirs}` | {used.sum()} | {rank:.4f} | {middle:.4f} | {low:.4f} | "
            f"{high:.4f} | {'missed: ' + ', '.join(missed) if missed else ''} |"
        )
    return "\n".join(lines) + "\n"


def converged(own: list[dict[str, float]], others: list[dict[str, float]]) -> NDArray[np.bool_]:
    """Return where both fits converged."""
    from galfeat.features.flux.flags import SERSIC_AT_BOUND, SERSIC_FAILED, SERSIC_SKIPPED

    bits = column(own, "bits").astype(np.int64)
    bad = (bits & (SERSIC_FAILED | SERSIC_AT_BOUND | SERSIC_SKIPPED)) != 0
    return np.asarray(~bad & (column(others, "flag_sersic") == 0.0))


def column(rows: list[dict[str, float]], name: str) -> NDArray[np.float64]:
    """Return a value of each row, NaN where it is missing."""
    return np.array([row.get(name, np.nan) for row in rows])


def differences(own: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """Return the text on differences of the fit."""
    used = converged(own, others)
    index, radius, chi = (
        np.median((column(own, f"plain_{name}") / column(others, STATMORPH[name]))[used])
        for name in ("sersic_index", "sersic_radius", "sersic_chi2")
    )
    full = np.median((column(own, "sersic_index") / column(others, "sersic_n"))[used])
    return DIFFERENCES.format(index=100 * (full - 1), plain=index, plain_radius=radius, chi=chi)


def published_rows(own: dict[str, float]) -> str:
    """Return the rows of statmorph's test image."""
    names = {theirs: name for name, theirs in STATMORPH.items()}
    return "".join(
        f"| `{names[theirs]}` | `{theirs}` | {value:.5f} | {own[names[theirs]]:.5f} |\n"
        for theirs, value in PUBLISHED.items()
    )


def time_text(own: list[dict[str, float]], others: list[dict[str, float]]) -> str:
    """Return the section on time."""
    lines, factors = [], {}
    for title, name in (("without the fit", "seconds_without"), ("with the fit", "seconds")):
        a, b = column(own, name), column(others, name)
        factors[name] = b / a
        low, middle, high = np.percentile(b / a, [16, 50, 84])
        lines.append(
            f"| {title} | {1e3 * np.median(b):.0f} ms | {1e3 * np.median(a):.2f} ms | "
            f"{middle:.0f} | {low:.0f} | {high:.0f} |"
        )
    size = column(others, "nx_stamp")
    sizes = []
    for low, high in ((0, 60), (60, 110), (110, 210), (210, 10_000)):
        used = (size >= low) & (size < high)
        if used.any():
            title = f"{low} to {high - 1} px" if high < 10_000 else f"from {low} px"
            fast, slow = (np.median(factors[k][used]) for k in ("seconds_without", "seconds"))
            sizes.append(f"| {title} | {used.sum()} | {fast:.0f} | {slow:.0f} |")
    return TIME.format(rows="\n".join(lines) + "\n", sizes="\n".join(sizes))


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--cache", type=click.Path(path_type=Path), help="File for statmorph's results.")
@click.option("--drawn", default=60, show_default=True, help="Drawn galaxies per kind.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(folder: Path, cache: Path | None, drawn: int, output: Path) -> None:
    """Compare and write the page."""
    import statmorph

    stored: dict[str, dict[str, float]] = {}
    if cache is not None and cache.exists():
        stored = json.loads(cache.read_text())
    own: list[dict[str, float]] = []
    others: list[dict[str, float]] = []
    kinds: dict[str, int] = {}
    names: list[str] = []
    for galaxy in galaxies(folder):
        own.append(run_galfeat(galaxy))
        if galaxy.name not in stored:
            stored[galaxy.name] = run_statmorph(galaxy)
            if cache is not None:
                cache.write_text(json.dumps(stored))
        others.append(stored[galaxy.name])
        names.append(galaxy.name)
        kinds[galaxy.kind] = kinds.get(galaxy.kind, 0) + 1
    head = HEAD.format(
        version=statmorph.__version__, number=len(own), fits=int(converged(own, others).sum()),
        kinds=", ".join(f"{number} of {kind}" for kind, number in kinds.items()),
    )  # fmt: skip
    page = head + parity_rows(own, others) + differences(own, others)
    page += published_rows(own[names.index("statmorph_slice.fits")])
    page += recovery_table(drawn) + time_text(own, others)
    with atomic_file(output) as path:
        path.write_text(page, encoding="utf-8")
    click.echo(page)


if __name__ == "__main__":
    main()
