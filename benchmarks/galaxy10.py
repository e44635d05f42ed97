"""Time and memory of ``galfeat benchmark galaxy10`` on simulated images in the published layout.

Run ``python benchmarks/galaxy10.py``. Prints wall-clock time, processor time of all processes, and
the peak of their memory, in which pages that processes share count once.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Return a process and all processes it has started, directly or not."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:  # the thread has ended
            continue
        found += [other for child in children for other in descendants(int(child))]
    return found


def memory_mb(pid: int) -> float:
    """Return the memory of a process in 10⁶ bytes, shared pages divided among processes."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # the process has ended
        return 0.0
    return sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE))) * 1024e-6


def main() -> None:
    """Simulate the data if necessary, run the command, and print its costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=17_736)
    parser.add_argument("--data", type=Path, help="file to use instead of simulating one")
    parser.add_argument("--output", type=Path, help="folder of the results")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("options", nargs="*", help="further options of the command, after --")
    options = parser.parse_args()
    galfeat = [sys.executable, "-m", "galfeat"]
    with tempfile.TemporaryDirectory() as name:
        data, output = options.data or Path(name, "data.h5"), options.output or Path(name, "out")
        if options.data is None:
            simulate = ["data", "simulate", "-n", str(options.number), "--layout", "published"]
            subprocess.run([*galfeat, *simulate, "-o", data], check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start, peak = time.perf_counter(), 0.0
        command = ["benchmark", "galaxy10", "--data", data, "-o", output, "--jobs"]
        process = subprocess.Popen([*galfeat, *command, str(options.jobs), *options.options])
        while process.poll() is None:
            peak = max(peak, sum(map(memory_mb, descendants(process.pid))))
            time.sleep(0.5)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"\nexit code {process.returncode}, {seconds:.0f} s, {processor:.0f} s of processor time, "
        f"peak memory {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
