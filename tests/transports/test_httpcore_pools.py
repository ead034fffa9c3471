"""What programs put in the place of httpcore's pools is asked, as HTTPX would ask it."""

from __future__ import annotations

import inspect
import pickle
import ssl
import sys
import types
import unittest.mock

import pytest

import httpx


class Pool:
    """Stands for httpcore's pools: their own methods look at the pool, whose connections are not ours."""

    closed = False

    def __init__(self, network_backend=None, **settings):
        self._network_backend = network_backend
        self.settings = settings
        self._connections = answer(httpx.ByteStream(b"by a pool"))

    def close(self):
        self.closed = True

    async def aclose(self):
        self.closed = True

    def handle_request(self, request):
        return self._connections

    async def handle_async_request(self, request):
        return self._connections


class ReadTimeout(Exception):
    pass


class SlowerReadTimeout(ReadTimeout):
    pass


for own in (Pool.handle_request, Pool.handle_async_request, ReadTimeout):
    own.__module__ = "httpcore.pools"


@pytest.fixture
def httpcore(monkeypatch):
    module = types.ModuleType("httpcore")
    module.ConnectionPool = type("ConnectionPool", (Pool,), {})
    module.AsyncConnectionPool = type("AsyncConnectionPool", (Pool,), {})
    module.Proxy = lambda *parts: parts
    module.URL = lambda **parts: types.SimpleNamespace(**parts)
    module.Request = lambda content, **parts: types.SimpleNamespace(stream=content, **parts)
    monkeypatch.setitem(sys.modules, "httpcore", module)
    return module


def answer(stream, status=200, headers=(), extensions=None):
    return types.SimpleNamespace(status=status, headers=list(headers), stream=stream, extensions=extensions or {})


@pytest.fixture
def replace(httpcore, runtime, monkeypatch):
    """Replace the method that the client of this runtime would come to."""

    def put(handler):
        if runtime.is_async:
            original = Pool.handle_async_request

            async def handle(self, request):
                answered = handler(request, lambda: original(self, request))
                return await answered if inspect.isawaitable(answered) else answered

            monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", handle)
        else:
            original = Pool.handle_request

            def handle(self, request):
                return handler(request, lambda: original(self, request))

            monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", handle)

    return put


def pass_on(request, original):
    request.stream = httpx.ByteStream(b"".join(request.stream))  # as respx does, which reads the body
    return original()


def body_of(pieces, closed):
    class Body:
        async def __aiter__(self):
            for piece in pieces():
                yield piece

        def __iter__(self):
            yield from pieces()

        def close(self):
            closed.append("close")

        async def aclose(self):
            closed.append("aclose")

    return Body()


async def test_the_replacement_answers(runtime, replace):
    asked = []

    def handler(request, original):
        asked.append((request.method, request.url, dict(request.headers)[b"X-A"]))
        return answer(httpx.ByteStream(b"mocked"), 201, [(b"X-B", b"2")], {"http_version": b"HTTP/2"})

    replace(handler)
    async with runtime.client() as client:
        response = await client.get("https://a.test/path?q", headers={"X-A": "1"})
    assert (response.status_code, response.headers["x-b"], response.text, response.http_version) == (201, "2", "mocked", "HTTP/2")
    assert asked == [("GET", types.SimpleNamespace(scheme=b"https", host=b"a.test", port=None, target=b"/path?q"), b"1")]


async def test_a_body_of_any_kind_is_read_and_closed(runtime, replace):
    closed = []
    replace(lambda request, original: answer(body_of(lambda: [b"a", b"b"], closed)))
    async with runtime.client() as client:
        assert (await client.get("https://a.test/")).content == b"ab"
    assert closed == ["aclose" if runtime.is_async else "close"]


async def test_errors_of_httpcore_become_ours(runtime, replace):
    def fail(*_):
        raise SlowerReadTimeout("slow")
        yield

    replace(lambda request, original: next(fail()))
    async with runtime.client() as client:
        with pytest.raises(httpx.ReadTimeout, match=r"^slow$") as caught:
            await client.get("https://a.test/")
        assert caught.value.request.url == "https://a.test/"
        replace(lambda request, original: answer(body_of(fail, [])))
        with pytest.raises(httpx.ReadTimeout, match=r"^slow$"):
            await client.get("https://a.test/")


