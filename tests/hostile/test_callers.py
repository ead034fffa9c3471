"""What a caller hands on from people it does not know never becomes a line, a field or a message of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

import httpx
from tests.hostile.attack import assert_nothing_is_busy
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

LPE = httpx.LocalProtocolError
BREAK = "a\r\nInjected: yes"


def _headers(*fields: tuple[Any, Any]) -> dict[str, Any]:
    return {"headers": list(fields)}


def _part(*part: Any) -> dict[str, Any]:
    return {"files": {"f": part}}


REFUSED: dict[str, tuple[str, dict[str, Any], type[Exception] | tuple[type[Exception], ...]]] = {
    # I1-I12: values that would break out of their line.
    "a line break in a value": ("GET", _headers(("X-A", BREAK)), LPE),
    "a line break in a value of bytes": ("GET", _headers(("X-A", BREAK.encode())), LPE),
    "a line feed in a value": ("GET", _headers(("X-A", "a\nb")), LPE),
    "a carriage return in a value": ("GET", _headers(("X-A", "a\rb")), LPE),
    "a line break at the end of a value": ("GET", _headers(("X-A", "a\r\n")), LPE),
    "a folded value": ("GET", _headers(("X-A", "a\r\n b")), LPE),
    "a line separator that becomes one": ("GET", _headers(("X-A", "a\u010ab\u010d")), (LPE, UnicodeEncodeError)),
    **{
        f"control character {character!r}": ("GET", _headers(("X-A", f"a{character}b")), LPE)
        for character in "\x00\x01\x08\x0b\x0c\x0e\x1b\x1f\x7f"
    },
    "a line break in a name": ("GET", _headers(("X-A: b\r\nInjected", "yes")), LPE),
    "a colon in a name": ("GET", _headers(("X-A:b", "c")), LPE),
    "a space in a name": ("GET", _headers(("X A", "b")), LPE),
    "a space behind a name": ("GET", _headers(("Content-Length ", "5")), LPE),
    "an empty name": ("GET", _headers(("", "b")), LPE),
    "a name beyond ASCII": ("GET", _headers((b"X-\xe9", "b")), LPE),
    "a line break in a method": ("GET / HTTP/1.1\r\nInjected: yes\r\nX:", {}, LPE),
    "a space in a method": ("GET /evil HTTP/1.1 X", {}, LPE),
    "an empty method": ("", {}, LPE),
    "a method beyond ASCII": ("G\u00c9T", {}, LPE),
    "a line feed behind a method": ("GET\n", {}, LPE),
    "a line break in Host": ("GET", _headers(("Host", "h\r\nInjected: yes")), LPE),
    "a line break in a cookie field": ("GET", _headers(("Cookie", "a=b\r\nInjected: yes")), LPE),
    "a line break in a target of bytes": ("GET", {"extensions": {"target": b"/a HTTP/1.1\r\nInjected: yes\r\n"}}, LPE),
    "a space in a target of bytes": ("GET", {"extensions": {"target": b"/a b"}}, LPE),
    "a user name with a colon": ("GET", {"auth": ("a:b", "c")}, ValueError),
    # I18-I19: parts of a form.
    "a line break in a part's type": ("POST", _part("a", b"d", "text/plain\r\nInjected: yes"), (LPE, ValueError)),
    "a line break in a part's field": ("POST", _part("a", b"d", "t/p", {"X": BREAK}), (LPE, ValueError)),
    "a line break in the name of a part's field": ("POST", _part("a", b"d", "t/p", {"X: y\r\nInjected": "yes"}), (LPE, ValueError)),
    # I24-I26: framing that contradicts itself.
    "two lengths": ("POST", {**_headers(("Content-Length", "5"), ("content-length", "9")), "content": b"hello"}, LPE),
    "two equal lengths": ("POST", {**_headers(("Content-Length", "5"), ("content-length", "5")), "content": b"hello"}, LPE),
    "a list of lengths": ("POST", {**_headers(("Content-Length", "5, 5")), "content": b"hello"}, LPE),
    "a length that is no number": ("POST", {**_headers(("Content-Length", "+5")), "content": b"hello"}, LPE),
    "a length that is too small": ("POST", {**_headers(("Content-Length", "2")), "content": b"hello"}, LPE),
    "a length that is too large": ("POST", {**_headers(("Content-Length", "50")), "content": b"hello"}, LPE),
    "a length without content": ("POST", _headers(("Content-Length", "5")), LPE),
    "a coding beside a length": ("POST", {**_headers(("Transfer-Encoding", "chunked"), ("Content-Length", "5")), "content": b"hello"}, LPE),
    "another coding": ("POST", {**_headers(("Transfer-Encoding", "gzip, chunked")), "content": b"hello"}, LPE),
    "a coding twice": ("POST", {**_headers(("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")), "content": b"hello"}, LPE),
}


@pytest.mark.parametrize(("method", "given", "expected"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_would_break_out_is_refused_before_a_byte_is_sent(runtime, scripted, method, given, expected):
    server = scripted(keep_alive(lambda request: respond(b"fine")))
    async with runtime.client() as client:
        assert (await client.get(server.url)).content == b"fine"
        with pytest.raises(expected):
            await client.request(method, server.url + "/attack", **given)
        assert_nothing_is_busy(client)
        assert (await client.get(server.url)).content == b"fine"
    assert [request.target for request in server.requests] == ["/", "/"]
    assert not any(b"Injected" in request.head for request in server.requests)


ESCAPED: dict[str, tuple[str, dict[str, Any]]] = {
    "a line break in the query": ("GET", {"params": {"q": BREAK}}),
    "a line break in a form": ("POST", {"data": {BREAK: BREAK}}),
    "a line break in a file name": ("POST", _part('a"\r\nInjected: yes\r\nx="', b"d")),
    "a line break in a field's name": ("POST", {"files": {'f"\r\nInjected: yes\r\nx="': ("a", b"d")}}),
    "a quote in a file name": ("POST", _part('a"; name="evil', b"d")),
    "a line break in a password": ("GET", {"auth": ("u\r\nInjected", "p\r\nInjected: yes")}),
    "a letter beyond Latin-1 in a password": ("GET", {"auth": ("\u4f60", "\u597d")}),
    "a request in the body of GET": ("GET", {"content": b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n"}),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("method", "given"), ESCAPED.values(), ids=ESCAPED.keys())
async def test_what_can_be_escaped_is_and_stays_one_request(runtime, scripted, method, given):
    server = scripted(keep_alive(lambda request: respond(request.head.partition(b"\r\n\r\n")[0])))
    async with runtime.client() as client:
        response = await client.request(method, server.url + "/attack", **given)
        assert (await client.get(server.url + "/next")).status_code == 200
    assert "\r\nInjected" not in response.text
    assert [request.path for request in server.requests] == ["/attack", "/next"]
    assert b"\r\nInjected" not in server.requests[0].head
    assert b'; name="evil' not in server.requests[0].body
    assert "\r\nInjected" not in server.requests[0].body.decode("latin-1") or method == "GET"


@pytest.mark.parametrize("pieces", [[b"hello"], [b"hello", b"hello", b"hello!"], []], ids=["shorter", "longer", "empty"])
async def test_a_stream_of_another_length_than_declared_ends_the_connection(runtime, scripted, pieces):
    # I26
    def stream():
        yield from pieces

    async def async_stream():
        for piece in pieces:
            yield piece

    def script(conn):
        conn.read_request() if conn.number else conn.wait_closed()
        conn.send(respond(b"fine"))
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client:
        content = async_stream() if runtime.is_async else stream()
        with pytest.raises(LPE):
            await client.post(server.url, content=content, headers={"Content-Length": "10"})
        assert (await client.get(server.url)).content == b"fine"
    assert len(server.connections) == 2


@pytest.mark.parametrize(
    "error", [OSError("the disk is gone"), RuntimeError("no"), MemoryError(), RecursionError()], ids=lambda error: type(error).__name__
)
async def test_a_stream_that_fails_passes_its_error_on_and_ends_the_connection(runtime, scripted, error):
    def stream():
        yield b"hello"
        raise error

    async def async_stream():
        yield b"hello"
        raise error

    def script(conn):
        conn.read_request() if conn.number else conn.wait_closed()
        conn.send(respond(b"fine"))
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client:
        with pytest.raises(type(error)):
            await client.post(server.url, content=async_stream() if runtime.is_async else stream())
        assert_nothing_is_busy(client)
        assert (await client.get(server.url)).content == b"fine"
    assert b"0\r\n\r\n" not in server.connections[0]._received


async def test_what_a_caller_sends_arrives_as_it_was_meant(runtime, app):
    """The other side of the coin: no lawful value is refused."""
    async with runtime.client() as client:
        sent = {"X-Tab": "a\tb", "X-Latin": "\xe9\xff", "X-Empty": "", "X!#$%&'*+-.^_`|~": "token"}
        headers = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        response = await client.get(app.url + "/echo", headers=headers)
    echoed = json.loads(response.text)["headers"]
    assert {name.lower(): value for name, value in sent.items()}.items() <= echoed.items()
