"""The process that decodes uploads, one after another; see `galfeat.web.decoders`.

A request is the number of bytes and the bytes of an image. The response is `HEADER` and then the
pixels, or the text of an error. Before a large image is decoded, the process sends a header with
`LARGE`, and waits for `TURN`.
"""

from __future__ import annotations

import resource
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PIL import Image as Pillow

from galfeat.data.readers.decode import decoding
from galfeat.errors import ImageError
from galfeat.web.uploads import decode_upload

#: Sent once, when the process can decode.
READY = b"r"
SIZE = struct.Struct(">Q")
#: `PIXELS` with height and width of the pixels, width and height of the image sent, and the factor
#: between them, or `ERROR` with the number of bytes of the text and zeros.
HEADER = struct.Struct(">c5I")
PIXELS, ERROR, LARGE, TURN = b"p", b"e", b"l", b"t"
#: Size in bytes of the socket's buffers, where the system allows it: each time one is full or
#: empty, a process waits for the other.
BUFFER = 1_000_000


def serve(descriptor: int, seconds: float, memory: int) -> None:
    """Decode images until the other end of a socket is closed.

    Parameters
    ----------
    descriptor : int
        File descriptor of the socket.
    seconds : float
        Time limit per image. The parent process enforces it; should that have ended itself,
        this process is terminated one second later.
    memory : int
        Maximum number of bytes of memory beyond those in use at the start.
    """
    with socket.socket(fileno=descriptor) as connection, suppress(ConnectionError), decoding():
        _import_plugins()
        _limit(memory)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        connection.sendall(READY)
        while len(head := connection.recv(SIZE.size, socket.MSG_WAITALL)) == SIZE.size:
            (size,) = SIZE.unpack(head)
            content = connection.recv(size, socket.MSG_WAITALL)
            # The default action of this signal ends the process, within any library.
            signal.setitimer(signal.ITIMER_REAL, seconds + 1)
            response = _response(content, partial(_wait_for_turn, connection, seconds))
            signal.setitimer(signal.ITIMER_REAL, 0)
            connection.sendall(response)


def _wait_for_turn(connection: socket.socket, seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    connection.sendall(HEADER.pack(LARGE, 0, 0, 0, 0, 0))
    if not connection.recv(len(TURN)):
        raise ConnectionError
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)


def _import_plugins() -> None:
    """Import what Pillow would import for the first image."""
    from PIL import TiffImagePlugin, WebPImagePlugin  # noqa: F401  # the first parses EXIF

    Pillow.preinit()


def _response(content: bytes, wait_for_turn: Callable[[], None]) -> bytes:
    try:
        upload = decode_upload(content, wait_for_turn)
    except ImageError as error:
        text = str(error).encode()
        return HEADER.pack(ERROR, len(text), 0, 0, 0, 0) + text
    shape = upload.pixels.shape[:2]
    header = HEADER.pack(PIXELS, *shape, upload.width, upload.height, upload.factor)
    return header + upload.pixels.tobytes()


def _limit(memory: int) -> None:
    """Limit the memory of this process, where the system can, and write no core dumps."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # no /proc, or a lower limit is in force
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
