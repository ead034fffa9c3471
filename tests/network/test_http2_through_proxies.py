"""HTTP/2 through a tunnel: agreed upon with the origin, whatever the tunnel is made of."""

from __future__ import annotations

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.http2 import keep_alive_http2
from tests.support.proxies import http_proxy, socks4a_proxy, socks5_proxy
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

NAME = "www.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["http", "https", "socks5", "socks4a"])
def way(request, authority, scripted):
    """Start a proxy for the given routes: what to pass as `proxy=`."""

    def start(routes):
        script = {"socks5": socks5_proxy, "socks4a": socks4a_proxy}.get(request.param, http_proxy)(routes)
        if request.param == "https":
            server = scripted(script, ssl_context=authority.server("127.0.0.1"))
            return httpx.Proxy(server.url, ssl_context=httpx.SSLContext(verify=authority.pem)), server
        server = scripted(script)
        return httpx.Proxy(f"{request.param}://{server.authority}"), server

    return start


def echo(fields, body):
    return body or fields[":path"].encode()


@pytest.fixture
def client(runtime, authority):
    def make(**settings):
        context = httpx.SSLContext(verify=authority.pem)
        return runtime.client(transport=runtime.transport(ssl_context=context, http2=True, **settings), timeout=20)

    return make


async def test_many_requests_share_one_tunnel(runtime, client, scripted, authority, way):
    context = authority.server(NAME)
    context.set_alpn_protocols(["h2", "http/1.1"])
    origin = scripted(keep_alive_http2(echo), ssl_context=context)
    proxy, server = way({f"{NAME}:443": origin.port})
    async with client(proxy=proxy) as through:
        response = await through.post(f"https://{NAME}/", content=b"x" * 200_000)
        assert (response.http_version, len(response.content)) == ("HTTP/2", 200_000)
        answers = await runtime.gather(*[lambda number=number: through.get(f"https://{NAME}/{number}") for number in range(50)])
    assert [answer.content for answer in answers] == [b"/%d" % number for number in range(50)]
    assert len(server.connections) == len(origin.connections) == 1


async def test_an_origin_without_it_is_spoken_to_in_http_1_1(client, app_server, authority, way):
    origin = app_server(ssl_context=authority.server(NAME))
    proxy, _ = way({f"{NAME}:443": origin.port})
    async with client(proxy=proxy) as through:
        for _ in range(2):
            assert (await through.get(f"https://{NAME}/json")).http_version == "HTTP/1.1"


async def test_without_tls_it_needs_a_tunnel_too(client, scripted, way):
    """With prior knowledge, requests for http:// do not go to the proxy: it would take them in HTTP/1.1 only."""
    origin = scripted(keep_alive_http2(echo))
    proxy, server = way({f"{NAME}:80": origin.port})
    async with client(proxy=proxy, http1=False) as through:
        for _ in range(2):
            assert (await through.get(f"http://{NAME}/path")).content == b"/path"
    assert len(server.connections) == 1


async def test_proxy_authorization_does_not_reach_the_origin(client, scripted, authority):
    context = authority.server(NAME)
    context.set_alpn_protocols(["h2"])
    seen = []
    origin = scripted(keep_alive_http2(lambda fields, body: seen.append(fields) or b"ok"), ssl_context=context)
    proxy = scripted(http_proxy({f"{NAME}:443": origin.port}))
    async with client(proxy=proxy.url) as through:
        for value in ("one", "two"):
            await through.get(f"https://{NAME}/", headers={"Proxy-Authorization": value})
    assert [request.headers["proxy-authorization"] for request in proxy.requests] == ["one", "two"]
    assert all("proxy-authorization" not in fields for fields in seen)


async def test_a_forwarding_proxy_is_spoken_to_in_http_1_1(client, scripted):
    proxy = scripted(keep_alive(lambda request: respond(request.target)))
    async with client(proxy=proxy.url) as through:
        assert (await through.get("http://example.org/")).text == "http://example.org/"
