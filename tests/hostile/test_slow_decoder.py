"""Decoders that hang, crash or need too much memory cost their own image alone."""

import fcntl
import gc
import io
import os
import select
import signal
import subprocess
import sys
import termios
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from galfeat.errors import ImageError
from galfeat.web.decoders import Decoders
from galfeat.web.uploads import decode_upload
from galfeat.web.worker_pool import ClientDisconnected

#: Maximum time in seconds that a test waits.
PLENTY = 60
NEVER = threading.Event()


def encoded(side, kind="PNG", **options):
    pixels = np.random.default_rng(side).integers(0, 255, (side, side + 8, 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


SMALL = encoded(40)


def children(pid="self"):
    """The process ids of the children of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def wait_until_sent(decoders):
    """Wait until a stopped process has an image to decode."""
    (decoder,) = decoders._all
    unread = bytearray(4)
    while not int.from_bytes(unread, sys.byteorder):
        fcntl.ioctl(decoder._connection, termios.TIOCOUTQ, unread)


@pytest.fixture
def started():
    """A function that returns decoders with one process, ready and stopped, and its id."""
    opened = []

    def start(*, stopped=True, **options):
        before = children()
        decoders = Decoders(1, **options)
        opened.append(decoders)
        decoders.decode(SMALL, NEVER)
        (pid,) = children() - before
        if stopped:
            os.kill(pid, signal.SIGSTOP)  # as if it were in a loop in a library
        return decoders, pid

    yield start
    for decoders in opened:
        decoders.close()


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def in_thread(function, *arguments):
    """Start a call in a thread; return it and the list that receives its result or error."""
    results = []

    def run():
        try:
            results.append(function(*arguments))
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("side", [16, 200, 1200, 1500])
def test_the_pixels_are_those_of_decode_upload(started, side, kind):
    decoders, _ = started(stopped=False)
    content = encoded(side, kind)
    upload, expected = decoders.decode(content, NEVER), decode_upload(content)
    assert upload[1:] == expected[1:]
    pixels = upload.pixels
    np.testing.assert_array_equal(pixels, expected.pixels)
    # Compiled kernels take arrays of these properties.
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
    assert pixels.flags.aligned


def test_errors_are_those_of_decode_upload(started):
    decoders, pid = started(stopped=False)
    for content in (b"", b"text", SMALL[:200], encoded(8), bytes(8_000_001)):
        with pytest.raises(ImageError) as expected:
            decode_upload(content)
        with pytest.raises(ImageError) as error:
            decoders.decode(content, NEVER)
        assert str(error.value) == str(expected.value)
    assert alive(pid)


@pytest.mark.parametrize("content", [SMALL, encoded(1200)], ids=["small", "large"])
def test_a_decoder_that_hangs_is_replaced(started, content):
    decoders, pid = started(seconds=0.2)
    with pytest.raises(ImageError, match=r"took longer than 0\.2 s to decode; save it again"):
        decoders.decode(content, NEVER)
    assert not alive(pid)


def test_others_are_decoded_while_one_hangs():
    before = children()
    with closing(Decoders(2)) as decoders:
        decoders.decode(SMALL, NEVER)
        (pid,) = children() - before
        os.kill(pid, signal.SIGSTOP)
        thread, results = in_thread(decoders.decode, SMALL, NEVER)
        while decoders.decode(encoded(60), NEVER).pixels.shape != (60, 68, 3):
            pass
        os.kill(pid, signal.SIGKILL)
        thread.join(PLENTY)
    assert isinstance(results[0], ImageError)


def test_a_decoder_that_crashes_is_replaced(started):
    decoders, pid = started()
    thread, results = in_thread(decoders.decode, SMALL, NEVER)
    wait_until_sent(decoders)
    os.kill(pid, signal.SIGSEGV)
    os.kill(pid, signal.SIGCONT)
    thread.join(PLENTY)
    (error,) = results
    assert isinstance(error, ImageError)
    assert "its decoder crashed; save it again" in str(error)
    assert decoders.decode(SMALL, NEVER).pixels.shape == (40, 48, 3)


def test_a_decoder_that_died_while_idle_is_replaced_before_use(started):
    decoders, pid = started(stopped=False)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert decoders.decode(SMALL, NEVER).pixels.shape == (40, 48, 3)


def test_memory_is_limited(started):
    decoders, pid = started(stopped=False, memory=8_000_000)
    with pytest.raises(ImageError, match="takes too much memory to decode"):
        decoders.decode(encoded(1200), NEVER)
    assert decoders.decode(SMALL, NEVER).pixels.shape == (40, 48, 3)
    assert alive(pid)


LARGEST = {
    "JPEG": ("CMYK", (6400, 4200), {}),
    "progressive JPEG": ("CMYK", (4000, 3000), {"progressive": True}),
    "PNG": ("RGBA", (4098, 4098), {"compress_level": 1}),
    "WebP": ("RGBA", (2048, 2048), {"lossless": True, "method": 0}),
}


@pytest.mark.parametrize("kind", LARGEST)
def test_the_largest_images_fit_into_the_memory(started, kind):
    mode, (width, height), options = LARGEST[kind]
    picture = Image.new(mode, (width, height), "grey")
    if mode == "RGBA":
        picture.putalpha(128)
    stream = io.BytesIO()
    picture.save(stream, kind.split()[-1], **options)
    decoders, pid = started(stopped=False)
    upload = decoders.decode(stream.getvalue(), NEVER)
    assert (upload.width, upload.height) == (width, height)
    assert alive(pid)


def test_large_images_are_decoded_one_at_a_time():
    large = encoded(1400)
    with closing(Decoders(2)) as decoders:
        assert decoders.decode(large, NEVER).factor == 2
        with decoders._large:  # as if another one were decoded
            thread, results = in_thread(decoders.decode, large, NEVER)
            assert decoders.decode(SMALL, NEVER).factor == 1
            cancelled = threading.Event()
            other, errors = in_thread(decoders.decode, large, cancelled)
            cancelled.set()
            other.join(PLENTY)
            assert isinstance(errors[0], ClientDisconnected)
            assert results == []
        thread.join(PLENTY)
        assert results[0].factor == 2
        assert decoders.decode(large, NEVER).factor == 2


def test_a_crash_during_a_large_image_frees_the_turn_of_others(started):
    stream = io.BytesIO()
    Image.new("RGB", (4090, 4090)).save(stream, "PNG", compress_level=1)
    decoders, pid = started(stopped=False, seconds=PLENTY)
    results = [None]
    while results:  # again if the image was decoded before the process could be stopped
        os.kill(pid, signal.SIGCONT)
        thread, results = in_thread(decoders.decode, stream.getvalue(), NEVER)
        while decoders._large.acquire(blocking=False):
            decoders._large.release()
        os.kill(pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    thread.join(PLENTY)
    assert "its decoder crashed" in str(results[0])
    assert decoders._large.acquire(timeout=PLENTY)


def test_a_disconnected_client_frees_its_place(started):
    decoders, pid = started(seconds=PLENTY)
    cancelled = threading.Event()
    thread, results = in_thread(decoders.decode, SMALL, cancelled)
    cancelled.set()
    thread.join(PLENTY)
    assert isinstance(results[0], ClientDisconnected)
    assert not alive(pid)
    assert decoders.decode(SMALL, NEVER).pixels.shape == (40, 48, 3)


def test_processes_end_when_the_decoders_are_closed(started):
    decoders, pid = started(seconds=PLENTY)
    thread, results = in_thread(decoders.decode, SMALL, NEVER)
    decoders.close()
    thread.join(PLENTY)
    assert isinstance(results[0], ImageError)
    assert not alive(pid)
    with pytest.raises(RuntimeError, match="closed"):
        decoders.decode(SMALL, NEVER)
    decoders.start()
    assert decoders.decode(SMALL, NEVER).pixels.shape == (40, 48, 3)


def test_processes_end_when_the_decoders_are_forgotten():
    before = children()
    decoders = Decoders(2)
    decoders.start()
    started = children() - before
    assert len(started) == 2
    del decoders
    gc.collect()
    assert not started & children()


ORPHANS = """
import sys, threading
from galfeat.web.decoders import Decoders
decoders = Decoders(2, seconds=0.5)
decoders.start()
for _ in range(2):
    decoders.decode(bytes.fromhex(sys.argv[1]), threading.Event())
print("ready", flush=True)
sys.stdin.read()
"""


def test_processes_end_with_their_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANS, SMALL.hex()], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout.readline() == "ready\n"
    orphans = [os.pidfd_open(pid) for pid in children(parent.pid)]
    assert len(orphans) == 2
    parent.kill()
    _, errors = parent.communicate(timeout=PLENTY)
    for orphan in orphans:
        # An orphan is not a child to be waited for; its descriptor becomes readable at its end.
        assert _readable(orphan)
        os.close(orphan)
    assert errors == ""


def _readable(descriptor):
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(1000 * PLENTY))
