"""What libraries that build on HTTPX rely on beyond its documentation."""

from __future__ import annotations

import pickle
import ssl
import sys
import types

import pytest

import httpx
from tests.support.servers import keep_alive, respond


def test_a_subclass_may_put_its_own_transport_around_ours(app):
    class Wrapped(httpx.BaseTransport):
        def __init__(self, inner):
            self.inner = inner

        def handle_request(self, request):
            response = self.inner.handle_request(request)
            response.headers["X-Wrapped"] = "yes"
            return response

        def close(self):
            self.inner.close()

    class Client(httpx.Client):
        def _init_transport(self, verify=True, cert=None, trust_env=True, http1=True, http2=False, transport=None, **settings):
            return transport or Wrapped(httpx.HTTPTransport(verify=verify, cert=cert, trust_env=trust_env, http1=http1, http2=http2))

        def _init_proxy_transport(self, proxy, **settings):
            return httpx.MockTransport(lambda request: httpx.Response(200, text=f"by {proxy.url}"))

    with Client() as client:
        assert client.get(app.url).headers["x-wrapped"] == "yes"
    with Client(proxy="http://proxy.example:3128") as client:
        assert client.get(app.url).text == "by http://proxy.example:3128"


def test_ssl_context_reaches_a_subclass_as_verify():
    given = []

    class Client(httpx.Client):
        def _init_transport(self, verify=True, **settings):
            given.append(verify)
            return super()._init_transport(verify=verify, **settings)

    context = ssl.create_default_context()
    Client(ssl_context=context).close()
    assert given == [context]
    with pytest.raises(TypeError, match="ssl_context= already says how to verify"):
        Client(ssl_context=context, verify=False)


async def test_an_exception_that_is_raised_again_belongs_to_each_request_in_turn(runtime):
    error = httpx.ReadTimeout("mocked")

    def fail(request):
        raise error

    async with runtime.client(transport=httpx.MockTransport(fail)) as client:
        for path in ("/first", "/second"):
            with pytest.raises(httpx.ReadTimeout) as caught:
                await client.get("https://example.org" + path)
            assert caught.value.request.url.path == path


async def test_hooks_in_a_dictionary_of_another_kind_are_asked_for_each_time(runtime, app):
    seen = []
    hook = seen.append

    class Watching(list):
        def __iter__(self):  # looks empty, and is not
            async def watch(response):
                hook(response.status_code)

            yield watch if runtime.is_async else lambda response: hook(response.status_code)

    class Hooks(dict):
        pass

    async with runtime.client() as client:
        inner = client.wrapped if hasattr(client, "wrapped") else client
        inner._event_hooks = Hooks(request=[], response=Watching())
        await client.get(app.url)
    assert seen == [200]


async def test_a_websocket_url_is_asked_for_by_http(runtime, scripted):
    server = scripted(keep_alive(lambda request: respond("no upgrade", 426)))
    async with runtime.client() as client:
        response = await client.get(server.url.replace("http:", "ws:"))
    assert response.status_code == 426
    assert server.requests[0].headers["host"] == server.authority


async def test_a_wss_url_is_asked_for_by_https(runtime, scripted, tmp_path):
    from tests.support.certificates import Authority

    authority = Authority(tmp_path)
    server = scripted(keep_alive(lambda request: respond("no upgrade", 426)), ssl_context=authority.server("127.0.0.1"))
    async with runtime.client(verify=str(authority.pem)) as client:
        response = await client.get(server.url.replace("https:", "wss:"))
    assert response.status_code == 426


@pytest.fixture
def httpcore(monkeypatch):
    """Stands for httpcore, of which only the errors matter here."""
    module = types.ModuleType("httpcore")
    for name in ("ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "WriteError", "WriteTimeout"):
        setattr(module, name, type(name, (Exception,), {}))
    monkeypatch.setitem(sys.modules, "httpcore", module)
    monkeypatch.setattr("httpx._transports.httpcore_errors._both", {})
    return module


async def test_errors_of_a_network_stream_are_httpcores_too_where_that_is_imported(httpcore, runtime, scripted):
    def upgrade_and_reset(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        conn.read_exactly(1)
        conn.reset()

    server = scripted(upgrade_and_reset)
    async with runtime.client() as client, client.stream("GET", server.url, headers={"Connection": "Upgrade", "Upgrade": "x"}) as response:
        stream = response.extensions["network_stream"]

        async def speak():
            if runtime.is_async:
                await stream.write(b"x")
                return await stream.read(100)
            stream.write(b"x")
            return stream.read(100)

        with pytest.raises(httpcore.ReadError) as caught:
            await speak()
    assert isinstance(caught.value, httpx.ReadError)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (type(copied), str(copied)) == (httpx.ReadError, str(caught.value))


async def test_host_is_the_first_field_wherever_the_caller_put_it(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url, headers={"X-A": "1", "Host": "virtual.example"})
    assert app.requests[0].raw_headers[0] == (b"Host", b"virtual.example")


def test_a_timeout_of_two_or_three_values_leaves_the_others_without_limit():
    assert httpx.Timeout((3.05, 27)).as_dict() == {"connect": 3.05, "read": 27, "write": None, "pool": None}
    assert httpx.Timeout((1, 2, 3)).as_dict() == {"connect": 1, "read": 2, "write": 3, "pool": None}


async def test_content_that_is_a_stream_of_both_kinds_is_sent_by_either_client(runtime, app):
    class Parts(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self):
            yield from (b"one ", b"two")

        async def __aiter__(self):
            yield b"one "
            yield b"two"

    async with runtime.client() as client:
        response = await client.post(app.url + "/echo", content=Parts())
    assert response.json()["body"] == "one two"


@pytest.mark.parametrize("url", [None, b"https://example.org/", 1])
def test_a_url_of_another_type_is_a_type_error(url):
    with httpx.Client() as client, pytest.raises(TypeError):
        client.get(url)


async def test_no_turn_of_the_event_loop_is_counted_as_a_sleep(app, monkeypatch):
    """Tests of programs replace asyncio.sleep, which they pause with themselves, and count the calls."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    async with httpx.AsyncClient() as client:
        await client.get(app.url)
        await client.post(app.url, files={"f": ("name", b"content")})
    assert slept == []
