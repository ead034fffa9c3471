"""httpcore's pools and network backends in the place of a transport's own, as programs put them there to decide on addresses."""

from __future__ import annotations

import httpcore
import pytest

import httpx


class Backend(httpcore.NetworkBackend):
    def __init__(self):
        self.asked = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked.append(host)
        if host != "pinned.example":
            raise httpcore.ConnectError("not allowed")
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", port, timeout, local_address, socket_options)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self):
        self.asked = []

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked.append(host)
        if host != "pinned.example":
            raise httpcore.ConnectError("not allowed")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port, timeout, local_address, socket_options)


def set_backend(transport, backend):
    transport._pool._network_backend = backend


def set_pool(transport, backend):
    kind = httpcore.ConnectionPool if isinstance(transport, httpx.HTTPTransport) else httpcore.AsyncConnectionPool
    transport._pool = kind(ssl_context=transport._pool._ssl_context, network_backend=backend)


@pytest.mark.parametrize("put", [set_backend, set_pool])
def test_a_backend_decides_where_to_connect(app, put):
    transport, backend = httpx.HTTPTransport(), Backend()
    put(transport, backend)
    url = app.url.replace("127.0.0.1", "pinned.example")
    with httpx.Client(transport=transport) as client:
        assert client.get(url + "/json").json()["number"] == 42
        assert client.post(url + "/json", content=iter([b"a"])).status_code < 500
        with pytest.raises(httpx.ConnectError, match="not allowed") as caught:
            client.get("http://other.example/")
        assert caught.value.request.url == "http://other.example/"
    assert backend.asked == ["pinned.example", "other.example"]


@pytest.mark.parametrize("put", [set_backend, set_pool])
async def test_an_async_backend_decides_where_to_connect(app, put):
    transport, backend = httpx.AsyncHTTPTransport(), AsyncBackend()
    put(transport, backend)
    url = app.url.replace("127.0.0.1", "pinned.example")
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(url + "/json")).json()["number"] == 42
        async with client.stream("GET", url + "/json") as response:
            assert b"42" in b"".join([piece async for piece in response.aiter_bytes()])
        with pytest.raises(httpx.ConnectError, match="not allowed"):
            await client.get("http://other.example/")
    assert backend.asked == ["pinned.example", "other.example"]


def test_a_transport_may_have_a_pool_of_its_own_from_the_start(app):
    class Pinned(httpx.HTTPTransport):
        def __init__(self):
            self._pool = httpcore.ConnectionPool(network_backend=Backend())

    with httpx.Client(transport=Pinned()) as client:
        assert client.get(app.url.replace("127.0.0.1", "pinned.example") + "/json").json()["number"] == 42
