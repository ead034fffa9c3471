"""What a connection belongs to, and what happens to one that nobody gives back."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import socket
import threading
from pathlib import Path

import pytest

import httpx
from tests.hostile.attack import assert_nothing_is_busy
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")


def link_local_address():
    """A link-local IPv6 address of this machine with its interface, by name and by number; None where there is none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            address, index, _, scope, _, name = line.split()
            if scope == "20":
                return ":".join(re.findall("....", address)), name, int(index, 16)
    return None


async def test_addresses_of_two_zones_share_no_connection(runtime, scripted):
    # O7
    found = link_local_address()
    if found is None:
        pytest.skip("there is no link-local address here")
    address, name, number = found
    server = scripted(keep_alive(lambda request: respond(request.headers["host"].encode())), host="::")
    async with runtime.client(timeout=5) as client:
        for zone in (name, number, name, number):  # spelled in two ways: two zones, as far as anybody can tell
            response = await client.get(f"http://[{address}%25{zone}]:{server.port}/")
            assert "%" not in response.text
        assert len(server.connections) == 2
        with pytest.raises(httpx.ConnectError):  # and not over one of those that are idle
            await client.get(f"http://[{address}%25lo]:{server.port}/")
    assert len(server.requests) == 4


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no unix domain sockets on this platform")
async def test_transports_that_bind_or_connect_elsewhere_share_no_connection(runtime, scripted, tmp_path):
    # O7, Q18
    seen = []

    def script(conn):
        seen.append(conn.socket.getpeername()[0])
        keep_alive(lambda request: respond(str(conn.number).encode()))(conn)

    server = scripted(script)
    mounts = {
        "http://127.0.0.1": runtime.transport(local_address="127.0.0.2"),
        "http://localhost": runtime.transport(local_address="127.0.0.3"),
        "all://a.test": runtime.transport(uds=str(tmp_path / "a")),
        "all://b.test": runtime.transport(uds=str(tmp_path / "b")),
    }
    answered = []
    with contextlib.ExitStack() as stack:
        for name in ("a", "b"):
            stack.enter_context(unix_server(tmp_path / name, name.encode()))
        async with runtime.client(mounts=mounts) as client:
            for _ in range(2):
                for url in (server.url, server.url.replace("127.0.0.1", "localhost"), "http://a.test/", "http://b.test/"):
                    answered.append((await client.get(url)).text)
    assert answered == ["0", "1", "a", "b"] * 2
    assert seen == ["127.0.0.2", "127.0.0.3"]


@contextlib.contextmanager
def unix_server(path, name):
    """Answers every request with `name`, on one connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        listener.listen()

        def serve():
            with listener.accept()[0] as connection:
                while connection.recv(65536):
                    connection.sendall(respond(name))

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(20)


async def leaked(client, url):
    """A response that is neither read nor closed."""
    response = await client.send(client.build_request("GET", url), stream=True)
    return getattr(response, "wrapped", response)


@pytest.mark.parametrize("in_a_circle", [False, True])
async def test_responses_that_are_dropped_give_their_places_back(runtime, scripted, in_a_circle):
    # Q15
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client(limits=httpx.Limits(max_connections=2), timeout=httpx.Timeout(5, pool=0.1)) as client:
        for _ in range(3):
            responses = [await leaked(client, server.url) for _ in range(2)]
            with pytest.raises(httpx.PoolTimeout, match=f"No connection to 127.0.0.1:{server.port} became free .* 2 of 2 open"):
                await client.get(server.url)
            if in_a_circle:
                for response in responses:
                    response.extensions["itself"] = response
            with pytest.warns(ResourceWarning, match="dropped without being read or closed") as warned:  # noqa: PT031
                del responses
                if in_a_circle:
                    del response
                    gc.collect()
            assert len(warned) == 2
            assert_nothing_is_busy(client)
        assert client.pool_stats().open == 0


async def test_one_that_is_dropped_lets_the_next_in_line_go_on(runtime, scripted):
    # Q15
    def script(conn):
        conn.read_request()
        if conn.number == 0:
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
            conn.wait_closed()
        else:
            conn.send(respond(b"own answer"))

    server = scripted(script)
    async with runtime.client(limits=httpx.Limits(max_connections=1), timeout=10) as client:
        held = [await leaked(client, server.url)]

        async def waits():
            assert (await client.get(server.url)).content == b"own answer"

        async def drops():
            while client.pool_stats().waiting == 0:
                await runtime.turn()
            held.clear()

        with pytest.warns(ResourceWarning, match="dropped without being read or closed"):
            await runtime.gather(waits, drops)
        assert_nothing_is_busy(client)


class Negotiation(httpx.Auth):
    """Three messages that prove the connection to be a user's, as NTLM has them."""

    def __init__(self, user, ends=False):
        self.user = user
        self.ends = ends

    def auth_flow(self, request):
        for step in ("negotiate", "prove"):
            request.headers["Authorization"] = f"NTLM {self.user}-{step}"
            if step == "prove" and self.ends:
                request.headers["Connection"] = "close"
            response = yield request
            if response.status_code != 401:
                return


def ntlm_server(conn):
    """Whoever has proven the connection is the user of all that follows on it."""
    user = None
    while True:
        request = conn.read_request()
        name, _, step = request.headers.get("authorization", "").removeprefix("NTLM ").partition("-")
        if step == "prove":
            user = name
        if user is None:
            conn.send(respond(b"", 401, [("WWW-Authenticate", "NTLM challenge")]))
        else:
            conn.send(respond(user.encode()))
            if request.wants_close:
                return


async def test_a_client_for_each_user_keeps_their_connections_apart(runtime, scripted):
    # Q17, as docs/authentication.md has it
    server = scripted(ntlm_server)
    one = httpx.Limits(max_connections=1)
    async with runtime.client(auth=Negotiation("alice"), limits=one) as alice, runtime.client(auth=Negotiation("bob"), limits=one) as bob:
        for _ in range(2):
            assert (await alice.get(server.url)).text == "alice"
            assert (await bob.get(server.url)).text == "bob"
    assert len(server.connections) == 2


async def test_a_flow_may_close_the_connection_that_it_has_proven(runtime, scripted):
    # Q17
    server = scripted(ntlm_server)
    async with runtime.client(limits=httpx.Limits(max_connections=1)) as client:
        for user in ("alice", "bob", "alice"):
            assert (await client.get(server.url, auth=Negotiation(user, ends=True))).text == user
        assert (await client.get(server.url)).status_code == 401
    assert len(server.connections) == 4
