"""From a host to a connection: several addresses, time-outs in every phase, retries, and what sockets are set to."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import pathlib
import socket
import sys
import threading

import pytest
import trio

import httpx
from httpx._connections.establish import _pause
from tests.support.black_holes import black_hole
from tests.support.certificates import Authority
from tests.support.leaks import open_sockets
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

HOST = "service.example"


@pytest.fixture
def client(runtime):
    """A client for which `HOST` has the given addresses."""

    def make(*addresses, timeout=5.0, **settings):
        transport = runtime.transport(resolver=lambda host, port: list(addresses), **settings)
        return runtime.client(transport=transport, timeout=timeout)

    return make


@pytest.fixture
def unix_listener(tmp_path):
    """A unix socket that has room for one connection which is not accepted yet, and its path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path = str(tmp_path / "server.sock")
        listener.bind(path)
        listener.listen(0)
        yield listener, path


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class TestSeveralAddresses:
    async def test_one_that_refuses_gives_way_to_the_next(self, client, app):
        async with client("127.0.0.2", "::1", "127.0.0.1") as connected:
            assert (await connected.get(f"http://{HOST}:{app.port}/json")).status_code == 200

    async def test_one_that_does_not_answer_gives_way_to_the_next(self, client, app):
        with black_hole("127.0.0.2", app.port):
            async with client("127.0.0.2", "127.0.0.1", timeout=20) as connected:
                assert (await connected.get(f"http://{HOST}:{app.port}/json")).status_code == 200
                assert len(app.connections) == 1

    async def test_a_slow_address_of_one_family_does_not_hold_up_the_other(self, client, app_server):
        server = app_server(host="::1")
        with black_hole("127.0.0.2", server.port), black_hole("127.0.0.3", server.port):
            async with client("127.0.0.2", "127.0.0.3", "::1", timeout=20) as connected:
                response = await connected.get(f"http://{HOST}:{server.port}/json")
                assert response.extensions["network_stream"].get_extra_info("server_addr")[0] == "::1"

    async def test_the_error_lists_every_address_and_its_cause(self, client, closed_port):
        async with client("127.0.0.1", "127.0.0.2", "::1") as connected:
            with pytest.raises(httpx.ConnectError, match=f"{HOST}:{closed_port}") as caught:
                await connected.get(f"http://{HOST}:{closed_port}/")
        for address in (f"127.0.0.1:{closed_port}", f"127.0.0.2:{closed_port}", f"[::1]:{closed_port}"):
            assert f"{address}: " in str(caught.value)
        assert isinstance(caught.value.__cause__, ExceptionGroup)
        assert len(caught.value.__cause__.exceptions) == 3

    async def test_the_timeout_lists_those_that_did_not_answer(self, client):
        with black_hole("127.0.0.2") as port, black_hole("127.0.0.3", port):
            async with client("127.0.0.2", "127.0.0.3", "127.0.0.1", timeout=httpx.Timeout(5, connect=0.4)) as connected:
                with pytest.raises(httpx.ConnectTimeout, match=r"took longer than 0\.\d+ seconds") as caught:
                    await connected.get(f"http://{HOST}:{port}/")
        assert f"127.0.0.2:{port}: no answer" in str(caught.value)

    async def test_cancelling_closes_every_attempt_on_asyncio(self, app):
        before = len(open_sockets())
        with black_hole("127.0.0.2") as port, black_hole("127.0.0.3", port):
            held = len(open_sockets())
            async with httpx.AsyncClient(transport=_transport("127.0.0.2", "127.0.0.3"), timeout=20) as client:
                task = asyncio.create_task(client.get(f"http://{HOST}:{port}/"))
                while len(open_sockets()) < held + 2:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert len(open_sockets()) == held
        assert len(open_sockets()) == before

    def test_cancelling_closes_every_attempt_on_trio(self):
        async def main():
            with black_hole("127.0.0.2") as port, black_hole("127.0.0.3", port):
                held = len(open_sockets())
                async with httpx.AsyncClient(transport=_transport("127.0.0.2", "127.0.0.3"), timeout=20) as client:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(client.get, f"http://{HOST}:{port}/")
                        while len(open_sockets()) < held + 2:
                            await trio.lowlevel.checkpoint()
                        nursery.cancel_scope.cancel()
                    assert len(open_sockets()) == held

        trio.run(main)


