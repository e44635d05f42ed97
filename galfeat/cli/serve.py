"""``galfeat serve``: the web page with the button."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from galfeat.cli.options import seed_option, trust_option


@click.command()
@click.option(
    "--model", metavar="MODEL", type=click.Path(path_type=Path),
    help="The model that answers: a folder, or one of `galfeat models`. [default: the first of "
    "these; with simulated galaxies the one fitted to such]",
)  # fmt: skip
@click.option(
    "--samples", metavar="DATA",
    help="Labelled galaxies to draw the samples from. [default: simulated ones]",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, envvar="PORT", show_default=True,
    show_envvar=True, help="Port to listen on.",
)  # fmt: skip
@trust_option
@click.option(
    "--threads", metavar="N", type=click.IntRange(min=1), default=2, show_default=True,
    help="Threads that measure what visitors send.",
)  # fmt: skip
@seed_option
def serve(
    model: Path | None,
    samples: str | None,
    host: str,
    port: int,
    trust: bool,
    threads: int,
    seed: int,
) -> None:
    """Show a random galaxy at the press of a button, what a model says of it, and why.

    Without --samples the galaxies are simulated; `galfeat data fetch samples` gets real ones. The
    page also takes an image of one's own, and there is an API: see /openapi.json. Nothing
    a visitor sends is kept.
    """
    with ExitStack() as running:
        with _lasting():
            import uvicorn

            from galfeat.data.readers.decode import decoding
            from galfeat.web.app import create_app
            from galfeat.web.connection import configure, listening
            from galfeat.web.serving import prepare

            listener = running.enter_context(listening(host, port))
            shown = prepare(model, samples, seed=seed, trust=trust, threads=threads)
            server = uvicorn.Server(configure(create_app(shown, threads=threads), host, port))
        name, number = shown.model_of_samples["name"], listener.getsockname()[1]
        click.echo(f"{len(shown.samples)} galaxies, model {name}, on http://{host}:{number}")
        with suppress(KeyboardInterrupt), decoding():
            server.run(sockets=[listener])


@contextmanager
def _lasting() -> Iterator[None]:
    """Keep what is made in this block out of the garbage collector's way.

    It stays as long as the server runs. To look through all of it takes the collector a tenth of a
    second, in which nobody is answered.
    """
    gc.disable()
    try:
        yield
        gc.collect()
        gc.freeze()
    finally:
        gc.enable()