async def test_errors_of_others_stay(runtime, replace):
    replace(lambda request, original: {}["nothing"])
    async with runtime.client() as client:
        with pytest.raises(KeyError):
            await client.get("https://a.test/")


@pytest.mark.parametrize("settings", [{}, {"autospec": True}, {"new_callable": unittest.mock.Mock}])
def test_mocks_of_all_kinds_are_asked(httpcore, settings):
    with unittest.mock.patch.object(httpcore.ConnectionPool, "handle_request", **settings) as mock:
        mock.return_value = answer(httpx.ByteStream(b"mocked"))
        assert httpx.get("https://a.test/").text == "mocked"
    mock.assert_called_once()


async def test_what_httpcores_own_method_is_given_goes_over_a_connection_of_ours(runtime, replace, app):
    replace(pass_on)

    def pieces():
        yield b"once "
        yield b"only"

    async with runtime.client() as client:
        content = pieces() if not runtime.is_async else b"once only"
        response = await client.post(app.url + "/echo", content=content)
    assert response.status_code == 200
    assert b"once only" in response.content


async def test_where_nothing_was_replaced_nothing_is_asked(runtime, httpcore, app):
    async with runtime.client() as client:
        assert (await client.get(app.url)).status_code == 200


def new_transport(runtime, **settings):
    return httpx.AsyncHTTPTransport(**settings) if runtime.is_async else httpx.HTTPTransport(**settings)


async def test_a_pool_in_the_place_of_ours_is_what_requests_go_through(runtime, httpcore):
    transport, pool = new_transport(runtime), Pool()
    transport._pool = pool
    async with runtime.client(transport=transport) as client:
        assert (await client.get("https://a.test/")).text == "by a pool"
    assert pool.closed


async def test_a_network_backend_goes_into_a_pool_like_ours(runtime, httpcore):
    context = httpx.SSLContext()
    limits = httpx.Limits(max_connections=3, max_keepalive_connections=2, keepalive_expiry=1)
    proxy = httpx.Proxy("http://proxy.test:3128", auth=("u", "p"), headers={"X-A": "1"})
    transport = new_transport(runtime, ssl_context=context, limits=limits, proxy=proxy, retries=4)
    assert transport._pool._network_backend is None  # that of httpcore's pools; nothing is replaced yet
    backend = object()
    transport._pool._network_backend = backend
    assert transport._pool._network_backend is backend
    assert transport._pool._substitute.settings == {
        "ssl_context": context,
        "proxy": ("http://proxy.test:3128", (b"u", b"p"), [(b"X-A", b"1")], None),
        "max_connections": 3,
        "max_keepalive_connections": 2,
        "keepalive_expiry": 1,
        "http1": True,
        "http2": False,
        "retries": 4,
        "local_address": None,
        "uds": None,
        "socket_options": (),
    }
    async with runtime.client(transport=transport) as client:
        assert (await client.get("https://a.test/")).text == "by a pool"
    assert transport._pool._substitute.closed


def test_a_transport_with_another_pool_is_not_pickled(httpcore):
    transport = httpx.HTTPTransport()
    transport._pool = Pool()
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(transport)


async def test_closing_the_pool_closes_the_connections(runtime, app):
    transport = new_transport(runtime)
    async with runtime.client(transport=transport) as client:
        await client.get(app.url)
        assert transport.pool_stats().open == len(transport._pool._connections) == 1
        if runtime.is_async:
            await transport._pool.aclose()
        else:
            transport._pool.close()
        assert transport.pool_stats().open == 0


def test_settings_are_seen_at_the_pool():
    pool = httpx.HTTPTransport(limits=httpx.Limits(max_connections=3, keepalive_expiry=2), http1=False, http2=True, verify=False)._pool
    assert (pool._max_connections, pool._keepalive_expiry, pool._http1, pool._http2) == (3, 2, False, True)
    assert pool._ssl_context.verify_mode == ssl.CERT_NONE
    assert httpx.HTTPTransport()._pool._ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert not hasattr(pool, "_other")