def _transport(*addresses):
    async def resolver(host, port):
        return addresses

    return httpx.AsyncHTTPTransport(resolver=resolver)


class TestTimeouts:
    async def test_an_address_that_never_answers(self, client):
        with black_hole("127.0.0.2") as port:
            async with client("127.0.0.2", timeout=httpx.Timeout(5, connect=0.1)) as connected:
                with pytest.raises(httpx.ConnectTimeout, match=f"Connecting to {HOST}:{port}"):
                    await connected.get(f"http://{HOST}:{port}/")

    async def test_no_timeout_at_all(self, client, app):
        async with client("127.0.0.1", timeout=None) as connected:
            assert (await connected.get(f"http://{HOST}:{app.port}/json")).status_code == 200
        async with client("127.0.0.2", "127.0.0.1", timeout=None) as connected:
            assert (await connected.get(f"http://{HOST}:{app.port}/json")).status_code == 200

    async def test_the_phases_share_one_timeout(self, client, scripted):
        """What resolving has used up is not there for the handshake."""
        server = scripted(lambda conn: conn.wait_closed())
        async with client("127.0.0.1", timeout=httpx.Timeout(5, connect=0.0)) as connected:
            with pytest.raises(httpx.ConnectTimeout):
                await connected.get(f"https://{HOST}:{server.port}/")


class TestRetries:
    @pytest.fixture
    def rising(self, runtime, app):
        """A client whose first `failures` attempts to connect are refused."""

        @contextlib.asynccontextmanager
        async def make(failures, retries):
            attempts = []

            def resolver(host, port):
                attempts.append(host)
                return ["127.0.0.2" if len(attempts) <= failures else "127.0.0.1"]

            async with runtime.client(transport=runtime.transport(resolver=resolver, retries=retries)) as client:
                yield client, attempts

        return make

    async def test_connecting_is_tried_again(self, rising, app):
        async with rising(failures=2, retries=2) as (client, attempts):
            assert (await client.get(f"http://{HOST}:{app.port}/json")).status_code == 200
        assert len(attempts) == 3

    async def test_by_default_it_is_not(self, rising, app):
        async with rising(failures=1, retries=0) as (client, attempts):
            with pytest.raises(httpx.ConnectError):
                await client.get(f"http://{HOST}:{app.port}/json")
        assert len(attempts) == 1

    async def test_the_last_failure_is_the_error(self, rising, app):
        async with rising(failures=9, retries=1) as (client, attempts):
            with pytest.raises(httpx.ConnectError, match="refused"):
                await client.get(f"http://{HOST}:{app.port}/json")
        assert len(attempts) == 2

    async def test_a_request_that_was_sent_is_not(self, runtime, scripted):
        server = scripted(lambda conn: conn.read_request())
        async with runtime.client(transport=runtime.transport(retries=3)) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(server.url)
        assert len(server.requests) == 1

    async def test_a_certificate_that_is_not_trusted_stays_so(self, runtime, scripted, tmp_path):
        server = scripted(keep_alive(lambda request: respond()), ssl_context=Authority(tmp_path).server())
        async with runtime.client(transport=runtime.transport(retries=3)) as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(server.url)
        assert len(server.connections) == 1

    def test_the_pauses_grow(self):
        assert [_pause(failures) for failures in range(1, 6)] == [0, 0.5, 1, 2, 4]


