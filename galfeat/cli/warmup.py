"""``galfeat warmup``: compile the kernels once."""

from __future__ import annotations

import subprocess
import sys
import time

import click

from galfeat.cli.progress import running_clock

# Two processes share the work: a sixth of it is the simulator's.
_SIMULATOR = "from galfeat.data.simulation.warmup import warmup; warmup()"


@click.command()
def warmup() -> None:
    """Compile the kernels now.

    The next command then starts at once. Compiled kernels are kept in the user's cache
    folder, or in NUMBA_CACHE_DIR, and are compiled again after an update of galfeat.
    Once they are there, that folder may be read-only, as in an image of a container.
    """
    from galfeat.data.simulation.warmup import warmup as compile_simulator
    from galfeat.features.warmup import warmup as compile_kernels
    from galfeat.kernels import cache_folder

    start = time.perf_counter()
    with running_clock("compiling kernels"):
        beside = subprocess.Popen(
            (sys.executable, "-c", _SIMULATOR),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the command to answer
        )
        compile_kernels()
        beside.wait()
        compile_simulator()  # loads what was kept; compiles and complains where that failed
    seconds = time.perf_counter() - start
    click.echo(f"kernels ready after {seconds:.1f} s, kept in {cache_folder() or 'memory'}")
