"""Downloads from a local server with all kinds of faults."""

import contextlib
import hashlib
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from galfeat.cli import main
from galfeat.data import download
from galfeat.data.catalogue.galaxy10 import PUBLISHED
from galfeat.errors import FetchError, OutputError

CONTENT = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Answers each request with the next of its `replies`, the last one again and again.

    A reply is a function of the request handler. `requests` are the headers that came.
    """

    def __init__(self, *replies):
        self.replies = list(replies)
        self.requests = []
        self.released = threading.Event()

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(dict(self.headers))
                self.close_connection = True
                reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    reply(self)

            def log_message(self, *args):
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.outer = self
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.httpd.server_port}/file.h5"
        return self

    def __exit__(self, *failure):
        self.released.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def ranges(self):
        return [headers.get("Range") for headers in self.requests]


def serve(content=CONTENT, *, etag='"one"', ranges=True, stop=None, stall=False):
    """Reply as a good server does; break off or stall after `stop` bytes of the body."""

    def reply(handler):
        start = 0
        wanted = handler.headers.get("Range")
        if ranges and wanted and handler.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            handler.send_header("Content-Range", span)
        handler.send_header("Content-Length", str(len(content) - start))
        if etag:
            handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(content[start:][:stop])
        handler.wfile.flush()
        if stall:
            handler.server.outer.released.wait()

    return reply


def refuse(code):
    def reply(handler):
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "file.h5"


def get(target, *servers, digest=DIGEST, timeout=20.0, progress=None):
    urls = [server.url for server in servers]
    return download(urls, target, digest, timeout=timeout, pause=0, progress=progress)


def assert_only(target):
    """Nothing but the target lies in its folder."""
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_complete_file_is_renamed(target):
    steps = []
    with Server(serve()) as server:
        get(target, server, progress=lambda done, total: steps.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert_only(target)
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)


def test_an_existing_file_is_not_fetched_again(target):
    target.write_bytes(CONTENT)
    with Server(refuse(500)) as server:
        assert get(target, server, digest=DIGEST.upper()) == target
        assert server.requests == []


def test_a_broken_connection_is_resumed_where_it_broke(target):
    with Server(serve(stop=100_000), serve(stop=50_000), serve()) as server:
        get(target, server)
        assert server.ranges() == [None, "bytes=100000-", "bytes=150000-"]
        assert server.requests[1]["If-Range"] == '"one"'
    assert target.read_bytes() == CONTENT
    assert_only(target)


def test_a_broken_chunked_body_is_resumed(target):
    def chunked(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(b"1000\r\n" + CONTENT[:0x1000] + b"\r\n")

    with Server(chunked, serve()) as server:
        get(target, server)
        assert server.ranges() == [None, "bytes=4096-"]
    assert target.read_bytes() == CONTENT


def test_a_later_call_resumes_what_an_earlier_one_left(target):
    with Server(serve(stop=100_000), refuse(403)) as server:
        with pytest.raises(FetchError, match="returned 403 Forbidden"):
            get(target, server)
        assert not target.exists()
        server.replies = [serve()]
        get(target, server)
        assert server.ranges() == [None, "bytes=100000-", "bytes=100000-"]
    assert target.read_bytes() == CONTENT
    assert_only(target)


def test_a_server_that_ignores_range_restarts_the_download(target):
    with Server(serve(stop=100_000), serve(ranges=False)) as server:
        get(target, server)
        assert server.ranges() == [None, "bytes=100000-"]
    assert target.read_bytes() == CONTENT


def test_a_changed_file_restarts_the_download(target):
    with Server(serve(OTHER, stop=100_000), serve(etag='"two"')) as server:
        get(target, server)
        assert server.requests[1]["If-Range"] == '"one"'
    assert target.read_bytes() == CONTENT


def test_resumption_of_another_version_is_rejected(target):
    def careless(handler):
        handler.headers.replace_header("If-Range", '"two"')
        serve(etag='"two"')(handler)

    with Server(serve(OTHER, stop=100_000), careless, serve(etag='"two"')) as server:
        get(target, server)
        assert server.ranges() == [None, "bytes=100000-", None]
    assert target.read_bytes() == CONTENT


def test_a_wrong_range_is_rejected(target):
    def elsewhere(handler):
        handler.headers.replace_header("Range", "bytes=7-")
        serve()(handler)

    with Server(serve(stop=100_000), elsewhere, serve()) as server:
        get(target, server)
        assert server.ranges() == [None, "bytes=100000-", None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", [None, 'W/"one"'], ids=["none", "weak"])
def test_without_a_strong_etag_nothing_is_resumed(target, etag):
    with Server(serve(stop=100_000, etag=etag), serve(etag=etag)) as server:
        get(target, server)
        assert server.ranges() == [None, None]
    assert target.read_bytes() == CONTENT


def test_a_complete_partial_file_of_a_killed_run_is_used(target):
    with Server(serve(stop=100_000), refuse(403)) as server:
        with pytest.raises(FetchError):
            get(target, server)
        target.with_name("file.h5.part").write_bytes(CONTENT)
        server.replies = [serve()]
        get(target, server)
        assert server.ranges()[-1] == "bytes=300000-"
    assert target.read_bytes() == CONTENT


def test_a_too_long_partial_file_restarts_the_download(target):
    with Server(serve(stop=100_000), refuse(403)) as server:
        with pytest.raises(FetchError):
            get(target, server)
        target.with_name("file.h5.part").write_bytes(CONTENT + b"more")
        server.replies = [serve()]
        get(target, server)
        assert server.ranges()[-2:] == ["bytes=300004-", None]
    assert target.read_bytes() == CONTENT


def test_a_damaged_origin_file_restarts_the_download(target):
    target.with_name("file.h5.part").write_bytes(OTHER)
    target.with_name("file.h5.part.json").write_text("[half")
    with Server(serve()) as server:
        get(target, server)
        assert server.ranges() == [None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("before", [None, b"what stood there"])
def test_wrong_content_is_never_renamed(target, before):
    if before:
        target.write_bytes(before)
    with (
        Server(serve(OTHER)) as server,
        pytest.raises(FetchError, match="its SHA-256 is") as raised,
    ):
        get(target, server)
    assert DIGEST in str(raised.value)
    assert hashlib.sha256(OTHER).hexdigest() in str(raised.value)
    found = {path.name: path.read_bytes() for path in target.parent.iterdir()}
    assert found == ({"file.h5": before} if before else {})


@pytest.mark.parametrize(
    "bad",
    [serve(OTHER), refuse(404), refuse(503), serve(stop=0)],
    ids=["wrong", "404", "503", "cut"],
)
def test_the_next_mirror_is_tried(target, bad):
    with Server(bad) as first, Server(serve(etag='"mirror"')) as second:
        get(target, first, second)
        assert second.ranges() == [None]
    assert target.read_bytes() == CONTENT
    assert_only(target)


def test_a_partial_file_is_not_resumed_from_another_mirror(target):
    with Server(serve(OTHER, stop=100_000), refuse(403)) as first, Server(serve()) as second:
        get(target, first, second)
        assert second.ranges() == [None], "though both say the same ETag"
    assert target.read_bytes() == CONTENT


def test_a_stalled_download_is_resumed(target):
    with Server(serve(stop=100_000, stall=True), serve()) as server:
        get(target, server, timeout=0.5)
        first, *others = server.ranges()
    assert first is None
    assert None not in others
    assert target.read_bytes() == CONTENT


def test_a_silent_server_is_an_error(target):
    silent = Server(lambda handler: handler.server.outer.released.wait())
    with silent, pytest.raises(FetchError, match=r"no data received for 0\.1 s, 3 times in a row"):
        get(target, silent, timeout=0.1)
    assert len(silent.requests) == 3
    assert not target.exists()


def test_an_unreachable_server_is_named(target):
    with Server(serve()) as server:
        pass
    with pytest.raises(FetchError, match=server.url):
        get(target, server)


@pytest.mark.parametrize(
    ("url", "digest", "message"),
    [
        ("file:///etc/hostname", DIGEST, "expected http:// or https://"),
        ("galaxies.h5", DIGEST, "expected http:// or https://"),
        ("http://127.0.0.1/x", "12ab", "expected 64 hexadecimal digits"),
    ],
)
def test_invalid_arguments_are_errors(target, url, digest, message):
    with pytest.raises(FetchError, match=message):
        download([url], target, digest)


def test_a_missing_folder_is_an_error(tmp_path):
    with Server(serve()) as server, pytest.raises(OutputError, match="cannot write"):
        get(tmp_path / "missing" / "file.h5", server)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands for a full disk")
def test_a_full_disk_is_an_error_at_once(target):
    target.with_name("file.h5.part").symlink_to("/dev/full")
    with Server(serve()) as server:
        with pytest.raises(OutputError, match="No space left on device; choose a place"):
            get(target, server)
        assert len(server.requests) == 1


def test_fetch_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Server(serve(stop=100_000), serve()) as server:
        result = CliRunner().invoke(
            main, ["data", "fetch", "--url", server.url, "--sha256", DIGEST]
        )
    assert result.exit_code == 0, result.output
    assert result.stdout == "file.h5\n"
    assert (tmp_path / "file.h5").read_bytes() == CONTENT


def test_fetch_of_a_wrong_file_sets_the_exit_code(tmp_path):
    with Server(serve(OTHER)) as server:
        result = CliRunner().invoke(
            main,
            ["data", "fetch", "--url", server.url, "--sha256", DIGEST, "-o", str(tmp_path / "x")],
        )
    assert result.exit_code == FetchError.exit_code
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [[], ["galaxy11"], ["--url", "http://x/y"], ["galaxy10-sdss", "--sha256", DIGEST]],
)
def test_invalid_fetch_arguments_are_usage_errors(options):
    result = CliRunner().invoke(main, ["data", "fetch", *options])
    assert result.exit_code == 2


def test_the_file_of_shared_chunks_is_offered_to_be_packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my data").mkdir()
    for name, offered in (("galaxy10-decals", True), ("galaxy10-sdss", False)):
        published = PUBLISHED[name]._replace(sha256=DIGEST, urls=())
        monkeypatch.setitem(PUBLISHED, name, published)
        (tmp_path / "my data" / published.file).write_bytes(CONTENT)
        target = f"my data/{published.file}"
        result = CliRunner().invoke(main, ["data", "fetch", name, "-o", target])
        assert result.stdout == f"{target}\n"
        command = f"galfeat data pack '{target}' 'my data/Galaxy10_DECals-packed.h5'"
        assert (command in result.stderr) is offered


@pytest.mark.parametrize(
    "name", ["galaxy10-decals-noduplicated", "Galaxy10_DECals_NoDuplicated.h5"]
)
def test_the_file_without_duplicates_is_downloaded_by_hand(name):
    result = CliRunner().invoke(main, ["data", "fetch", name])
    assert result.exit_code == 2
    assert "download it by hand and use it like Galaxy10_DECals.h5" in result.stderr


def test_help_names_every_published_data_set():
    text = CliRunner().invoke(main, ["data", "fetch", "--help"]).output
    assert all(name in text for name in PUBLISHED)


def test_published_data_sets_have_two_mirrors_and_a_digest():
    for name, published in PUBLISHED.items():
        assert len(published.urls) > 1, name
        assert all(f"/{published.file}" in url for url in published.urls)
        assert len(bytes.fromhex(published.sha256)) == 32


@pytest.mark.parametrize("name", ["file.h5", "file.h5.part", "file.h5.part.json"])
def test_pipes_and_folders_in_the_way_are_errors_at_once(target, name):
    path = target.with_name(name)
    with Server(serve()) as server:
        os.mkfifo(path)
        with pytest.raises(OutputError, match=f"{name}: it is not a regular file"):
            get(target, server)
        path.unlink()
        path.mkdir()
        with pytest.raises(OutputError, match=f"{name}: it is not a regular file"):
            get(target, server)
        assert server.requests == []


def test_the_null_device_is_not_replaced():
    with Server(serve()) as server, pytest.raises(OutputError, match="not a regular file"):
        get(Path("/dev/null"), server)


@pytest.mark.parametrize(
    "origin", ["[" * 100_000, '{"url": 1}', '["etag"]', '{"url": URL, "etag": "\\"a\\nb\\""}', "\0"]
)
def test_a_damaged_record_of_the_origin_starts_over(target, origin):
    with Server(serve()) as server:
        target.with_name("file.h5.part").write_bytes(CONTENT[:1000])
        record = origin.replace("URL", f'"{server.url}"')
        target.with_name("file.h5.part.json").write_text(record)
        get(target, server)
        assert server.ranges() == [None]
    assert target.read_bytes() == CONTENT


def header(name, value, code=200):
    def reply(handler):
        handler.send_response(code)
        handler.send_header(name, value)
        handler.end_headers()

    return reply


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (header("Content-Length", "9" * 5000), "announced a length of '99999"),
        (header("Content-Length", "²"), "announced a length"),
        (
            header("Location", "file:///etc/passwd", 302),
            "Redirection to url 'file:///etc/passwd' is not allowed",
        ),
        (header("Location", "ftp://127.0.0.1/file.h5", 302), "redirects to 'ftp://"),
        (header("Location", "http://[::1", 302), "the address is not valid"),
        (header("Location", "http://a..b/", 302), "not valid"),
    ],
)
def test_odd_replies_are_fetch_errors(target, reply, reason):
    with (
        Server(reply) as server,
        pytest.raises(FetchError, match=re.escape(reason)),
    ):
        get(target, server)
    assert not target.exists()


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://:80/x", "http://host:99999999/x", "http:x", "file:///etc/passwd"]
)
def test_addresses_that_are_none_are_refused(target, url):
    with pytest.raises(FetchError, match="expected http:// or https://"):
        download([url], target, DIGEST)
