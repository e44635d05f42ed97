"""Decode uploads in processes that a time limit can end.

A decoder written in C cannot be interrupted in a thread: an image that keeps it busy would hold
the thread, and the server at its shutdown. Here it costs one process, which is replaced.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from galfeat.errors import ImageError
from galfeat.web.decoder_process import BUFFER, ERROR, HEADER, LARGE, PIXELS, READY, SIZE, TURN
from galfeat.web.uploads import MEASURED_PIXELS, Upload
from galfeat.web.worker_pool import ClientDisconnected

#: Time limit in seconds to decode an image, which takes about a second at most, and for a process
#: to start.
TIME_LIMIT, START_LIMIT = 5.0, 60.0
#: Maximum number of bytes of memory to decode an image.
MEMORY_LIMIT = 256_000_000
_MAX_TEXT = 10_000
#: Seconds between checks whether the client has disconnected.
_CHECK_INTERVAL = 0.1

_PACKAGE = str(Path(__file__).resolve().parents[2])
_COMMAND = """
import sys
_, descriptor, seconds, memory, package, *sys.path[:] = sys.argv
sys.path.append(package)
from galfeat.web.decoder_process import serve
serve(int(descriptor), float(seconds), int(memory))
"""


class Decoders:
    """Processes that decode uploads, started on first use; one large image is decoded at a time.

    Parameters
    ----------
    processes : int
        Number of processes, and maximum number of threads that call `decode` at once.
    seconds : float
        Time limit to decode an image.
    memory : int
        Maximum number of bytes of memory to decode an image, where the system can limit it.

    Examples
    --------
    >>> import io, threading
    >>> from PIL import Image
    >>> from galfeat.web.decoders import Decoders
    >>> stream = io.BytesIO()
    >>> Image.new("RGB", (40, 30)).save(stream, "PNG")
    >>> decoders = Decoders(1)
    >>> decoders.decode(stream.getvalue(), threading.Event()).pixels.shape
    (30, 40, 3)
    >>> decoders.close()
    """

    def __init__(
        self, processes: int, *, seconds: float = TIME_LIMIT, memory: int = MEMORY_LIMIT
    ) -> None:
        self._large = threading.Semaphore()  # held while a large image is decoded
        self._all = [_Decoder(seconds, memory, self._large) for _ in range(processes)]
        self._idle = deque(self._all)
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start all processes, also after `close`; do not wait until they are ready."""
        with self._lock:
            self._closed = False
            for decoder in self._all:
                decoder.start()

    def decode(self, content: bytes, cancelled: threading.Event) -> Upload:
        """Decode an image; see `galfeat.web.uploads.decode_upload`.

        Parameters
        ----------
        content : bytes
        cancelled : Event
            Set once the pixels are no longer needed.

        Returns
        -------
        Upload

        Raises
        ------
        ImageError
            If the image cannot be decoded within the limits on time and memory.
        ClientDisconnected
            If `cancelled` was set before the image was decoded.
        """
        decoder = self._idle.pop()
        try:
            self._start(decoder)
            return decoder.decode(content, cancelled)
        finally:
            if decoder.running:
                self._idle.append(decoder)
            else:
                with suppress(OSError, RuntimeError):  # closed, or started when it is needed
                    self._start(decoder)
                self._idle.appendleft(decoder)  # the others are ready

    def close(self) -> None:
        """End all processes; calls of `decode` in progress raise ImageError."""
        with self._lock:
            self._closed = True
            for decoder in self._all:
                decoder.kill()

    def _start(self, decoder: _Decoder) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the decoders are closed")
            decoder.start()


