"""The web application: routes and their handlers."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from galfeat.classifier import GalaxyClassifier
from galfeat.data.fetch.cutouts import CREDIT
from galfeat.web.classification import MAX_IMAGES, classify
from galfeat.web.decoders import Decoders
from galfeat.web.openapi import description
from galfeat.web.pages import page
from galfeat.web.request_limits import MAX_BODY, RequestGuard
from galfeat.web.samples import Sample
from galfeat.web.worker_pool import BusyError, ClientDisconnected, Workers

HERE = Path(__file__).resolve().parent
STATIC, PREVIEW = "/static", "preview.jpg"
#: Maximum number of images in progress or queued.
MAX_WAITING = 32


@dataclass(frozen=True, eq=False)
class Content:
    """Models and sample galaxies served by the application.

    Attributes
    ----------
    classifier : GalaxyClassifier
        Classifies uploaded images.
    model_info : dict
        Description of `classifier`, served as `/api/model`; see `galfeat.web.model_info`.
    samples : list of Sample
        The sample galaxies.
    sample_model_info : dict
        Description of the model that classified the samples.
    notice : str
        Note on samples and models for visitors; may be empty.
    """

    classifier: GalaxyClassifier
    model_info: dict[str, Any]
    samples: list[Sample]
    sample_model_info: dict[str, Any]
    notice: str = ""


def create_app(
    content: Content, *, threads: int = 2, decoders: Decoders | None = None
) -> Starlette:
    """Return the application, ready to serve.

    Parameters
    ----------
    content : Content
    threads : int
        Number of threads that measure uploaded images.
    decoders : Decoders, optional
        Decode uploaded images, in at least as many processes; closed with the application.

    Examples
    --------
    >>> from galfeat.web import create_app, prepare
    >>> app = create_app(prepare("simulated", samples=None))
    >>> [route.path for route in app.routes if route.path.startswith("/api/")]
    ['/api/sample', '/api/classify', '/api/model']
    """
    # Uploads are never written to disk: larger bodies are refused before. Malformed forms are
    # reported to the client, not logged.
    MultiPartParser.spool_max_size = MAX_BODY
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    workers = Workers(threads, MAX_WAITING)
    decoders = decoders or Decoders(threads)
    counts: dict[tuple[str, int], int] = {}
    values = {
        "model": content.sample_model_info, "upload_model": content.model_info,
        "notice": content.notice, "samples": [sample.result for sample in content.samples],
        "credit": CREDIT, "most": MAX_IMAGES,
    }  # fmt: skip

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        decoders.start()
        yield
        workers.close()
        decoders.close()

    app = Starlette(
        routes=[
            Route("/", page("index.html", **values)),
            Route("/about", page("about.html", **values)),
            Route("/api/sample", _sample),
            Route("/api/classify", classify, methods=["POST"]),
            Route("/api/model", _model),
            Route("/samples/{number}.jpg", _picture),
            Route("/openapi.json", _openapi),
            Route("/healthz", _health),
            Route("/readyz", _health),
            Route("/metrics", _metrics),
            Mount(STATIC, _Static(directory=HERE / "static")),
        ],
        middleware=[Middleware(Counter, counts=counts), Middleware(RequestGuard)],
        exception_handlers={
            HTTPException: _http_error,
            BusyError: _busy,
            ClientDisconnected: _disconnected,
        },
        lifespan=lifespan,
    )
    # Keyed by text: int() raises for a number of 5,000 digits.
    app.state.numbered = {str(number): sample for number, sample in enumerate(content.samples)}
    app.router.redirect_slashes = False
    app.state.content, app.state.workers, app.state.counts = content, workers, counts
    app.state.decoders = decoders
    return app


class _Static(StaticFiles):
    """Static files that browsers revalidate, so page and script always match."""

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401
        """Return a file, or 304 if it has not changed."""
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "no-cache"
        if Path(args[0]).name == PREVIEW:  # other sites show it beside links
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


class Counter:
    """ASGI middleware that counts responses by path and status."""

    def __init__(self, app: Any, counts: dict[tuple[str, int], int]) -> None:  # noqa: ANN401
        self._app, self._counts = app, counts

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Serve one request."""

        async def counted(message: Any) -> None:  # noqa: ANN401
            if message["type"] == "http.response.start":
                route = scope.get("route")
                key = (getattr(route, "path", "other"), message["status"])
                self._counts[key] = self._counts.get(key, 0) + 1
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)


async def _sample(request: Request) -> Response:
    content: Content = request.app.state.content
    body = random.choice(content.samples).json
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


async def _picture(request: Request) -> Response:
    content: Content = request.app.state.content
    sample = request.app.state.numbered.get(request.path_params["number"])
    if sample is None:
        last = len(content.samples) - 1
        raise HTTPException(404, f"no such sample; use a number from 0 to {last}")
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(sample.picture, media_type="image/jpeg", headers=headers)


async def _model(request: Request) -> Response:
    return JSONResponse(request.app.state.content.model_info)


async def _openapi(_: Request) -> Response:
    return JSONResponse(description())


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _metrics(request: Request) -> Response:
    lines = ["# HELP galfeat_responses_total Responses by path and status.",
             "# TYPE galfeat_responses_total counter"]  # fmt: skip
    for (path, status), count in sorted(request.app.state.counts.items()):
        lines.append(f'galfeat_responses_total{{path="{path}",status="{status}"}} {count}')
    lines += [
        "# HELP galfeat_waiting Uploads in progress or queued.", "# TYPE galfeat_waiting gauge",
        f"galfeat_waiting {request.app.state.workers.waiting}",
    ]  # fmt: skip
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _disconnected(_: Request, error: Exception) -> Response:
    raise ClientDisconnect from error


async def _busy(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "1"})
