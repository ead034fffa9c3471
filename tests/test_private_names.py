"""Names and patching points that libraries built on HTTPX rely on, though they are private."""

from __future__ import annotations

import gc
import sys
import types
import weakref

import pytest

import httpx


def ok(request):
    return httpx.Response(200, json={"url": str(request.url)})


@pytest.fixture
def client_class(runtime):
    return httpx.AsyncClient if runtime.is_async else httpx.Client


def test_names_resolve_to_the_public_objects():
    import httpx._client
    import httpx._transports.asgi
    import httpx._transports.base
    import httpx._transports.default
    import httpx._transports.mock
    import httpx._transports.wsgi
    import httpx._utils

    assert httpx._client.Client is httpx.Client
    assert httpx._client.AsyncClient is httpx.AsyncClient
    assert issubclass(httpx.Client, httpx._client.BaseClient)
    assert httpx._client.USE_CLIENT_DEFAULT is httpx.USE_CLIENT_DEFAULT
    assert isinstance(httpx.USE_CLIENT_DEFAULT, httpx._client.UseClientDefault)
    assert httpx._transports.default.HTTPTransport is httpx.HTTPTransport
    assert httpx._transports.default.AsyncHTTPTransport is httpx.AsyncHTTPTransport
    assert httpx._transports.asgi.ASGITransport is httpx.ASGITransport
    assert httpx._transports.wsgi.WSGITransport is httpx.WSGITransport
    assert httpx._transports.mock.MockTransport is httpx.MockTransport
    assert httpx._transports.base.BaseTransport is httpx.BaseTransport
    assert callable(httpx._utils.get_environment_proxies)


async def test_the_pool_of_a_transport_is_seen_from_outside(runtime, app):
    context = httpx.SSLContext()
    async with runtime.client(verify=context) as client:
        pool = client._transport._pool
        assert pool._ssl_context is context
        assert pool._proxy_url is None
        async with client.stream("GET", app.url + "/bytes/1000000"):
            assert (len(pool._requests), len(pool.connections)) == (1, 1)
        assert (await client.get(app.url)).status_code == 200
        assert (len(pool._requests), len(pool.connections)) == (0, 1)
        assert repr(pool) == "<ConnectionPool [Requests: 0 active, 0 queued | Connections: 0 active, 1 idle]>"
    assert httpx.HTTPTransport(proxy="http://u:p@127.0.0.1:3128")._pool._proxy_url == "http://127.0.0.1:3128"


def test_the_pool_of_a_transport_with_a_proxy_passes_for_httpcores(monkeypatch):
    names = {"HTTPProxy": type("HTTPProxy", (), {}), "URL": lambda url: ("httpcore's", url)}
    monkeypatch.setitem(sys.modules, "httpcore", types.SimpleNamespace(**names))
    through = httpx.HTTPTransport(proxy="http://u:p@127.0.0.1:3128")._pool
    assert isinstance(through, names["HTTPProxy"])
    assert through._proxy_url == ("httpcore's", "http://127.0.0.1:3128")
    assert through._proxy_headers == [(b"Proxy-Authorization", b"Basic dTpw")]
    for other in (httpx.HTTPTransport(), httpx.AsyncHTTPTransport(proxy="socks5://127.0.0.1:1080")):
        assert not isinstance(other._pool, names["HTTPProxy"])


def test_urls_are_merged_by_an_overridable_method():
    class Prefixed(httpx.Client):
        def _merge_url(self, url):
            return super()._merge_url(f"prefix/{url}")

    with Prefixed(base_url="https://example.org") as client:
        assert client.build_request("GET", "path").url == "https://example.org/prefix/path"
        assert client._merge_url("x") == "https://example.org/prefix/x"


async def test_a_transport_wrapped_on_the_instance_is_called(runtime):
    calls = []
    async with runtime.client(transport=httpx.MockTransport(ok), mounts={"all://a.test": httpx.MockTransport(ok)}) as client:
        for transport in (client._transport, *client._mounts.values()):
            name = "handle_async_request" if runtime.is_async else "handle_request"
            original = getattr(transport, name)

            def wrapped(request, original=original):
                calls.append(request.url.host)
                return original(request)

            setattr(transport, name, wrapped)
        await client.get("http://a.test/")
        await client.get("http://b.test/")
    assert calls == ["a.test", "b.test"]


async def test_a_transport_patched_on_the_class_is_called(runtime, monkeypatch):
    if runtime.is_async:

        async def handle(self, request):
            return ok(request)

        monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle)
    else:
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda self, request: ok(request))
    async with runtime.client() as client:
        assert (await client.get("http://nowhere.test/")).json() == {"url": "http://nowhere.test/"}


async def test_the_choice_of_transport_patched_on_the_class_is_used_for_each_request(runtime, client_class, monkeypatch):
    async with runtime.client() as client:
        monkeypatch.setattr(client_class, "_transport_for_url", lambda self, url: httpx.MockTransport(ok))
        assert (await client.get("http://nowhere.test/")).status_code == 200


async def test_send_and_its_parts_wrapped_on_the_class_see_every_request(runtime, client_class, monkeypatch):
    seen = []

    def wrap(name):
        original = getattr(client_class, name)

        def wrapped(self, request, **settings):
            seen.append((name, request.url.path))
            return original(self, request, **settings)

        monkeypatch.setattr(client_class, name, wrapped)

    wrap("send")
    wrap("_send_single_request")

    def handler(request):
        return httpx.Response(302, headers={"Location": "/end"}) if request.url.path == "/start" else ok(request)

    async with runtime.client(transport=httpx.MockTransport(handler), follow_redirects=True) as client:
        await client.get("http://a.test/start")
        async with client.stream("GET", "http://a.test/streamed"):
            pass
    assert seen == [
        ("send", "/start"),
        ("_send_single_request", "/start"),
        ("_send_single_request", "/end"),
        ("send", "/streamed"),
        ("_send_single_request", "/streamed"),
    ]


async def test_hooks_may_be_a_property_of_the_class(runtime, client_class, monkeypatch):
    called = []

    async def ahook(request):
        called.append(request.url.host)

    def hook(request):
        called.append(request.url.host)

    def hooks(self):
        own = vars(self)["_event_hooks"]
        return {"request": [*own["request"], ahook if runtime.is_async else hook], "response": own["response"]}

    async with runtime.client(transport=httpx.MockTransport(ok)) as client:
        monkeypatch.setattr(client_class, "_event_hooks", property(hooks), raising=False)
        await client.get("http://a.test/")
    assert called == ["a.test"]


@pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])
def test_a_client_that_is_dropped_is_gone_at_once(kind):
    """Without waiting for the garbage collector, which may be long in coming while sockets are open."""
    gc.disable()
    try:
        client = kind()
        reference = weakref.ref(client)
        del client
        assert reference() is None
    finally:
        gc.enable()
