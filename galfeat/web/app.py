"""The web application: routes, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from galfeat.classifier import GalaxyClassifier
from galfeat.data.fetch.cutouts import CREDIT
from galfeat.errors import ImageError
from galfeat.web.openapi import description
from galfeat.web.request_limits import MAX_BODY, Guard
from galfeat.web.results import Answer, classify_images
from galfeat.web.samples import Sample
from galfeat.web.uploads import MAX_BYTES, decode_upload
from galfeat.web.worker_pool import BusyError, ClientDisconnected, Workers

HERE = Path(__file__).resolve().parent
STATIC = "/static"
#: Images of one request; requests that may wait for a thread.
MAX_IMAGES, MAX_WAITING = 8, 32


@dataclass(frozen=True, eq=False)
class Shown:
    """What the application shows.

    Attributes
    ----------
    classifier : GalaxyClassifier
        Answers for the images of visitors.
    model : dict
        What `/api/model` says of it: name, classes, what it was fitted to, scores.
    samples : list of Sample
        The galaxies behind the button.
    model_of_samples : dict
        The same of the model that answers for these.
    notice : str
        What a visitor has to know of samples and model; empty if nothing.
    """

    classifier: GalaxyClassifier
    model: dict[str, Any]
    samples: list[Sample]
    model_of_samples: dict[str, Any]
    notice: str = ""


def create_app(shown: Shown, *, threads: int = 2) -> Starlette:
    """Return the application; it is ready when it is made.

    Parameters
    ----------
    shown : Shown
    threads : int
        That measure uploaded galaxies.
    """
    # Nothing a visitor sends is written to disk: what is not kept in memory is refused before. And
    # what is wrong with a form is told to who sent it, not to who serves.
    MultiPartParser.spool_max_size = MAX_BODY
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    workers = Workers(threads, MAX_WAITING)
    counts: dict[tuple[str, int], int] = {}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        workers.close()

    app = Starlette(
        routes=[
            Route("/", _page("index.html", shown)),
            Route("/about", _page("about.html", shown)),
            Route("/api/sample", _sample),
            Route("/api/classify", _classify, methods=["POST"]),
            Route("/api/model", _model),
            Route("/samples/{number}.jpg", _picture),
            Route("/openapi.json", _openapi),
            Route("/healthz", _health),
            Route("/readyz", _health),
            Route("/metrics", _metrics),
            Mount(STATIC, _Static(directory=HERE / "static")),
        ],
        middleware=[Middleware(Counter, counts=counts), Middleware(Guard)],
        exception_handlers={
            HTTPException: _refused,
            ImageError: _not_taken,
            BusyError: _busy,
            ClientDisconnected: _left,
        },
        lifespan=lifespan,
    )
    # By text: a number of 5,000 digits is none to Python.
    app.state.numbered = {str(number): sample for number, sample in enumerate(shown.samples)}
    app.router.redirect_slashes = False
    app.state.shown, app.state.workers, app.state.counts = shown, workers, counts
    return app


class _Static(StaticFiles):
    """Files that a browser asks about before it takes its own copy: page and script go together."""

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401
        """Return a file, or that it has not changed."""
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Counter:
    """ASGI middleware that counts answers by path and status."""

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


def _page(template: str, shown: Shown) -> Any:  # noqa: ANN401
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(),
        trim_blocks=True,
    )  # fmt: skip
    text = environment.get_template(template).render(
        model=shown.model_of_samples, model_of_visitors=shown.model, notice=shown.notice,
        samples=[sample.answer for sample in shown.samples], credit=CREDIT,
    )  # fmt: skip

    async def page(_: Request) -> Response:
        return HTMLResponse(text, headers={"Cache-Control": "no-cache"})

    return page


async def _sample(request: Request) -> Response:
    shown: Shown = request.app.state.shown
    content = random.choice(shown.samples).content
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


async def _picture(request: Request) -> Response:
    shown: Shown = request.app.state.shown
    sample = request.app.state.numbered.get(request.path_params["number"])
    if sample is None:
        raise HTTPException(404, f"there is no such sample; there are {len(shown.samples)}")
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(sample.picture, media_type="image/jpeg", headers=headers)


async def _classify(request: Request) -> Response:
    files = await _files(request)
    shown: Shown = request.app.state.shown

    def answer(name: str, content: bytes) -> Answer:
        (only,) = classify_images(shown.classifier, [decode_upload(content)], [name], [None])
        return only

    leaving = asyncio.ensure_future(_gone(request))
    try:
        # One after the other: a form of eight waits as often as eight visitors do, and eight large
        # images decoded at once would fill the memory.
        answers = [
            await request.app.state.workers.run(partial(answer, name, content), leaving)
            for name, content in files
        ]
    finally:
        leaving.cancel()
    return JSONResponse({"galaxies": answers, "model": shown.model["name"]})


async def _gone(request: Request) -> None:
    """Wait until the visitor has gone, who has sent all there is."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _files(request: Request) -> Sequence[tuple[str, bytes]]:
    """Return names and contents of the images of a request."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "multipart/form-data":
        content = await request.body()
        if not content:
            raise HTTPException(400, "the request holds no image; send one as its body")
        return [("upload", content)]
    async with request.form(max_files=MAX_IMAGES, max_fields=8, max_part_size=4096) as form:
        files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
        if not files:
            raise HTTPException(400, "the form holds no file; send images as files")
        for one in files:
            if (one.size or 0) > MAX_BYTES:
                raise HTTPException(413, f"an image has more than {MAX_BYTES:,} bytes; send less")
        return [(f"upload-{n}", await one.read()) for n, one in enumerate(files)]


async def _model(request: Request) -> Response:
    return JSONResponse(request.app.state.shown.model)


async def _openapi(_: Request) -> Response:
    return JSONResponse(description())


async def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _metrics(request: Request) -> Response:
    lines = ["# HELP galfeat_answers_total Answers by path and status.",
             "# TYPE galfeat_answers_total counter"]  # fmt: skip
    for (path, status), count in sorted(request.app.state.counts.items()):
        lines.append(f'galfeat_answers_total{{path="{path}",status="{status}"}} {count}')
    lines += [
        "# HELP galfeat_waiting Uploads under way or waiting.", "# TYPE galfeat_waiting gauge",
        f"galfeat_waiting {request.app.state.workers.waiting}",
    ]  # fmt: skip
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _not_taken(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _left(_: Request, error: Exception) -> Response:
    raise ClientDisconnect from error


async def _busy(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "1"})
