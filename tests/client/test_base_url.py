"""What a base URL is joined with, and whom the client's credentials are for."""

from __future__ import annotations

import pytest

import httpx
from tests.support.servers import respond


@pytest.mark.parametrize(
    ("base", "url", "joined"),
    [
        ("https://example.org", "", "https://example.org/"),
        ("https://example.org/api", "things", "https://example.org/api/things"),
        ("https://example.org/api/", "/things", "https://example.org/api/things"),
        ("https://example.org/api", "/things?q=1", "https://example.org/api/things?q=1"),
        ("https://example.org/api?key=1", "things", "https://example.org/api/things?key=1"),
        ("https://example.org/api?key=1", "things?q=a%2Bb+c", "https://example.org/api/things?key=1&q=a%2Bb+c"),
        ("https://example.org/api", "a%2Fb//c", "https://example.org/api/a%2Fb//c"),
        ("https://example.org/api", "things?", "https://example.org/api/things?"),
        ("https://example.org/api", "https://other.test/x", "https://other.test/x"),
        ("", "https://other.test/x", "https://other.test/x"),
    ],
)
def test_what_a_url_is_joined_to(base, url, joined):
    with httpx.Client(base_url=base) as client:
        assert str(client.build_request("GET", url).url) == joined


@pytest.fixture
def hosts(scripted, local_hosts):
    def script(conn):
        while True:
            conn.read_request()
            conn.send(respond(b""))

    server = scripted(script)
    for host in ("a.test", "b.test"):
        local_hosts.add(host, {80: server.port})
    return server


async def test_credentials_of_a_client_are_for_its_base_url(runtime, hosts):
    settings = {"base_url": "http://a.test", "auth": ("user", "S"), "cookies": {"sid": "S"}}
    async with runtime.client(**settings) as client:
        await client.get("http://b.test/")
        await client.get("/relative")
        await client.get("http://a.test/absolute")
        await client.get("http://b.test/", auth=("own", "x"), cookies={"own": "1"})
    away, relative, absolute, own = hosts.requests
    assert {"authorization", "cookie"} & set(away.headers) == set()
    for request in (relative, absolute):
        assert (request.headers["authorization"], request.headers["cookie"]) == ("Basic dXNlcjpT", "sid=S")
    assert (own.headers["authorization"], own.headers["cookie"]) == ("Basic b3duOng=", "own=1")


async def test_urls_of_another_origin_may_be_refused(runtime, hosts):
    async with runtime.client(base_url="http://a.test", allow_absolute_urls=False) as client:
        for url in ("http://b.test/", "http://user:canary@b.test/", "http://a.test:81/", httpx.URL("http://a.test.b.test")):
            with pytest.raises(httpx.InvalidURL, match="another origin") as caught:
                await client.get(url)
            assert "canary" not in str(caught.value)
        await client.get("http://a.test/absolute")
        await client.get("relative")
    assert [request.path for request in hosts.requests] == ["/absolute", "/relative"]
