"""Peak memory of classify, evaluate and fit by number of galaxies, for each shipped model.

Run ``python benchmarks/memory.py``, with ``--fit PIPELINE`` for fits too. Memory that the system
can take back at any time, the mapped pages of files, is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from galfeat.data.simulation.simulator import simulate
from galfeat.model_io.manifest import read_manifest
from galfeat.model_io.shipped import SHIPPED, shipped_folder

#: Different galaxies in a file; they are repeated in order.
GALAXIES = 500

#: Runs a command and prints its peak memory in bytes. A thread samples the memory, because the peak
#: that Linux records includes mapped files.
RUN_AND_PRINT_PEAK = """
import sys, threading
done, peak = threading.Event(), 0
def sample():
    global peak
    while not done.wait(0.01):
        status = open("/proc/self/status").read()
        peak = max(peak, int(status.split("RssAnon:")[1].split()[0]))
sampler = threading.Thread(target=sample)
sampler.start()
try:
    from galfeat.__main__ import main
    main()
except SystemExit as error:
    code = error.code
done.set()
sampler.join()
print(1024 * peak)
sys.exit(code)
"""


def write_galaxies(path: Path, number: int, label: str, classes: Sequence[str]) -> None:
    """Write simulated galaxies with classes in turn as an HDF5 file; the images are repeated."""
    source = path.with_name("galaxies.h5")
    if not source.exists():
        with h5py.File(source, "w") as file:
            file["images"] = simulate(GALAXIES, seed=20, jobs=2).images
    with h5py.File(source) as file:
        images = h5py.VirtualSource(file["images"])
        layout = h5py.VirtualLayout((number, *images.shape[1:]), np.uint8)
    for start in range(0, number, GALAXIES):
        stop = min(start + GALAXIES, number)
        layout[start:stop] = images[: stop - start]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("images", layout)
        file[label] = np.arange(number) % len(classes)
        file[label].attrs["class_names"] = list(classes)


def peak(*arguments: str | Path) -> float:
    """Return the peak memory of a command in 10⁶ bytes."""
    command = [sys.executable, "-c", RUN_AND_PRINT_PEAK, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"galfeat {' '.join(map(str, arguments))} failed:\n{done.stderr}")
    return 1e-6 * int(done.stdout.split()[-1])


def report(name: str, sizes: Sequence[int], peaks: Sequence[float]) -> None:
    """Print the peaks of a command, and the growth per galaxy."""
    growth = 1e3 * (peaks[-1] - peaks[0]) / (sizes[-1] - sizes[0])
    shown = "  ".join(f"{number:>7.0f} MB" for number in peaks)
    print(f"{name:<28}{shown}  {growth:>7.1f} kB per galaxy", flush=True)


def main() -> None:
    """Measure the commands and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 4000])
    parser.add_argument("--models", nargs="*", default=SHIPPED)
    parser.add_argument("--fit", metavar="PIPELINE", nargs="*", default=[])
    options = parser.parse_args()
    print(f"{'galaxies':<28}" + "  ".join(f"{size:>10,}" for size in options.sizes))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in options.models:
            manifest = read_manifest(shipped_folder(model))
            files = [folder / f"{model}-{size}.h5" for size in options.sizes]
            for file, size in zip(files, options.sizes, strict=True):
                write_galaxies(file, size, manifest["label_column"], manifest["classes"])
            for verb, output in (("classify", "-o"), ("evaluate", "--json")):
                peaks = [peak(verb, model, file, output, folder / "rows.csv") for file in files]
                report(f"{verb} {model}", options.sizes, peaks)
        for pipeline in options.fit:
            peaks = []
            for size in options.sizes:
                write_galaxies(folder / "fit.h5", size, "ans", [f"class {k}" for k in range(4)])
                fit = ("fit", folder / "fit.h5", "--pipeline", pipeline, "-o", folder / "model")
                peaks.append(peak(*fit))
            report(f"fit {pipeline}", options.sizes, peaks)


if __name__ == "__main__":
    main()
