"""``galfeat warmup``: compile the numba kernels."""

from __future__ import annotations

import subprocess
import sys
import time

import click

from galfeat.cli.terminal.progress import running_clock

# Two processes share the work; the simulator and the flux account for two fifths of it.
_SIMULATOR_AND_FLUX = """
from galfeat.data.simulation.warmup import warmup as compile_simulator
from galfeat.features.flux.warmup import warmup as compile_flux
compile_simulator()
compile_flux()
"""


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
        other = subprocess.Popen(
            (sys.executable, "-c", _SIMULATOR_AND_FLUX),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # leave Ctrl-C to the parent
        )
        try:
            compile_kernels()
            other.wait()
        finally:
            other.kill()
        compile_simulator()  # load the cached kernels; compile and report errors if that failed
        compile_flux()
    seconds = time.perf_counter() - start
    click.echo(f"kernels ready after {seconds:.1f} s, cached in {cache_folder() or 'memory'}")
