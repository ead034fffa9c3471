"""The proxies that are in use in the world, where they are installed."""

from __future__ import annotations

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import keep_alive_http2
from tests.support.real_proxies import PROXIES, is_installed, serve_proxy


@pytest.fixture(scope="module", params=list(PROXIES))
def proxy(request, tmp_path_factory):
    """The URL of a running proxy."""
    if not is_installed(request.param):
        pytest.skip(f"{PROXIES[request.param][0]} is not installed")
    with serve_proxy(request.param, tmp_path_factory.mktemp("proxy")) as url:
        yield url


@pytest.fixture
def host(proxy):
    """What the proxy is asked to connect to."""
    return "127.0.0.1" if proxy.startswith("socks4a") else "localhost"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def client(runtime, proxy, authority):
    def make(**settings):
        return runtime.client(proxy=proxy, ssl_context=httpx.SSLContext(verify=authority.pem), timeout=20, **settings)

    return make


async def test_requests_for_http(client, app, host):
    async with client() as through:
        # Tinyproxy closes connections without a word: a POST that follows a GET may meet one, and is not sent again.
        sent = (await through.post(f"http://{host}:{app.port}/echo", content=b"body", headers={"X-A": "b"})).json()
        for _ in range(3):
            response = await through.get(f"http://{host}:{app.port}/bytes/100000")
            assert len(response.content) == 100_000
    assert (sent["target"], sent["body"], sent["headers"]["x-a"]) == ("/echo", "body", "b")
    assert sent["headers"]["host"] == f"{host}:{app.port}"
    assert "proxy-authorization" not in sent["headers"]


async def test_requests_for_https(client, app_server, authority, host):
    server = app_server(ssl_context=authority.server("localhost", "127.0.0.1"))
    async with client() as through:
        for _ in range(3):
            assert len((await through.get(f"https://{host}:{server.port}/bytes/1000000")).content) == 1_000_000
    assert len(server.connections) == 1
    assert b"roxy" not in server.requests[0].head


async def test_requests_in_http_2(client, scripted, authority, host):
    context = authority.server("localhost", "127.0.0.1")
    context.set_alpn_protocols(["h2"])
    server = scripted(keep_alive_http2(lambda fields, body: fields[":path"].encode()), ssl_context=context)
    async with client(http2=True) as through:
        for _ in range(3):
            response = await through.get(f"https://{host}:{server.port}/path")
            assert (response.http_version, response.content) == ("HTTP/2", b"/path")


async def test_a_server_that_cannot_be_reached(client, app_server, authority, host):
    server = app_server(ssl_context=authority.server("localhost", "127.0.0.1"))
    server.close()
    async with client() as through:
        with pytest.raises(httpx.ProxyError, match=f"{host}:{server.port}"):
            await through.get(f"https://{host}:{server.port}/")


async def test_wrong_credentials(runtime, proxy):
    if "@" not in proxy:
        pytest.skip("this proxy lets everyone in")
    async with runtime.client(proxy=proxy.replace("secret", "WRONG")) as through:
        with pytest.raises(httpx.ProxyError, match=r"40[17]"):
            await through.get("https://localhost:1/")
