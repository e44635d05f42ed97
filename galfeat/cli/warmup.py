"""``galfeat warmup``: compile the numba kernels."""

from __future__ import annotations

import subprocess
import sys
import time

import click

from galfeat.cli.progress import running_clock

# Two processes share the work; the simulator accounts for a sixth of it.
_SIMULATOR = "from galfeat.data.simulation.warmup import warmup; warmup()"


@click.command()
def warmup() -> None:
    """Compile the kernels in advance.

    Other commands then start without delay. Compiled kernels are cached in the user's cache
    folder, or in NUMBA_CACHE_DIR, and recompiled after an update of galfeat. Afterwards the
    cache may be read-only, as in a container image.
    """
    from galfeat.data.simulation.warmup import warmup as compile_simulator
    from galfeat.features.flux.warmup import warmup as compile_flux
    from galfeat.features.warmup import warmup as compile_kernels
    from galfeat.kernels import cache_folder

    start = time.perf_counter()
    with running_clock("compiling kernels"):
        simulator = subprocess.Popen(
            (sys.executable, "-c", _SIMULATOR),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # leave Ctrl-C to the parent
        )
        try:
            compile_kernels()
            compile_flux()
            simulator.wait()
        finally:
            simulator.kill()
        compile_simulator()  # load the cached kernels; compile and report errors if that failed
    seconds = time.perf_counter() - start
    click.echo(f"kernels ready after {seconds:.1f} s, cached in {cache_folder() or 'memory'}")
