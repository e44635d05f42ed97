"""Download a file with a known SHA-256: resume broken transfers, verify, then rename."""

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

from galfeat.data.dataset import Progress
from galfeat.data.fetch.transfer import (
    ATTEMPTS,
    ServerRefusedError,
    TransferBrokenError,
    check_address,
    chunks,
    content_length,
    open_url,
)
from galfeat.errors import FetchError, OutputError
from galfeat.storage.reading import parse_json, read_regular

#: A strong validator of a version of a file (RFC 9110).
_ETAG = r'"[\x21\x23-\x7e\x80-\xff]*"'


def download(
    urls: Sequence[str],
    target: str | Path,
    sha256: str,
    *,
    progress: Progress | None = None,
    timeout: float = 30.0,
    pause: float = 1.0,
) -> Path:
    """Download a file and rename it to `target` once its SHA-256 is verified.

    Partial downloads are kept in ``<target>.part``, with their origin in
    ``<target>.part.json``. They are resumed, by the same call or a later one, as long as the
    server still has the same version of the file (a strong ETag); otherwise the download
    restarts.

    Parameters
    ----------
    urls : sequence of str
        Mirrors, http or https, tried in order.
    target : str or Path
        The final name. An existing file with the right digest is kept and nothing is
        downloaded; any other file is replaced when the download is complete.
    sha256 : str
        64 hexadecimal digits.
    progress : callable, optional
        Called with the number of bytes received and the total.
    timeout : float, default 30
        Seconds without data after which the connection counts as broken.
    pause : float, default 1
        Seconds before a retry; doubled after each consecutive attempt without progress.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    FetchError
        If no mirror provides the file; an existing `target` is left unchanged.
    OutputError
        If the file cannot be written.

    Examples
    --------
    An existing file with the right digest is not downloaded again:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from galfeat.data import download
    >>> from galfeat.data.fetch import file_sha256
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "data.bin")
    ...     _ = file.write_bytes(b"galaxies")
    ...     download(["https://example.org/data.bin"], file, file_sha256(file)).name
    'data.bin'
    """
    digest = sha256.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise FetchError(f"{sha256!r} is not a SHA-256; expected 64 hexadecimal digits")
    for url in urls:
        check_address(url)
    target = Path(target)
    partial = _Partial(target)
    if partial.is_complete(digest):
        return target
    failures: list[str] = []
    for url in urls:
        try:
            _complete(url, partial, progress, timeout, pause)
        except ServerRefusedError as error:
            failures.append(f"{url}: {error}")
            continue
        actual = file_sha256(partial.path)
        if actual == digest:
            return partial.finish()
        partial.discard()
        failures.append(f"{url}: its SHA-256 is {actual}, expected {digest}")
    raise FetchError(
        f"{target.name} could not be fetched ({'; '.join(failures)}); "
        "check the address, the SHA-256 and the connection, and run the command again: it resumes "
        "an interrupted download and replaces a wrong file"
    )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from galfeat.data.fetch import file_sha256
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "empty")
    ...     file.touch()
    ...     file_sha256(file)[:8]
    'e3b0c442'
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class _Partial:
    """A partially downloaded file and the version it belongs to."""

    target: Path

    def __post_init__(self) -> None:
        self.path = self.target.with_name(self.target.name + ".part")
        self.origin = self.target.with_name(self.target.name + ".part.json")

    def is_complete(self, digest: str) -> bool:
        """Return whether the target already exists; check that files can be replaced."""
        try:
            for path in (self.target, self.path, self.origin):
                device = path != self.target and path.is_char_device()
                if path.exists() and not path.is_file() and not device:
                    raise OutputError(
                        f"cannot write {path}: it is not a regular file; choose another place"
                    )
            return self.target.is_file() and file_sha256(self.target) == digest
        except OSError as error:
            raise self._cannot_write(error) from error

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def etag(self, url: str) -> str | None:
        """Return the version to resume, if the partial file comes from this URL."""
        try:
            origin = parse_json(read_regular(self.origin, 2**16))
            etag = origin["etag"] if origin["url"] == url and self.size() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return etag if isinstance(etag, str) and re.fullmatch(_ETAG, etag) else None

    def restart(self, url: str, etag: str | None) -> None:
        """Discard the received bytes and record the origin of the new ones."""
        try:
            self.origin.unlink(missing_ok=True)
            self.path.write_bytes(b"")
            self.origin.write_text(json.dumps({"url": url, "etag": etag}), encoding="utf-8")
        except OSError as error:
            raise self._cannot_write(error) from error

    def append(self, chunks: Iterable[bytes], on_progress: Callable[[int], None]) -> None:
        """Append chunks as they arrive."""
        try:
            with self.path.open("ab") as stream:
                for chunk in chunks:
                    stream.write(chunk)
                    stream.flush()
                    on_progress(stream.tell())
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
            "choose a place in an existing, writable folder with space left"
        )


def _complete(
    url: str, partial: _Partial, progress: Progress | None, timeout: float, pause: float
) -> None:
    """Transfer until the file is complete, resuming after broken connections."""
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
    """Request the missing bytes once and write them."""
    etag = partial.etag(url)
    headers = {}
    if etag is not None:
        headers = {"Range": f"bytes={partial.size()}-", "If-Range": etag}
    response = _request(url, headers, partial, timeout)
    if response is None:
        return
    with response:
        total = _begin(url, etag, partial, response)
        partial.append(
            chunks(response, timeout),
            lambda size: progress(size, total or size) if progress else None,
        )
    if total is not None and partial.size() != total:
        raise TransferBrokenError(f"the connection ended at {partial.size()} of {total} bytes")


def _request(
    url: str, headers: dict[str, str], partial: _Partial, timeout: float
) -> http.client.HTTPResponse | None:
    """Return the server's response, or None if the file is already complete."""
    try:
        return open_url(url, timeout, headers)
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
    """Resume or restart according to the response; return the size of the complete file."""
    new_etag = response.headers.get("ETag")
    if response.status == 206:
        span = re.fullmatch(
            r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})",
            response.headers.get("Content-Range", ""),
        )
        if span and int(span[1]) == partial.size() and new_etag in (None, etag):
            return int(span[2])
        partial.discard()
        raise TransferBrokenError("the server sent a different range than requested")
    strong = new_etag is not None and re.fullmatch(_ETAG, new_etag) is not None
    partial.restart(url, new_etag if strong else None)
    return content_length(response)
