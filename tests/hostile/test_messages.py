"""What a peer says stands in no message as it is: it could forge lines of a log, command a terminal, or fill a disk."""

from __future__ import annotations

import pytest

import httpx
from tests.hostile.attack import Case, assert_presentable, attack, attack_http2
from tests.hostile.test_http2 import head
from tests.support.http2 import goaway
from tests.support.servers import respond

pytestmark = pytest.mark.usefixtures("no_leaks")

UP, RPE = httpx.UnsupportedProtocol, httpx.RemoteProtocolError
LONG = "a" * 60_000
FOLLOW = {"follow_redirects": True}


def _to(location: str) -> bytes:
    return f"HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode("latin-1")


LOCATIONS = {
    "a scheme": (LONG + "://x/", UP),
    "a host": (f"http://{LONG}/", RPE),
    "a host behind a password": (f"http://u:canary-of-location@{LONG}/", RPE),
    "a host of the same scheme": (f"//{LONG}/", RPE),
    "a host in brackets": (f"http://[{LONG}", RPE),
    "a port": (f"http://h:{LONG}", RPE),
    "a scheme that nobody speaks": (f"a+b-c.d:{LONG}", UP),
    "a backslash": (f"http://h\\{LONG}", RPE),
}


@pytest.mark.parametrize("name", LOCATIONS)
def test_locations_without_end(runtime, name):
    location, expected = LOCATIONS[name]
    attack(runtime, Case(name, _to(location), expected, request=FOLLOW, reused=None))


def _raises_presentably(response: httpx.Response) -> None:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        response.raise_for_status()
    first, *others = str(caught.value).split("\n")
    assert first.startswith(("Redirect response", "Server error"))
    for line in (first, *others):
        assert line.isprintable(), repr(line)
        assert len(line) < 800


STATUSES = {
    "a long reason": f"HTTP/1.1 500 {LONG}\r\nContent-Length: 0\r\n\r\n".encode(),
    "a reason for terminals": b"HTTP/1.1 500 a\x9b2J\xc2\x9b\r\nContent-Length: 0\r\n\r\n",
    "a long location": _to("/" + LONG),
    "a location for terminals": _to("/\x9b2J\x85"),
    "a location with a password": _to("http://u:canary-of-location@h.test/"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_statuses_that_are_raised(runtime, name):
    attack(runtime, Case(name, STATUSES[name], _raises_presentably, reused=None))


@pytest.mark.parametrize("begun", [b"", b"head"])
def test_the_last_words_of_an_http2_server(runtime, begun):
    words = b"x\x1b[2J\r\nERROR forged\x9b" * 20
    frames = lambda stream: (head(stream) if begun else b"") + goaway(stream, 0xB, words)  # noqa: E731
    attack_http2(runtime, Case("", frames, (RPE, httpx.ReadError), ends=True))


async def test_the_reason_of_a_proxy(runtime, scripted):
    def proxy(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 403 a\tb\x9b" + LONG.encode() + b"\r\n\r\n")

    async with runtime.client(proxy=scripted(proxy).url) as client:
        with pytest.raises(httpx.ProxyError, match="403") as caught:
            await client.get("https://www.example.org/")
    assert_presentable(caught.value)


@pytest.mark.parametrize("kind", [LONG, "text/\x9bhtml", ""])
def test_a_stream_of_events_that_is_none(scripted, kind):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"", headers=[("Content-Type", kind)]))

    with httpx.Client() as client, pytest.raises(httpx.SSEError) as caught, client.sse(scripted(script).url):
        pass
    assert_presentable(caught.value)


def test_the_reason_of_a_websocket_that_was_closed():
    closed = httpx.WebSocketClosed(4000, "\x1b[2J\r\nERROR forged" + LONG)
    assert_presentable(closed)
    assert closed.reason.startswith("\x1b")
