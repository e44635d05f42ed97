"""The handler of `/api/classify`: images of a request are classified one after another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from galfeat.classifier import GalaxyClassifier
from galfeat.errors import ImageError
from galfeat.web.decoders import Decoders
from galfeat.web.request_limits import client_address
from galfeat.web.results import Result, classify_upload
from galfeat.web.uploads import MAX_BYTES
from galfeat.web.worker_pool import BusyError, Workers

#: Maximum number of images per request.
MAX_IMAGES = 8
#: Maximum number of characters of a file name that are returned.
_LONGEST_NAME = 255


class _File(NamedTuple):
    """A file of a form, or the body of another request, without content if it is too large."""

    number: int
    id: str
    name: str | None
    size: int
    content: bytes | None


class _Failure(NamedTuple):
    file: _File
    status: int
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"number": self.file.number, "file": self.file.name, "error": self.text}


async def classify(request: Request) -> Response:
    """Respond with the results of all images of a request that can be classified.

    Raises
    ------
    BusyError
        If the queue is full and nothing has been classified.
    ClientDisconnected
        If the client disconnected before.
    HTTPException
        If there is no image.
    """
    files, is_form = await _files(request)
    state = request.app.state
    disconnected = asyncio.ensure_future(_wait_for_disconnect(request))
    cancelled = threading.Event()
    disconnected.add_done_callback(lambda _: cancelled.set())
    work = partial(_classify, state.content.classifier, state.decoders, cancelled)
    try:
        results, failures = await _classify_files(
            files, work, state.workers, disconnected, client_address(request.scope)
        )
    finally:
        disconnected.cancel()
    errors = [failure.to_json() for failure in failures]
    if not results:
        body = {"error": _summary(failures), **({"errors": errors} if is_form else {})}
        statuses = {failure.status for failure in failures}
        return JSONResponse(body, statuses.pop() if len(statuses) == 1 else 422)
    model = state.content.model_info["name"]
    return JSONResponse({"galaxies": results, "errors": errors, "model": model})


async def _classify_files(
    files: Sequence[_File],
    work: Any,  # noqa: ANN401
    workers: Workers,
    disconnected: asyncio.Future[None],
    address: str,
) -> tuple[list[Result], list[_Failure]]:
    """Classify one image at a time.

    Each image of a form queues like a request of its own, and decoding eight large images at once
    would exhaust memory. If the queue is full in the end, what has been classified is kept.
    """
    results: list[Result] = []
    failures: list[_Failure] = []
    for file in files:
        if file.content is None:
            text = f"the image has {file.size:,} bytes; send at most {MAX_BYTES:,}"
            failures.append(_Failure(file, 413, text))
            continue
        try:
            result = await workers.run(partial(work, file), disconnected, address)
        except ImageError as error:
            failures.append(_Failure(file, 422, str(error)))
        except BusyError as error:
            if not results:
                raise
            failures += [_Failure(rest, 503, str(error)) for rest in files[file.number :]]
            break
        else:
            results.append(result)
    return results, failures


def _classify(
    classifier: GalaxyClassifier, decoders: Decoders, cancelled: threading.Event, file: _File
) -> Result:
    assert file.content is not None
    result = classify_upload(classifier, decoders.decode(file.content, cancelled), file.id)
    return {**result, "file": file.name}


def _summary(failures: Sequence[_Failure]) -> str:
    if len(failures) == 1:
        return failures[0].text
    return f"none of the {len(failures)} images can be classified; see the error of each"


async def _wait_for_disconnect(request: Request) -> None:
    """Wait until the client disconnects; its body must have been received."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _files(request: Request) -> tuple[Sequence[_File], bool]:
    """Return the images in a request, and whether it is a form."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "multipart/form-data":
        body = await request.body()
        if not body:
            raise HTTPException(400, "the request is empty; send an image as its body")
        return [_File(0, "upload", None, len(body), body)], False
    async with request.form(max_files=MAX_IMAGES, max_fields=8, max_part_size=4096) as form:
        uploads = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not uploads:
            raise HTTPException(400, "the form contains no file; send images as files")
        return [await _file(number, upload) for number, upload in enumerate(uploads)], True


async def _file(number: int, upload: UploadFile) -> _File:
    name = (upload.filename or "")[:_LONGEST_NAME] or None
    size = upload.size or 0
    content = None if size > MAX_BYTES else await upload.read()
    return _File(number, f"upload-{number}", name, size, content)