class TestSockets:
    @pytest.fixture
    def socket_of(self, runtime, app):
        """The socket over which a request goes, as the transport's settings make it."""

        async def get(settings, ask):
            async with (
                runtime.client(transport=runtime.transport(**settings)) as client,
                client.stream("GET", app.url + "/bytes/5000000") as response,
            ):
                return ask(response.extensions["network_stream"].get_extra_info("socket"))

        return get

    async def test_small_writes_are_not_delayed_and_dead_peers_are_noticed(self, socket_of):
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE)]
        assert all(await socket_of({}, lambda sock: [sock.getsockopt(*option) for option in options]))

    async def test_options_are_set_and_override_the_defaults(self, socket_of):
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)]
        size, alive = await socket_of({"socket_options": options}, lambda sock: [sock.getsockopt(*option[:2]) for option in options])
        assert size in (65_536, 131_072)  # Linux doubles it
        assert alive == 0

    async def test_the_local_address_is_where_connections_come_from(self, socket_of):
        assert (await socket_of({"local_address": "127.0.0.9"}, lambda sock: sock.getsockname()))[0] == "127.0.0.9"

    async def test_a_local_address_of_another_machine_is_an_error(self, runtime, app):
        async with runtime.client(transport=runtime.transport(local_address="192.0.2.7")) as client:
            with pytest.raises(httpx.ConnectError, match=f"127.0.0.1:{app.port}"):
                await client.get(app.url)

    async def test_a_unix_socket_that_is_not_there_is_named(self, runtime, tmp_path):
        path = str(tmp_path / "none.sock")
        async with runtime.client(transport=runtime.transport(uds=path)) as client:
            with pytest.raises(httpx.ConnectError, match=f"Could not connect to {path}: No such file"):
                await client.get("http://anything/")

    async def test_options_are_set_on_unix_sockets_too_but_for_those_of_tcp(self, runtime, unix_listener):
        listener, path = unix_listener
        options = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(respond())

        thread = threading.Thread(target=serve)
        thread.start()
        async with runtime.client(transport=runtime.transport(uds=pathlib.Path(path), socket_options=options)) as client:
            response = await client.get("http://anything/")
            sock = response.extensions["network_stream"].get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (65_536, 131_072)
        thread.join()

    async def test_what_is_no_option_is_the_same_error_for_any_number_of_addresses(self, client):
        for addresses in (["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]):
            async with client(*addresses, socket_options=[("no", "such", "option")]) as mistaken:
                with pytest.raises(TypeError, match="integer"):
                    await mistaken.get(f"http://{HOST}/")


def test_an_interruption_of_an_attempt_is_in_no_group_on_trio(monkeypatch):
    trio_network = importlib.import_module("httpx._network.trio_network")

    async def interrupted(*_):
        raise KeyboardInterrupt

    async def main():
        monkeypatch.setattr(trio_network, "_connect_socket", interrupted)
        transport = httpx.AsyncHTTPTransport(resolver=lambda host, port: ["127.0.0.1", "127.0.0.2"])
        async with httpx.AsyncClient(transport=transport) as client:
            with pytest.raises(KeyboardInterrupt):
                await client.get(f"http://{HOST}/")

    trio.run(main)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a server refuses")
class TestUnixSocketsWhoseQueueIsFull:
    async def test_there_will_be_room(self, runtime, unix_listener):
        listener, path = unix_listener
        asked = threading.Event()

        def serve():
            asked.wait()
            listener.accept()[0].close()
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(respond(b"at last"))

        def trace(name, info):  # it has begun to connect when the first one is still in the queue
            if name == "connection.connect_unix_socket.started":
                asked.set()

        async def atrace(name, info):
            trace(name, info)

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(path)
            async with runtime.client(transport=runtime.transport(uds=path)) as client:
                extensions = {"trace": atrace if runtime.is_async else trace}
                assert (await client.get("http://anything/", extensions=extensions)).content == b"at last"
        thread.join()

    async def test_there_is_none_in_time(self, runtime, unix_listener):
        _, path = unix_listener
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(path)
            async with runtime.client(transport=runtime.transport(uds=path), timeout=0.1) as client:
                with pytest.raises(httpx.ConnectTimeout, match="queue of the server is full"):
                    await client.get("http://anything/")
                assert client.pool_stats().open == 0
