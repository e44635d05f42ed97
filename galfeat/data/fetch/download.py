"""Download a file whose SHA-256 is known: resume after a break, check, then name it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from galfeat.data.fetch.transfer import (
    ATTEMPTS,
    ServerRefusedError,
    TransferBrokenError,
    ask,
    check_address,
    content_length,
    pieces,
)
from galfeat.errors import FetchError, OutputError

Progress = Callable[[int, int], None]


def download(
    urls: Sequence[str],
    target: str | Path,
    sha256: str,
    *,
    progress: Progress | None = None,
    timeout: float = 30.0,
    pause: float = 1.0,
) -> Path:
    """Download a file and give it its name once its SHA-256 is right.

    What has come so far lies in ``<target>.part``, with its origin in
    ``<target>.part.json``, and is resumed, in the same call or a later one, as long as the
    server still has the same version of the file (a strong ETag). Otherwise the download
    starts anew.

    Parameters
    ----------
    urls : sequence of str
        Mirrors, http or https, tried in order.
    target : str or Path
        The final name. A file there with the right digest is kept and nothing downloaded;
        another is replaced when the download is whole.
    sha256 : str
        64 hexadecimal digits.
    progress : callable, optional
        Called with the bytes that are there and the bytes there will be.
    timeout : float, default 30
        Seconds without a byte after which the connection counts as broken.
    pause : float, default 1
        Seconds before another attempt; doubled with each in a row that brought nothing.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    FetchError
        If no mirror gave the file; nothing is changed under its name.
    OutputError
        If it cannot be written.
    """
    digest = sha256.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise FetchError(f"{sha256!r} is no SHA-256; expected 64 hexadecimal digits")
    for url in urls:
        check_address(url)
    target = Path(target)
    if target.is_file() and file_sha256(target) == digest:
        return target
    partial = _Partial(target)
    failures: list[str] = []
    for url in urls:
        try:
            _complete(url, partial, progress, timeout, pause)
        except ServerRefusedError as error:
            failures.append(f"{url}: {error}")
            continue
        found = file_sha256(partial.path)
        if found == digest:
            return partial.finish()
        partial.discard()
        failures.append(f"{url}: its SHA-256 is {found}, expected {digest}")
    raise FetchError(
        f"{target.name} could not be fetched ({'; '.join(failures)}); "
        "check the address, the SHA-256 and the connection, and run the command again: a broken "
        "download is resumed, a wrong file fetched anew"
    )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class _Partial:
    """The part of a file that has come so far, and which version of it that is."""

    target: Path

    def __post_init__(self) -> None:
        self.path = self.target.with_name(self.target.name + ".part")
        self.origin = self.target.with_name(self.target.name + ".part.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def etag(self, url: str) -> str | None:
        """Return the version to go on with, if this URL gave it and can be asked for it."""
        try:
            known = json.loads(self.origin.read_text(encoding="utf-8"))
            etag = known["etag"] if known["url"] == url and self.size() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return etag if isinstance(etag, str) else None

    def restart(self, url: str, etag: str | None) -> None:
        """Forget what is there and note where the new bytes come from."""
        try:
            self.origin.unlink(missing_ok=True)
            self.path.write_bytes(b"")
            self.origin.write_text(json.dumps({"url": url, "etag": etag}), encoding="utf-8")
        except OSError as error:
            raise self._cannot_write(error) from error

    def append(self, pieces: Iterable[bytes], heard: Callable[[int], None]) -> None:
        """Write pieces to the end as they come."""
        try:
            with self.path.open("ab") as stream:
                for piece in pieces:
                    stream.write(piece)
                    stream.flush()
                    heard(stream.tell())
        except OSError as error:
            raise self._cannot_write(error) from error

    def finish(self) -> Path:
        try:
            with self.path.open("rb+") as stream:
                os.fsync(stream.fileno())
            self.path.replace(self.target)
            self.origin.unlink(missing_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from error
        return self.target

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write {self.path}: {error.strerror or error}; "
            "name a place in an existing, writable folder with space left"
        )


def _complete(
    url: str, partial: _Partial, progress: Progress | None, timeout: float, pause: float
) -> None:
    """Transfer until the file is whole, however often the connection breaks."""
    furthest = fruitless = 0
    while True:
        try:
            return _transfer(url, partial, progress, timeout)
        except TransferBrokenError as error:
            fruitless = 0 if partial.size() > furthest else fruitless + 1
            furthest = max(furthest, partial.size())
            if fruitless == ATTEMPTS:
                raise ServerRefusedError(f"{error}, {ATTEMPTS} times in a row") from error
        time.sleep(pause * 2 ** max(fruitless - 1, 0))


def _transfer(url: str, partial: _Partial, progress: Progress | None, timeout: float) -> None:
    """Ask once for what is missing and write what comes."""
    etag = partial.etag(url)
    headers = {}
    if etag is not None:
        headers = {"Range": f"bytes={partial.size()}-", "If-Range": etag}
    response = _ask(url, headers, partial, timeout)
    if response is None:
        return
    with response:
        total = _begin(url, etag, partial, response)
        partial.append(
            pieces(response, timeout),
            lambda size: progress(size, total or size) if progress else None,
        )
    if total is not None and partial.size() != total:
        raise TransferBrokenError(f"the connection ended at {partial.size()} of {total} bytes")


def _ask(
    url: str, headers: dict[str, str], partial: _Partial, timeout: float
) -> http.client.HTTPResponse | None:
    """Return the server's answer, or None if it has nothing beyond what is there."""
    try:
        return ask(url, timeout, headers)
    except ServerRefusedError as error:
        if error.code != 416:
            raise
        if error.headers.get("Content-Range") == f"bytes */{partial.size()}":
            return None
        partial.discard()
        raise TransferBrokenError(str(error)) from error


def _begin(
    url: str, etag: str | None, partial: _Partial, response: http.client.HTTPResponse
) -> int | None:
    """See whether a response goes on or starts anew; return the size of the whole file."""
    now = response.headers.get("ETag")
    if response.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if span and int(span[1]) == partial.size() and now in (None, etag):
            return int(span[2])
        partial.discard()
        raise TransferBrokenError("the server sent another part than was asked for")
    strong = now is not None and not now.startswith("W/")
    partial.restart(url, now if strong else None)
    return content_length(response)
