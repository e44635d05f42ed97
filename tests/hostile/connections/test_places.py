"""Any number of connections of one client leave others their places."""

import asyncio
from contextlib import ExitStack, suppress

import pytest
from uvicorn.server import ServerState

from galfeat.web.connection import configure

CHUNKED = b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
UNREAD = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 50
ATTACKS = {
    "idle": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
    "half a body": CHUNKED + b"5\r\nhel",
    "unread responses": UNREAD,
    "refused": b"GARBAGE\r\n\r\n",
}
ATTACKER = "127.0.0.2"


def attack(server, opened, name, number):
    """Open connections, and leave them."""
    for client in [opened.enter_context(server.connect(ATTACKER)) for _ in range(number)]:
        with suppress(ConnectionError):  # once the server closes some of them
            client.sendall(ATTACKS[name])


@pytest.mark.parametrize("name", ATTACKS)
def test_one_address_with_all_places_locks_nobody_out(serve, name):
    with serve(max_connections=20) as server, ExitStack() as opened:
        idle, uploading = (opened.enter_context(server.connect()) for _ in range(2))
        uploading.sendall(CHUNKED + b"5\r\nhel")
        attack(server, opened, name, 60)
        for source in ("127.0.0.1", "127.0.0.3", ATTACKER):
            assert server.get("/healthz", source)[0] == 200
        assert server.connections <= 20
        idle.sendall(GET)
        assert server.statuses(server.read(idle)) == [200]
        uploading.sendall(b"lo\r\n0\r\n\r\n")
        assert server.statuses(uploading.recv(65536)) == [200]
        uploading.close()
        opened.close()
        server.wait_until_free()


@pytest.mark.parametrize("name", ATTACKS)
def test_visitors_behind_the_proxy_of_an_attacker_are_served(serve, name):
    with serve(max_connections=20) as server, ExitStack() as opened:
        for _ in range(3):
            attack(server, opened, name, 20)
            assert server.get("/healthz", ATTACKER)[0] == 200
            assert server.get("/large", ATTACKER)[0] == 200


@pytest.mark.parametrize("name", ATTACKS)
def test_places_are_free_after_the_timeouts(serve, name):
    with serve(part_timeout=0.2, keep_alive=0.2) as server, ExitStack() as opened:
        attack(server, opened, name, 30)
        server.wait_until_free()


def test_requests_in_progress_keep_their_places(serve):
    with serve(max_connections=6) as server, ExitStack() as opened:
        sources = ["127.0.0.3", "127.0.0.4"] * 3
        clients = [opened.enter_context(server.connect(source)) for source in sources]
        for client in clients:
            client.sendall(GET.replace(b"/healthz", b"/held"))
            assert server.state.holding.acquire(timeout=20.0)
        attack(server, opened, "idle", 20)
        for _ in range(10):
            assert server.get("/healthz")[0] == 200
        server.state.release.set()
        for client in clients:
            assert server.statuses(server.read(client)) == [200]


def test_the_address_with_most_connections_loses_one(serve):
    with serve(max_connections=10) as server, ExitStack() as opened:
        few = [opened.enter_context(server.connect("127.0.0.3")) for _ in range(4)]
        attack(server, opened, "half a body", 30)
        for client in few:
            client.sendall(GET)
            assert server.statuses(server.read(client)) == [200]


class ClosingTransport(asyncio.Transport):
    """The transport of a client that neither sends nor reads."""

    aborted = False

    def get_write_buffer_size(self):
        return 1

    def is_closing(self):
        return True

    def close(self):
        pass

    def abort(self):
        self.aborted = True


def test_a_connection_that_is_being_closed_is_replaced():
    async def connect_after_shutdown():
        config = configure(lambda: None, "127.0.0.1", 0, max_connections=1)
        transports = ClosingTransport(), ClosingTransport()
        for transport in transports:
            connection = config.http(config=config, server_state=ServerState(), app_state={})
            connection.connection_made(transport)
            connection.shutdown()
        return [transport.aborted for transport in transports]

    assert asyncio.run(connect_after_shutdown()) == [True, False]
