"""The speed of galfeat compared with other packages, in one run on one thread.

    python benchmarks/features.py [--images 100] [--size 256] [--seed 0] [--kept FILE]

Kernels and families: processor time per image, the minimum over rounds, then the median over
images. All default features: processor time per batch, the minimum over rounds; on two threads
wall-clock time. Commands: median wall-clock time over runs, with processor time in brackets.

The results are stored, and the next run reports lines that became slower or faster by a quarter.
Times are compared relative to a numpy transform in the same run, so a slower machine has no
effect. References that are not installed are skipped: pip install 'galfeat[bench]'.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import command_line
import numpy as np
from command_line import Cost, galfeat, typical_run
from kept_figures import Figure, Run, compare_runs, read_run, write_run
from numpy.typing import NDArray
from references import Pair, pairs
from threadpoolctl import threadpool_limits
from timing import best_times, calibration, typical_time

from galfeat.data import pixel_digest
from galfeat.data.simulation.simulator import simulate
from galfeat.features import DEFAULT_FAMILIES, FeatureExtractor, embedding
from galfeat.features.warmup import warmup
from galfeat.frame import measure_frame

_KEPT = Path(__file__).parent / ".kept.json"
_ROUNDS = 7


class Report:
    """Prints lines and collects their figures."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def heading(self, text: str) -> None:
        """Start a section."""
        click.echo(f"\n{text}")

    def line(self, name: str, text: str, figure: Figure | None = None) -> None:
        """Print a line."""
        click.echo(f"  {name:28} {text}")
        if figure is not None:
            self.figures[name] = figure

    def command(self, name: str, cost: Cost, goal: str = "") -> None:
        """Print the cost of a command."""
        text = f"{cost.clock:6.2f} s  ({cost.processor:.2f} s){goal}"
        self.line(name, text, Figure(cost.processor, "s"))


def images_of(number: int, size: int, seed: int) -> list[NDArray[np.uint8]]:
    """Return simulated galaxies, cropped or padded by reflection to a size."""
    simulated = simulate(number, seed=seed).images
    extra = max(size - simulated.shape[1], 0)
    wide = np.pad(simulated, ((0, 0), (0, extra), (0, extra), (0, 0)), mode="reflect")
    return [np.ascontiguousarray(image) for image in wide[:, :size, :size]]


def report_throughput(report: Report, images: Sequence[NDArray[np.uint8]]) -> None:
    """Measure all default features on one and two threads."""
    extractors = [FeatureExtractor(n_jobs=jobs) for jobs in (1, 2)]
    clock, processor = np.full(2, np.inf), np.inf
    for _ in range(_ROUNDS):
        for row, extractor in enumerate(extractors):
            start, used = time.perf_counter(), time.process_time()
            extractor.extract(list(images))
            clock[row] = min(clock[row], time.perf_counter() - start)
            if row == 0:
                processor = min(processor, time.process_time() - used)
    rate, rates = len(images) / processor, len(images) / clock
    frame = best_times(measure_frame, images, 3).sum() * 1e-6 / processor
    digest = best_times(pixel_digest, images, 3).sum() * 1e-6 / processor
    report.heading("all default features: " + ", ".join(DEFAULT_FAMILIES))
    report.line("one thread", f"{rate:6.0f} images/s  goal 450, aim 1000", Figure(rate, "images/s"))
    report.line("of which", f"{100 * frame:6.0f} % frame, {100 * digest:.0f} % pixel digest")
    report.line(
        "two threads",
        f"{rates[1]:6.0f} images/s, {rates[1] / rates[0]:.2f}× one ({rates[0]:.0f}), wall clock"
        "  goal 1.8×",
    )


def report_references(report: Report, images: Sequence[NDArray[np.uint8]]) -> None:
    """Measure kernels and families with their references."""
    frames = [frame for frame in map(measure_frame, images) if frame is not None]
    report.heading(f"{'':28} galfeat      reference      ratio")
    for pair in pairs(images, frames):
        measured = report.figures.get(pair.name)  # a family may have several references
        own = typical_time(pair.own, pair.items) if measured is None else measured.value
        report.line(pair.name, f"{own:6.0f} µs {_reference(pair, own)}", Figure(own, "µs"))


