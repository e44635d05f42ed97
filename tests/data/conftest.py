"""A local mock server of the surveys' services."""

import contextlib
import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from galfeat.data.fetch import cutouts


class Service:
    """Gives cut-outs and positions as the surveys do; `faults` come before that.

    `faults` holds replies for a place on the sky by the number of its first request, from 0,
    or for the ``"table"`` of positions; the last of them again and again. A reply is a status
    code or the name of a method. `asked` are the paths, queries and lengths of the addresses
    that came; `positions` is what the SkyServer knows.
    """

    VIEWER = "/viewer/jpeg-cutout"
    SQL = "/SkyServerWS/SearchTools/SqlSearch"
    CUTOUT = "/SkyServerWS/ImgCutout/getjpeg"

    def __init__(self, faults=None, positions=None):
        self.faults = faults or {}
        self.positions = positions or {}
        self.asked, self.agents, self.places = [], set(), []
        self.stalled, self.released = threading.Event(), threading.Event()

    def __enter__(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                service.agents.add(self.headers["User-Agent"])
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    service.answer(self)

            def log_message(self, *args):
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        return self

    def __exit__(self, *failure):
        self.released.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def answer(self, handler):
        path, query = urlsplit(handler.path).path, urlsplit(handler.path).query
        query = {name: value for name, (value,) in parse_qs(query).items()}
        self.asked.append((path, query, len(handler.path)))
        if path == self.SQL:
            key, usual = "table", "table"
        else:
            place = (query["ra"], query["dec"])
            if place not in self.places:
                self.places.append(place)
            key, usual = self.places.index(place), "good"
        replies = self.faults.get(key, [usual])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, int):
            self.send(handler, b"", code=reply)
        else:
            getattr(self, reply)(handler, query)

    @staticmethod
    def picture(query, *, size=None, kind="JPEG", blank=False):
        """An image that only this place on the sky gives, as a file."""
        seed = hashlib.sha256(f"{query['ra']} {query['dec']}".encode()).digest()[:4]
        rng = np.random.default_rng(int.from_bytes(seed, "big"))
        size = size or int(query.get("size") or query["width"])
        few = rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(np.full_like(few, 32) if blank else few).resize((size, size), 0)
        stream = io.BytesIO()
        image.save(stream, kind, quality=95)
        return stream.getvalue()

    @staticmethod
    def send(handler, content, *, code=200, kind="image/jpeg", stop=None):
        handler.send_response(code)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:stop])

    def good(self, handler, query):
        self.send(handler, self.picture(query))

    def table(self, handler, query):
        """The SkyServer's answer."""
        wanted = query["cmd"].partition("(")[2].rstrip(")").split(",")
        lines = ["#Table1", "dr7objid,ra,dec,petroR90_r"]
        lines += [f"{name},{self.positions[name]}" for name in wanted if name in self.positions]
        self.send(handler, "\n".join(lines).encode(), kind="text/plain")

    def page(self, handler, query):
        """An error that calls itself a success."""
        self.send(handler, b"<!DOCTYPE html><title>Busy</title>", kind="text/html")

    def cut_short(self, handler, query):
        self.send(handler, self.picture(query), stop=500)

    def half_a_file(self, handler, query):
        """All bytes that were promised come, but it is half of an image."""
        content = self.picture(query)
        self.send(handler, content[: len(content) // 2])

    def png(self, handler, query):
        self.send(handler, self.picture(query, kind="PNG"))

    def small(self, handler, query):
        self.send(handler, self.picture(query, size=128))

    def blank(self, handler, query):
        self.send(handler, self.picture(query, blank=True))

    def unending(self, handler, query):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(2**20))

    def stall(self, handler, query):
        self.stalled.set()
        self.released.wait()


@pytest.fixture
def surveys(monkeypatch):
    """The class of servers that stand in for the surveys', which are asked without a pause."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(cutouts, "PAUSE", 0.0)
    return Service