class _Decoder:
    """A process and its replacements."""

    def __init__(self, seconds: float, memory: int, large: threading.Semaphore) -> None:
        self._seconds, self._memory, self._large = seconds, memory, large
        self._end: weakref.finalize[..., _Decoder] | None = None

    @property
    def running(self) -> bool:
        """Whether the process has been started and not ended."""
        return self._end is not None and self._end.alive and self._process.poll() is None

    def start(self) -> None:
        """Start a process, unless one runs."""
        if self.running:
            return
        self._stop()
        self._connection, other = socket.socketpair()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        with other:
            arguments = [other.fileno(), self._seconds, self._memory, _PACKAGE, *sys.path]
            try:
                # A new interpreter, not a fork: this process has threads and sessions of
                # onnxruntime. Its path is that of this process; -P keeps the folder out of it.
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _COMMAND, *map(str, arguments)],
                    pass_fds=[other.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                    start_new_session=True,  # Ctrl-C ends this process, which ends the other
                )
            except OSError:
                self._connection.close()
                raise
        self._end = weakref.finalize(self, _end, self._process, self._connection)
        self._ready = False

    def decode(self, content: bytes, cancelled: threading.Event) -> Upload:
        """Decode an image; end the process unless it sends the pixels or an error."""
        try:
            if not self._ready:
                self._wait_until_ready(cancelled)
            return self._exchange(content, cancelled)
        except ImageError:
            raise
        except TimeoutError as error:
            self._stop()
            raise ImageError(
                f"the image took longer than {self._seconds:g} s to decode; save it again as a PNG "
                "or baseline JPEG image"
            ) from error
        except ConnectionError as error:
            self._stop()
            raise ImageError(
                "the image cannot be decoded, because its decoder crashed; save it again as a PNG "
                "or baseline JPEG image"
            ) from error
        except BaseException:
            self._stop()
            raise

    def kill(self) -> None:
        """End the process; a thread that waits for it then closes the connection."""
        if self._end is not None:
            self._process.kill()
            self._process.wait()

    def _stop(self) -> None:
        if self._end is not None:
            self._end()

    def _wait_until_ready(self, cancelled: threading.Event) -> None:
        try:
            self._receive(len(READY), time.monotonic() + START_LIMIT, cancelled)
        except OSError as error:
            raise RuntimeError("the process that decodes images does not start") from error
        self._ready = True

    def _exchange(self, content: bytes, cancelled: threading.Event) -> Upload:
        deadline = time.monotonic() + self._seconds
        self._connection.settimeout(self._seconds)
        self._connection.sendall(SIZE.pack(len(content)) + content)
        header = self._receive(HEADER.size, deadline, cancelled)
        if not header.startswith(LARGE):
            return self._response(header, deadline, cancelled)
        with self._turn(cancelled):
            deadline = time.monotonic() + self._seconds
            self._connection.sendall(TURN)
            header = self._receive(HEADER.size, deadline, cancelled)
            return self._response(header, deadline, cancelled)

    @contextmanager
    def _turn(self, cancelled: threading.Event) -> Iterator[None]:
        """Wait until no other process decodes a large image."""
        while not self._large.acquire(timeout=_CHECK_INTERVAL):
            if cancelled.is_set():
                raise ClientDisconnected
        try:
            yield
        finally:
            self._large.release()

    def _response(self, header: bytearray, deadline: float, cancelled: threading.Event) -> Upload:
        kind, first, second, *sent = HEADER.unpack(header)
        if kind == ERROR and first <= _MAX_TEXT:
            raise ImageError(self._receive(first, deadline, cancelled).decode())
        if kind != PIXELS or not 0 < first * second <= MEASURED_PIXELS:
            raise ConnectionError
        pixels = self._receive(3 * first * second, deadline, cancelled)
        return Upload(np.frombuffer(pixels, np.uint8).reshape(first, second, 3), *sent)

    def _receive(self, size: int, deadline: float, cancelled: threading.Event) -> bytearray:
        """Return the next bytes.

        Raises
        ------
        TimeoutError
            If they have not all been received at `deadline`.
        ConnectionError
            If the process has ended.
        ClientDisconnected
            If `cancelled` is set.
        """
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            if cancelled.is_set():
                raise ClientDisconnected
            self._connection.settimeout(min(remaining, _CHECK_INTERVAL))
            with suppress(TimeoutError):
                received = self._connection.recv_into(view)
                if not received:
                    raise ConnectionError
                view = view[received:]
        return buffer


def _end(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    process.kill()
    process.wait()
    connection.close()
