"""Costs of the command line: start, compilation, files, a single galaxy, memory.

Each command runs as a separate process. Wall-clock seconds are reported with the processor time
of the process, which depends less on other load on the machine.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from PIL import Image
from timing import typical_time

from galfeat.data import open_dataset
from galfeat.data.readers.decode import decode_file
from galfeat.data.simulation.simulator import simulate
from galfeat.model_io.folder import load_model

#: Side of the image files in pixels, and their number.
SIDE, FILES = 400, 300

# getrusage of a new process includes the peak memory of its parent, so read /proc instead.
_EXTRACT_AND_PRINT_PEAK = """
import re, sys
from galfeat.data import open_dataset
from galfeat.features import FeatureExtractor
data = open_dataset(sys.argv[1])
rows = [row % len(data) for row in range(int(sys.argv[2]))]
FeatureExtractor().extract(data.select(rows))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))
"""


@dataclass(frozen=True)
class Cost:
    """Wall-clock and processor time in seconds."""

    clock: float
    processor: float


def run(command: Sequence[str], **environment: str) -> Cost:
    """Run a command to completion.

    Raises
    ------
    SystemExit
        If it fails, with its standard error.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as messages:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{messages.read()}")
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime)


def typical_run(command: Sequence[str], times: int = 5, **environment: str) -> Cost:
    """Return the medians over several runs, after a warm-up run."""
    run(command, **environment)
    costs = [run(command, **environment) for _ in range(times)]
    return Cost(median(c.clock for c in costs), median(c.processor for c in costs))


def galfeat(*arguments: str | Path) -> list[str]:
    """Return the galfeat command line with these arguments."""
    return [sys.executable, "-m", "galfeat", *map(str, arguments)]


def write_files(folder: Path, seed: int) -> None:
    """Write simulated galaxies as JPEG files with a table of classes."""
    simulation = simulate(FILES, seed=seed)
    folder.mkdir()
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["filename", "label"])
        for row, (pixels, label) in enumerate(
            zip(simulation.images, simulation.labels, strict=True)
        ):
            picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            picture.save(folder / f"{row:04}.jpg", quality=90)
            table.writerow([f"{row:04}.jpg", simulation.class_names[label]])


def compiling(folder: Path) -> Cost:
    """Return the cost of compiling all kernels with an empty cache."""
    return run(galfeat("warmup"), NUMBA_CACHE_DIR=str(folder / "kernels"))


def decoding(files: Path) -> float:
    """Return the processor time to decode one file, in microseconds."""
    return typical_time(decode_file, sorted(files.glob("*.jpg"))[:50], 3)


def peak_memory(files: Path, number: int) -> float:
    """Return the peak memory of a process that extracts features of images, in 10⁶ bytes.

    If there are fewer files, they are read repeatedly.
    """
    command = [sys.executable, "-c", _EXTRACT_AND_PRINT_PEAK, str(files), str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return 1024e-6 * int(done.stdout)


def warm_classify(model: Path, files: Path) -> float:
    """Return the processor time in ms to classify a decoded image with a loaded model."""
    classifier = load_model(model).set_params(n_jobs=1)
    images = open_dataset(files).read(range(20))
    return 1e-3 * typical_time(lambda image: classifier.classify([image]), images)
