"""Redirects that lead astray, and cookies from servers that mean no good: over real sockets, with all that must hold."""

from __future__ import annotations

import pytest

import httpx
from tests.hostile.attack import OWN, Case, assert_no_secret, attack, variants
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

RPE, UP = httpx.RemoteProtocolError, httpx.UnsupportedProtocol
FOLLOW = {"follow_redirects": True}


def _to(location: str, status: int = 302, encoding: str = "utf-8") -> bytes:
    head = f"HTTP/1.1 {status} Elsewhere\r\nContent-Length: 0\r\nLocation: ".encode()
    return head + location.encode(encoding) + b"\r\n\r\n"


ASTRAY = {
    "file:///etc/passwd": UP,
    "javascript:alert(1)": UP,
    "data:text/html,hello": UP,
    "ftp://127.0.0.1/": UP,
    "gopher://127.0.0.1:70/_x": UP,
    "unix:/var/run/docker.sock": UP,
    "about:blank": UP,
    "mailto:a@b.test": UP,
    "http+unix://%2Fvar%2Frun/": (UP, RPE),
    "dict://127.0.0.1:11211/stats": UP,
    "ldap://127.0.0.1/": UP,
    "view-source:http://127.0.0.1/": UP,
    "blob:http://127.0.0.1/x": UP,
    "http://[::1/": RPE,
    "http://127.0.0.1:99999/": RPE,
    "http://127.0.0.1:-80/": RPE,
    "http://127.0.0.1:0x50/": RPE,
    "http:///path": (RPE, UP),
    "http://": (RPE, UP),
    "http://?x": (RPE, UP),
    "http://@/": (RPE, UP),
    "http://:80/": None,  # a port alone means the same host: whatever answers there, or nobody
    "http://a b/": RPE,
    "http://a%00b/": RPE,
    "http://a%0d%0ab/": RPE,
    "http://127.0.0.1%2f.evil.test/": RPE,
    "http://127.0.0.1\\@evil.test/": RPE,
    "http://evil.test\\.127.0.0.1/": RPE,
    "http://2130706433/": RPE,
    "http://0x7f.1/": RPE,
    "http://[evil.test]/": RPE,
    "http://\u2100.test/": RPE,
    "http://xn--a/": RPE,
    "http://" + "a" * 300 + ".test/": (RPE, httpx.ConnectError),
    "/" + "a" * 62_000: None,
    "?" + "%" * 30_000: None,
}


@variants([Case(location[:40], _to(location), expected, request=FOLLOW, reused=None) for location, expected in ASTRAY.items() if expected])
def test_a_location_that_leads_nowhere_is_an_error_of_httpx(runtime, case, cut):
    attack(runtime, case, cut)


@variants([Case(location[:40], _to(location), lambda response: _says(response, 302), reused=True) for location in ASTRAY])
def test_a_location_that_is_not_followed_does_no_harm(runtime, case, cut):
    attack(runtime, case, cut)


@variants(
    [
        Case("bytes that are no text", _to("/\xff\xfe", encoding="latin-1"), OWN, request=FOLLOW, reused=True),
        Case(
            "no Location",
            b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n",
            lambda response: _says(response, 302),
            request=FOLLOW,
            reused=True,
        ),
        Case("an empty Location", _to(""), httpx.TooManyRedirects, request=FOLLOW, client={"max_redirects": 0}, reused=None),
        Case("a list of choices", _to("/a", 300), lambda response: _says(response, 300), request=FOLLOW, reused=True),
        Case("304 with a Location", _to("/a", 304), lambda response: _says(response, 304), request=FOLLOW, reused=None),
        Case(
            "305, the redirect to a proxy",
            _to("http://127.0.0.1:1/", 305),
            lambda response: _says(response, 305),
            request=FOLLOW,
            reused=None,
        ),
        Case("201 with a Location", _to("/a", 201), lambda response: _says(response, 201), request=FOLLOW, reused=True),
        Case("399 with a Location", _to("/a", 399), lambda response: _says(response, 399), request=FOLLOW, reused=True),
        Case("a space around", _to("  /next\t "), OWN, request=FOLLOW, reused=None),
    ]
)
def test_odd_redirects(runtime, case, cut):
    attack(runtime, case, cut)


def _says(response: httpx.Response, status: int) -> None:
    assert response.status_code == status


@pytest.mark.parametrize("location", ["/", "//{authority}/", "{url}/?x=1#y", "", "."])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_loop_ends_after_as_many_redirects_as_allowed(runtime, scripted, status, location):
    server = scripted(
        keep_alive(
            lambda request: respond(status=status, headers=[("Location", location.format(url=server.url, authority=server.authority))])
        )
    )
    async with runtime.client(max_redirects=3, follow_redirects=True) as client:
        with pytest.raises(httpx.TooManyRedirects) as caught:
            await client.post(server.url, content=b"hello")
    assert caught.value.request.url.host == "127.0.0.1"
    assert len(server.requests) == 4
    assert len(server.connections) == 1


async def test_credentials_in_a_location_are_neither_sent_nor_shown(runtime, scripted, caplog):
    target = scripted(keep_alive(lambda request: respond(request.headers.get("authorization", "nobody").encode())))
    with_password = f"http://user:canary-of-location@{target.authority}/"
    server = scripted(keep_alive(lambda request: respond(status=302, headers=[("Location", with_password)])))
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url)
    assert response.text == "nobody"
    assert_no_secret(repr(response.request) + repr(response.url) + caplog.text, "repr or log")


@pytest.mark.parametrize("kind", ["loops", "goes between two servers"])
async def test_secrets_reach_no_other_server_on_any_way(runtime, scripted, local_hosts, kind):
    """From one origin to another and back: what was dropped once stays dropped."""
    seen: list[bytes] = []

    def other(request):
        seen.append(request.head)
        return respond(status=307, headers=[("Location", "http://first.test/back")])

    def origin(request):
        if request.path == "/back":
            seen.append(request.head)
            return respond(b"done") if kind == "loops" else respond(status=307, headers=[("Location", "http://second.test/again")])
        return respond(status=307, headers=[("Location", "http://second.test/there")])

    first, second = scripted(keep_alive(origin)), scripted(keep_alive(other))
    local_hosts.add("first.test", {80: first.port})
    local_hosts.add("second.test", {80: second.port})
    secrets = {"Authorization": "canary-of-1", "X-API-Key": "canary-of-2", "Cookie": "a=canary-of-3", "Proxy-Authorization": "canary-of-4"}
    async with runtime.client(follow_redirects=True, max_redirects=5, cookies={"b": "canary-of-5"}, auth=("u", "canary-of-6")) as client:
        if kind == "loops":
            assert (await client.get("http://first.test/", headers=secrets)).text == "done"
        else:
            with pytest.raises(httpx.TooManyRedirects):
                await client.get("http://first.test/", headers=secrets)
    assert len(seen) >= 2
    for head in seen:
        if not head.startswith(b"GET /back"):
            assert_no_secret(head.decode("latin-1"), "a request to another origin")
        assert b"canary-of-1" not in head
        assert b"canary-of-2" not in head
