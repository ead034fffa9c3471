"""Which transport serves which URL: mounts, and proxies from the environment."""

from __future__ import annotations

import os

import pytest

import httpx
from httpx._utils import URLPattern, get_environment_proxies
from tests.support.servers import respond

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("REQUEST_METHOD", raising=False)


@pytest.mark.parametrize(
    ("pattern", "url", "matches"),
    [
        ("all://", "http://example.org", True),
        ("", "http://example.org", True),
        ("http://", "http://example.org", True),
        ("http://", "https://example.org", False),
        ("http://example.org", "http://example.org:8080/path", True),
        ("http://example.org", "http://www.example.org", False),
        ("http://EXAMPLE.org", "http://example.ORG", True),
        ("all://example.org", "https://example.org", True),
        ("all://*", "https://example.org", True),
        ("all://*:8080", "http://example.org:8080", True),
        ("all://*:8080", "http://example.org", False),
        ("https://*:443", "https://example.org", True),
        ("http://example.org:80", "http://example.org", True),
        ("all://*.example.org", "http://a.b.example.org", True),
        ("all://*.example.org", "http://example.org", False),
        ("all://*example.org", "http://example.org", True),
        ("all://*example.org", "http://www.example.org", True),
        ("all://*example.org", "http://notexample.org", False),
        ("all://*bücher.example", "http://www.bücher.example", True),
        ("all://[::1]", "http://[0:0:0:0:0:0:0:1]:99", True),
        ("all://[::1]:99", "http://[::1]", False),
        ("all://127.0.0.1", "http://[::ffff:127.0.0.1]", True),
        ("all://10.0.0.0/8", "http://10.200.3.4", True),
        ("all://10.0.0.0/8", "http://11.0.0.1", False),
        ("all://10.0.0.0/8", "http://10.example.org", False),
        ("all://fd00::/8", "http://[fd12::1]", True),
        ("all://example.org/", "http://example.org/path", True),
    ],
)
def test_what_a_pattern_matches(pattern, url, matches):
    assert URLPattern(pattern).matches(httpx.URL(url)) is matches


@pytest.mark.parametrize("pattern", ["all", "https", "example.org", "http:example.org"])
def test_a_pattern_is_written_like_a_url(pattern):
    with pytest.raises(ValueError, match="://"):
        httpx.Client(mounts={pattern: None})


@pytest.mark.parametrize("pattern", ["all://a.*.org", "all://example.org:port", "all://[::1", "all://[zz::1]", "all://**.org"])
def test_a_malformed_pattern_is_an_invalid_url(pattern):
    with pytest.raises(httpx.InvalidURL):
        httpx.Client(mounts={pattern: None})


async def test_the_most_specific_mount_answers(runtime):
    def named(name):
        return httpx.MockTransport(lambda request: httpx.Response(200, text=name))

    mounts = {
        "all://": named("all"),
        "http://": named("http"),
        "all://*example.org": named("domain"),
        "all://www.example.org": named("host"),
        "all://*:8080": named("port"),
        "https://www.example.org": None,
    }
    async with runtime.client(transport=named("own"), mounts=mounts) as client:
        answers = {
            url: (await client.get(url)).text
            for url in (
                "https://other.test",
                "http://other.test",
                "http://sub.example.org",
                "http://www.example.org",
                "http://www.example.org:8080",
                "https://www.example.org",
            )
        }
    assert list(answers.values()) == ["all", "http", "domain", "host", "port", "own"]


async def test_mounted_transports_are_opened_and_closed_with_the_client(runtime):
    events = []
    kind = httpx.AsyncBaseTransport if runtime.is_async else httpx.BaseTransport

    class Watched(kind):
        def __init__(self, name):
            self.name = name

        def close(self):
            events.append(f"close {self.name}")

        async def aclose(self):
            events.append(f"close {self.name}")

        def __enter__(self):
            events.append(f"open {self.name}")
            return self

        async def __aenter__(self):
            events.append(f"open {self.name}")
            return self

    async with runtime.client(transport=Watched("own"), mounts={"all://a.test": Watched("mounted"), "all://b.test": None}):
        assert events == ["open own", "open mounted"]
    assert events[2:] == ["close own", "close mounted"]