def report_embedding(report: Report, images: Sequence[NDArray[np.uint8]]) -> None:
    """Measure the small network on given frames, for one galaxy and on two threads."""
    frames = [frame for frame in map(measure_frame, images) if frame is not None]
    embedding.measure(frames[0])  # open the session
    single = typical_time(embedding.measure, frames)
    clock = np.inf
    with ThreadPoolExecutor(2) as pool:
        for _ in range(_ROUNDS):
            start = time.perf_counter()
            list(pool.map(embedding.measure, frames))
            clock = min(clock, time.perf_counter() - start)
    report.line("embedding, one galaxy", f"{single:6.0f} µs  goal 2000 µs", Figure(single, "µs"))
    report.line("embedding, two threads", f"{len(frames) / clock:6.0f} galaxies/s  goal 1000")


def _reference(pair: Pair, own: float) -> str:
    description = f"{pair.package}: {pair.reference_name}"
    if not pair.installed:
        return f"  not installed          {description}"
    other = typical_time(pair.reference, pair.measured_by_reference, pair.rounds)
    goal = "" if pair.goal is None else f"  goal {pair.goal:.0f}×"
    return f"{other:12.0f} µs {other / own:8.1f}×  {description}{goal}"


def report_commands(report: Report, folder: Path, seed: int) -> None:
    """Measure the command line."""
    files, model, table = folder / "images", folder / "model", folder / "features.npz"
    command_line.write_files(files, seed)
    image = files / "0000.jpg"
    report.heading("the command line, each command as a new process")
    report.command("compile all kernels", command_line.compiling(folder), "  goal 90 s")
    report.command("import galfeat", typical_run([sys.executable, "-c", "import galfeat"]))
    start = typical_run(galfeat("extract", image, "-o", table))
    report.command("extract one image", start)
    all_files = typical_run(galfeat("extract", files, "-o", table), 3)
    decoded = command_line.decoding(files)
    number, side = command_line.FILES, command_line.SIDE
    rest = max((all_files.processor - start.processor) / number, 1e-6)
    report.command(f"extract {number} of {side} px JPEG", all_files)
    report.line(
        "excluding the start", f"{1.0 / rest:6.0f} images/s", Figure(1.0 / rest, "images/s")
    )
    without = f"{1.0 / max(rest - 1e-6 * decoded, 1e-6):.0f} images/s without it"
    report.line("decoding a file", f"{decoded:6.0f} µs, {without}", Figure(decoded, "µs"))
    fit = command_line.run(galfeat("fit", files, "--label", "label", "-o", model))
    report.command(f"fit lightgbm to {number}", fit)
    report.command(
        "classify one image", typical_run(galfeat("classify", model, image)), "  goal 4 s"
    )
    warm = command_line.warm_classify(model, files)
    report.line("classify one, loaded model", f"{warm:6.2f} ms  goal 5 ms", Figure(warm, "ms"))
    few, many = (command_line.peak_memory(files, times * number) for times in (1, 4))
    text = f"{many:6.0f} MB; {number}: {few:.0f} MB  goal equal"
    report.line(f"memory to extract {4 * number}", text, Figure(many, "MB"))


def report_changes(now: Run, path: Path) -> None:
    """Print the changes since the last run, and store this one."""
    before = read_run(path)
    if before is None or before.settings != now.settings:
        lines = [f"no previous run with these settings in {path}; this one is stored"]
    else:
        lines = compare_runs(now, before) or ["no line changed by more than a quarter"]
    click.echo("\nsince the last run")
    for line in lines:
        click.echo(f"  {line}")
    write_run(path, now)


@click.command(help=__doc__)
@click.option("--images", "number", default=100, show_default=True)
@click.option("--size", default=256, show_default=True, help="Side in pixels.")
@click.option("--seed", default=0, show_default=True)
@click.option("--kept", type=click.Path(dir_okay=False, path_type=Path), default=_KEPT)
def main(number: int, size: int, seed: int, kept: Path) -> None:
    """Measure, print, compare with the last run and store the figures."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    report = Report()
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        os.environ["GALFEAT_HOME"] = str(Path(name) / "home")
        warmup()
        calibrations = [calibration()]
        images = images_of(number, size, seed)
        click.echo(f"{number} simulated images of {size}×{size} pixels, RGB, one thread")
        report_throughput(report, images)
        report_references(report, images)
        report_embedding(report, images)
        calibrations.append(calibration())
        report_commands(report, Path(name), seed)
    calibrations.append(calibration())
    settings = {"images": number, "size": size, "seed": seed}
    report_changes(Run(settings, float(np.median(calibrations)), report.figures), kept)


if __name__ == "__main__":
    main()
