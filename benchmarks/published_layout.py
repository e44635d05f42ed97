"""Costs of the published Galaxy10 layout against contiguous and packed files, in one run.

Simulated galaxies are written in the chunks of the published file, contiguously, and packed by
``galfeat data pack``. Each command runs as a separate process, all layouts in turn; the table has
medians of wall-clock seconds and the highest peak memory. The extracted features must be equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from memory import peak

LAYOUTS = ("contiguous", "published", "packed")


def commands(data: Path, output: Path) -> dict[str, list[str | Path]]:
    """Return the commands to time, by name."""
    random = ("--seed", "0")
    return {
        "extract": ["extract", data, "-o", output.with_suffix(".npz")],
        "classify --per-class 5": [
            *("classify", "simulated", data, "--per-class", "5", *random),
            *("-o", output.with_suffix(".csv")),
        ],
        "data info": ["data", "info", data],
    }


def write_files(folder: Path, number: int) -> dict[str, Path]:
    """Write the same galaxies in each layout, and print sizes and seconds."""
    files = {layout: folder / f"{layout}.h5" for layout in LAYOUTS}
    for layout, path in files.items():
        start = time.perf_counter()
        if layout == "packed":
            memory = peak("data", "pack", files["published"], path)
        else:
            simulate = ("data", "simulate", "-n", str(number), "--layout", layout)
            memory = peak(*simulate, "-o", path)
        seconds, size = time.perf_counter() - start, 1e-9 * path.stat().st_size
        print(f"{layout:<12}{size:6.2f} GB, written in {seconds:.0f} s, peak {memory:.0f} MB")
    return files


def measure(files: dict[str, Path], folder: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return seconds by command and layout; print the table of medians and peaks."""
    seconds: dict[str, dict[str, list[float]]] = {}
    memory: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for layout, path in files.items():
            for name, command in commands(path, folder / layout).items():
                start = time.perf_counter()
                used = peak(*command)
                elapsed = time.perf_counter() - start
                seconds.setdefault(name, {}).setdefault(layout, []).append(elapsed)
                peaks = memory.setdefault(name, {})
                peaks[layout] = max(used, peaks.get(layout, 0))
    print(f"{'':<24}" + "".join(f"{layout:>20}" for layout in files))
    for name, by_layout in seconds.items():
        cells = (f"{median(by_layout[key]):.1f} s, {memory[name][key]:.0f} MB" for key in files)
        print(f"{name:<24}" + "".join(f"{cell:>20}" for cell in cells))
    return seconds


def check_equal(folder: Path) -> None:
    """Check that the features extracted from all layouts are equal to the last bit.

    Raises
    ------
    SystemExit
        If they differ.
    """
    tables = [np.load(folder / f"{layout}.npz")["values"] for layout in LAYOUTS]
    if not all(np.array_equal(tables[0], table, equal_nan=True) for table in tables[1:]):
        raise SystemExit("the features differ between the layouts")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files, time the commands and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=17_736)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = measure(write_files(folder, options.number), folder, options.rounds)
        check_equal(folder)
    ratio = median(
        np.divide(seconds["extract"]["published"], seconds["extract"]["contiguous"]).tolist()
    )
    print(f"extract, published / contiguous: {ratio:.2f}; features equal")


if __name__ == "__main__":
    main(sys.argv[1:])
