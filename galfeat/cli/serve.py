"""``galfeat serve``: run the web page."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from galfeat.cli.options import WholeRange, seed_option, trust_option


@click.command()
@click.option(
    "--model", metavar="MODEL", type=click.Path(path_type=Path),
    help="Model to use: a folder, or a name from `galfeat models`. [default: the first of these; "
    "for simulated galaxies the model fitted to simulated galaxies]",
)  # fmt: skip
@click.option(
    "--samples", metavar="DATA",
    help="Labelled data set to draw sample galaxies from. [default: simulated galaxies]",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=WholeRange(0, 65535), default=8000, envvar="PORT", show_default=True,
    show_envvar=True, help="Port to listen on.",
)  # fmt: skip
@trust_option
@click.option(
    "--threads", metavar="N", type=WholeRange(min=1), default=2, show_default=True,
    help="Number of threads for uploaded images.",
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
    """Serve the web page that classifies galaxies.

    The page shows random galaxies with the predicted class and the reasons for it, and
    classifies uploaded images, which are not stored. Without --samples the galaxies are
    simulated; `galfeat data fetch samples` downloads real ones. The API is described at
    /openapi.json.
    """
    with ExitStack() as running:
        with _exempt_from_collection():
            from galfeat.data.readers.decode import decoding
            from galfeat.web.app import create_app
            from galfeat.web.connection import configure, listening
            from galfeat.web.decoders import Decoders
            from galfeat.web.serving import prepare
            from galfeat.web.shutdown import Server, last_resort

            running.enter_context(last_resort())
            listener = running.enter_context(listening(host, port))
            decoders = Decoders(threads)
            running.callback(decoders.close)
            decoders.start()  # ready before the models are
            content = prepare(model, samples, seed=seed, trust=trust, threads=threads)
            app = create_app(content, threads=threads, decoders=decoders)
            server = Server(configure(app, host, port))
        name, number = content.sample_model_info["name"], listener.getsockname()[1]
        click.echo(
            f"serving {len(content.samples)} galaxies, model {name}, on http://{host}:{number}"
        )
        with suppress(KeyboardInterrupt), decoding():
            server.run(sockets=[listener])


@contextmanager
def _exempt_from_collection() -> Iterator[None]:
    """Exempt objects created in this block from garbage collection.

    They live as long as the server. A collection that visits all of them takes a tenth of a
    second, during which no request is served.
    """
    gc.disable()
    try:
        yield
        gc.collect()
        gc.freeze()
    finally:
        gc.enable()