@pytest.mark.parametrize(
    ("environment", "proxies"),
    [
        ({}, {}),
        ({"HTTP_PROXY": "http://p"}, {"http://": "http://p"}),
        ({"https_proxy": "p:1", "ALL_PROXY": "socks5://q"}, {"https://": "http://p:1", "all://": "socks5://q"}),
        ({"HTTP_PROXY": "http://upper", "http_proxy": "http://lower"}, {"http://": "http://lower"}),
        ({"HTTP_PROXY": "http://upper", "http_proxy": ""}, {}),
        ({"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, {}),
        ({"http_proxy": "http://p", "NO_PROXY": "*"}, {}),
        ({"NO_PROXY": "127.0.0.1"}, {"all://127.0.0.1": None}),
        ({"NO_PROXY": "192.168.0.0/16"}, {"all://192.168.0.0/16": None}),
        ({"NO_PROXY": "::1"}, {"all://[::1]": None}),
        ({"NO_PROXY": "localhost"}, {"all://localhost": None}),
        ({"NO_PROXY": "github.com"}, {"all://*github.com": None}),
        ({"NO_PROXY": ".github.com"}, {"all://*.github.com": None}),
        ({"NO_PROXY": "http://github.com"}, {"http://github.com": None}),
    ],
)
def test_proxies_are_read_from_the_environment(monkeypatch, environment, proxies):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert get_environment_proxies() == proxies


def test_another_mapping_may_stand_in_for_the_environment(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", {"HTTP_PROXY": "p.test"})
        assert get_environment_proxies() == {"http://": "http://p.test"}


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("example.com", "http://example.com", True),
        ("example.com", "http://www.example.com", True),
        ("example.com", "http://notexample.com", False),
        ("EXAMPLE.com", "http://example.COM", True),
        ("example.com.", "http://example.com", True),
        ("example.com", "http://example.com.", True),
        (".example.com", "http://www.example.com", True),
        (".example.com", "http://notexample.com", False),
        ("*.example.com", "http://www.example.com", True),
        ("*.example.com", "http://example.com", False),
        ("example.com:8080", "http://example.com:8080", True),
        ("example.com:8080", "http://example.com", False),
        ("example.com:80", "http://example.com", True),
        ("localhost", "http://localhost:3000", True),
        ("localhost", "http://notlocalhost", False),
        ("127.0.0.1", "http://127.0.0.1", True),
        ("127.0.0.1:9", "http://127.0.0.1:9", True),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]", True),
        ("::ffff:127.0.0.1", "http://127.0.0.1", True),
        ("127.0.0.1", "http://127.0.0.10", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.1.2.3/8", "http://10.9.9.9", True),
        ("fd00::/8", "http://[fd00::1]", True),
        ("[fd00::]/8", "http://[fd00::1]", True),
        ("::1", "http://[::1]:5", True),
        ("[::1]", "http://[::1]:5", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("[::1]:8080", "http://[::1]", False),
        ("fe80::1%eth0", "http://[fe80::1]", True),
        (" a.test , b.test ", "http://b.test", True),
        ("a.test b.test", "http://b.test", True),
        ("http://a.test", "http://a.test", True),
        ("http://a.test", "https://a.test", False),
        ("[::1, a:b:c, 10.0.0.0/99, foo/bar, x:port, \x01, ,, b.test", "http://b.test", True),
        ("foo/bar", "http://foo", False),
        ("*", "http://anything", True),
    ],
)
def test_what_no_proxy_exempts(monkeypatch, no_proxy, url, is_direct):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with httpx.Client() as client:
        assert (client._transport_for_url(httpx.URL(url)) is client._transport) is is_direct


def test_what_no_proxy_exempts_is_exempt_from_mounted_proxies_too(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "internal.test")
    proxy = httpx.HTTPTransport(proxy="http://proxy.test:3128")
    with httpx.Client(mounts={"http://": proxy, "https://there.internal.test": proxy}) as client:
        assert client._transport_for_url(httpx.URL("http://internal.test")) is client._transport
        assert client._transport_for_url(httpx.URL("https://there.internal.test")) is proxy
        assert client._transport_for_url(httpx.URL("http://example.test")) is proxy
    with httpx.Client(mounts={"http://": proxy}, trust_env=False) as client:
        assert client._transport_for_url(httpx.URL("http://internal.test")) is proxy


def test_who_decides_on_a_proxy(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://from-environment.test")
    url = httpx.URL("http://example.org")
    own = httpx.MockTransport(lambda request: httpx.Response(200))

    def is_direct(**settings):
        with httpx.Client(**settings) as client:
            return client._transport_for_url(url) is client._transport

    assert not is_direct()
    assert is_direct(trust_env=False)
    assert is_direct(transport=own)
    assert not is_direct(proxy="http://proxy.test", trust_env=False)
    assert is_direct(mounts={"all://": None})


async def test_a_proxy_of_the_client_is_used(runtime, scripted):
    proxy = scripted(lambda conn: conn.read_request() and conn.send(respond(b"by proxy")))
    async with runtime.client(proxy=proxy.url) as client:
        assert (await client.get("http://example.org/path")).text == "by proxy"
    assert proxy.requests[0].target == "http://example.org/path"


async def test_a_proxy_of_the_environment_is_used(runtime, scripted, monkeypatch):
    proxy = scripted(lambda conn: conn.read_request() and conn.send(respond(b"by proxy")))
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://user:pass@"))
    async with runtime.client() as client:
        assert (await client.get("http://example.org/path")).text == "by proxy"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


async def test_a_redirect_takes_no_proxys_credentials_to_another_one_or_to_a_server(runtime, scripted, local_hosts):
    def answers(*locations):
        def script(conn):
            for location in locations:
                conn.read_request()
                conn.send(respond(b"", 302, [("Location", location)]) if location else respond(b"direct"))

        return scripted(script)

    server = answers("")
    other = answers("http://c.test/")
    one = answers("http://b.test/")
    local_hosts.add("c.test", {80: server.port})
    transport = httpx.AsyncHTTPTransport if runtime.is_async else httpx.HTTPTransport
    mounts = {
        "all://a.test": transport(proxy=one.url.replace("://", "://user:S@")),
        "all://b.test": transport(proxy=other.url),
    }
    async with runtime.client(mounts=mounts, follow_redirects=True) as client:
        assert (await client.get("http://a.test/")).text == "direct"
    assert "proxy-authorization" in one.requests[0].headers
    assert "proxy-authorization" not in other.requests[0].headers
    assert "proxy-authorization" not in server.requests[0].headers
