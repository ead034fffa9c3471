"""What is fuzzed: one function for each kind of bytes that come from others. Its docstring states the invariant; it raises
`AssertionError`, or whatever escapes, for a finding. `SEEDS` are lawful beginnings.

`scripts/fuzz` runs them guided by coverage (atheris) or by mutation; tests/fuzz runs them on what hypothesis thinks of.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import zlib
from collections.abc import Callable
from typing import Any

import httpx
from httpx._auth.challenges import Malformed, parse_challenges
from httpx._connections.http1 import HTTP1Connection
from httpx._connections.tunnel import open_http_tunnel, open_socks_tunnel
from httpx._content.codings import PIECE, make_decoder
from httpx._models.set_cookie import parse_set_cookie
from httpx._network.base import drive
from httpx._network.blocking import BlockingNetwork
from httpx._protocols.http1.body import Buffer, ChunkedBody
from httpx._protocols.http1.head import HeadReader
from httpx._protocols.http1.serialize import serialize_fields
from httpx._tls.certificate import parse_certificate
from httpx._transports.exchange import _make_route

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class MemoryStream:
    """A network stream that has already received all that it ever will, in pieces of `size`."""

    peer = "peer.test:80"
    ended_cleanly = True
    keeps_unsent = True
    tls = None

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[start : start + size] for start in range(0, len(data), size)]
        self.sent = b""

    async def receive(self, timeout: float | None) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def receive_nowait(self) -> bytes | None:
        return self._pieces.pop(0) if self._pieces else b""

    async def send(self, data: bytes, timeout: float | None) -> None:
        self.sent += data

    def is_quiet(self) -> bool:
        return True

    def close(self, last_words: bytes = b"") -> None:
        self._pieces = []

    def info(self, name: str) -> Any:
        return None


def url(data: bytes) -> None:
    """A text is refused with `InvalidURL`, or is a URL that reads the same when it is read again, whose host can do no harm."""
    text = data.decode("utf-8", "replace")
    try:
        parsed = httpx.URL(text)
    except httpx.InvalidURL:
        return
    again = httpx.URL(str(parsed))
    assert str(again) == str(parsed)
    assert (again.scheme, again.raw_host, again.port, again.raw_path) == (parsed.scheme, parsed.raw_host, parsed.port, parsed.raw_path)
    assert not set(parsed.raw_host) & set(b" /?#@\\\t\r\n\0"), parsed.raw_host
    assert not _CONTROLS.search(parsed.raw_path)
    assert not _CONTROLS.search(str(parsed).encode())


def location(data: bytes) -> None:
    """A reference is refused with `InvalidURL`, or leads to a URL that names a host, or to one that nobody can be asked for."""
    base = httpx.URL("http://user:secret@origin.test:8080/a/b?c#d")
    try:
        joined = base.join(data.decode("utf-8", "replace"))
    except httpx.InvalidURL:
        return
    if not joined.host:
        with contextlib.suppress(httpx.UnsupportedProtocol):
            _make_route(joined, None, None, None)
            raise AssertionError(str(joined))
    assert httpx.URL(str(joined)) == joined


def headers(data: bytes) -> None:
    """Field lines that go out are one line for each field, or `LocalProtocolError`."""
    names_and_values = data.split(b"\xff")
    fields = list(zip(names_and_values[::2], names_and_values[1::2], strict=False))
    try:
        lines = serialize_fields(fields)
    except httpx.LocalProtocolError as error:
        assert str(error).isprintable()
        return
    assert lines.count(b"\n") == lines.count(b"\r") == lines.count(b"\r\n") == len(fields)
    assert [tuple(line.split(b": ", 1)) for line in lines.split(b"\r\n")[:-1]] == fields


def response_head(data: bytes) -> None:
    """A head is refused with `RemoteProtocolError`, or has no control character in any field; wherever it is cut."""
    outcomes = []
    for size in (len(data) or 1, 1, 7):
        reader, received, outcome = HeadReader(), b"", None
        for start in range(0, len(data), size):
            received += data[start : start + size]
            try:
                outcome = reader.read(received)
            except httpx.RemoteProtocolError as error:
                assert str(error).isprintable()
                outcome = "error"
            if outcome is not None:
                break
        if isinstance(outcome, tuple):
            head, _ = outcome
            for name, value in head.fields:
                assert name and not _CONTROLS.search(name + value), (name, value)
            outcome = (head.status_code, head.reason_phrase, head.fields)
        outcomes.append(outcome)
    assert outcomes[0] == outcomes[1] == outcomes[2], outcomes


def chunked(data: bytes) -> None:
    """A chunked body is refused with `RemoteProtocolError`, or is the same body wherever it is cut, and takes nothing behind it."""
    outcomes = []
    for size in (len(data) or 1, 1, 5):
        body, buffer, taken = ChunkedBody(), Buffer(), b""
        failed = False
        for start in range(0, len(data), size):
            buffer.append(data[start : start + size])
            try:
                taken += body.take(buffer)
            except httpx.RemoteProtocolError as error:
                assert str(error).isprintable()
                failed = True
                break
        # What came before the error depends on where it was cut; whether there is one must not.
        outcomes.append("error" if failed else (taken, body.complete, bytes(buffer.data) if body.complete else b""))
    assert outcomes[0] == outcomes[1] == outcomes[2], outcomes
    assert not body.complete or body.take(buffer) == b""


def response(data: bytes) -> None:
    """A whole response is refused with an exception of HTTPX or has one body, wherever it is cut; a connection with bytes left over
    is not used again."""
    outcomes = [_exchange(data, size) for size in (len(data) or 1, 1, 11)]
    assert outcomes[0][:2] == outcomes[1][:2] == outcomes[2][:2], outcomes


def _exchange(data: bytes, size: int) -> tuple[Any, ...]:
    connection = HTTP1Connection("key", MemoryStream(data, size), BlockingNetwork())  # type: ignore[arg-type]
    request = httpx.Request("GET", "http://peer.test/")
    body = b""
    try:
        head = drive(connection.exchange(request, {}))
        while (piece := drive(connection.next_data(None))) is not None:
            body += piece
    except httpx.TransportError as error:
        assert str(error).isprintable(), str(error)
        return (type(error).__name__.replace("ReadError", "RemoteProtocolError"), b"")
    reusable = connection.finish()
    if reusable and size >= len(data):
        assert data.endswith(body) or connection.trailers or b"chunked" in data.lower()
    return head.status_code, body, reusable


def http2(data: bytes) -> None:
    """What a server sends never raises; it makes responses, or fails the connection with a `RemoteProtocolError`."""
    try:
        from httpx._protocols.http2.engine import HTTP2Engine, HTTP2Stream
    except ImportError:
        return
    engine = HTTP2Engine()
    streams = [HTTP2Stream() for _ in range(2)]
    for stream in streams:
        engine.start(stream, [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"peer.test"), (b":path", b"/")], True)
    engine.outgoing()
    for start in range(0, len(data), 50):
        engine.receive(data[start : start + 50])
        assert len(engine.outgoing()) < 1_000_000
    assert engine.failure is None or (type(engine.failure) is httpx.RemoteProtocolError and str(engine.failure))
    for stream in streams:
        if stream.head is not None:
            assert stream.head[0][0] == b":status"
            assert re.fullmatch(rb"[1-9][0-9][0-9]", stream.head[0][1])
            for name, value in stream.head[1:]:
                assert not re.search(rb"[\x00\r\n]", name + value)


def cookies(data: bytes) -> None:
    """A Set-Cookie field is ignored or kept; what goes back is one line without control characters, to the same host."""
    found = parse_set_cookie(data)
    jar = httpx.Cookies()
    answer = httpx.Response(200, headers=[(b"Set-Cookie", data)], request=httpx.Request("GET", "https://www.origin.test/path/x"))
    jar.extract_cookies(answer)
    if found is None:
        assert not list(jar.jar)
    for target in ("https://www.origin.test/path/x", "https://sub.www.origin.test/path/x", "http://origin.test/", "https://evil.test/"):
        request = httpx.Request("GET", target)
        jar.set_cookie_header(request)
        sent = dict(request.headers.raw).get(b"Cookie", b"")
        assert not _CONTROLS.search(sent), sent
        assert len(sent) <= 8_190
        assert target != "https://evil.test/" or not sent


def challenge(data: bytes) -> None:
    """A WWW-Authenticate field is answered, left alone, or refused as the server's error; an answer is a single line."""
    text = data.decode("latin-1")
    if _CONTROLS.search(data):
        return  # no field of a response has them
    with contextlib.suppress(Malformed):
        assert len(parse_challenges(text)) <= 100
    request = httpx.Request("GET", "https://www.origin.test/path")
    flow = httpx.DigestAuth("user", "canary-of-password").sync_auth_flow(request)
    next(flow)
    refused = httpx.Response(401, headers=[(b"WWW-Authenticate", data)], request=request)
    try:
        again = flow.send(refused)
    except StopIteration:
        return
    except httpx.RequestError as error:
        assert "canary" not in str(error)
        return
    sent = again.headers["authorization"]
    assert not _CONTROLS.search(sent.encode())
    assert "canary" not in sent
    assert len(re.findall(r'(?:^|[ ,])uri="', re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: match[0][:1], sent))) == 1, sent
    flow.close()


_CODINGS = ["gzip", "deflate", "br", "zstd", "gzip, gzip", "deflate, gzip"]


def codings(data: bytes) -> None:
    """An encoded body is refused with `DecodingError`, or decodes to the same bytes wherever it is cut, in small pieces."""
    coding, body = _CODINGS[data[0] % len(_CODINGS)] if data else "gzip", data[1:]
    outcomes = []
    for size in (len(body) or 1, 3):
        decoder = make_decoder(coding.encode(), {})
        if decoder is None:
            return
        decoded = b""
        try:
            for start in range(0, len(body), size):
                for piece in decoder.decode(body[start : start + size]):
                    assert len(piece) <= PIECE
                    decoded += piece
                decoded += decoder.flush() if start + size >= len(body) else b""
        except httpx.DecodingError as error:
            assert str(error)
            outcomes.append("error")
        else:
            outcomes.append(decoded)
    assert outcomes[0] == outcomes[1]


def multipart(data: bytes) -> None:
    """A form has as many parts as it was given, whatever their names: nothing in a name becomes a field, a line, or a part."""
    name, _, filename = data.decode("utf-8", "replace").partition("|")
    try:
        request = httpx.Request("POST", "http://peer.test/", data={name: "value"}, files={name: (filename, b"content", "text/plain")})
        body = request.read()
    except (ValueError, httpx.LocalProtocolError):
        return
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    parts = body.split(b"--" + boundary)
    assert len(parts) == 4
    for part in parts[1:3]:
        head = part.strip(b"\r\n").partition(b"\r\n\r\n")[0]
        for line in head.split(b"\r\n"):
            assert re.match(rb'Content-(Disposition: form-data; name="[^"\r\n]*"(; filename="[^"\r\n]*")?|Type: [ -~]*)\Z', line), line


def proxy_reply(data: bytes) -> None:
    """A proxy's reply opens a tunnel or is refused with an exception of HTTPX; nothing in it is left for the tunnel."""
    deadline = None
    ways: list[Callable[[MemoryStream], Any]] = [
        lambda stream: open_http_tunnel(
            stream, b"CONNECT peer.test:443 HTTP/1.1\r\nHost: peer.test:443\r\n\r\n", "peer.test:443", deadline
        ),  # type: ignore[arg-type]
        lambda stream: open_socks_tunnel(stream, httpx.Proxy("socks5://u:canary-of@p.test:1"), "peer.test", 443, deadline),  # type: ignore[arg-type]
        lambda stream: open_socks_tunnel(stream, httpx.Proxy("socks4a://u@p.test:1"), "peer.test", 443, deadline),  # type: ignore[arg-type]
    ]
    for way in ways:
        for size in (len(data) or 1, 1):
            stream = MemoryStream(data, size)
            try:
                drive(way(stream))
            except httpx.TransportError as error:
                assert str(error).isprintable()
                assert "canary" not in str(error)


def certificate(data: bytes) -> None:
    """A certificate is refused with `ValueError`, or is read into short printable words."""
    try:
        read = parse_certificate(data)
    except ValueError:
        return
    for text in (read.subject, read.issuer, read.key, read.signature, *read.names, *read.issuer_urls):
        assert text.isprintable(), text
        assert len(text) < 5_000


_GZIP = gzip.compress(b"hello, hello, hello", mtime=0)
_DER = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100")

TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        url,
        location,
        headers,
        response_head,
        chunked,
        response,
        http2,
        cookies,
        challenge,
        codings,
        multipart,
        proxy_reply,
        certificate,
    )
}
_OK = b"HTTP/1.1 200 OK\r\n"
SEEDS: dict[str, list[bytes]] = {
    "url": [
        b"https:.////\\/",
        b"http://user:pw@www.example.org:8080/a/../b?c=d#e",
        b"http://[::1%25eth0]/",
        b"https://xn--fa-hia.de",
        "http://b\xfccher.test/%zz".encode(),
    ],
    "location": [
        b"/a",
        b"//evil.test/",
        b"http:a",
        b"../../x?y",
        b"javascript:alert(1)",
        b"http://:80/",
        b"http://@/",
        b"?x",
        b"#f",
        b"",
        b"httpS:8080/",
    ],
    "headers": [b"X-A\xffb", b"Host\xffh\xffX\xff\r\nInjected: yes"],
    "response_head": [_OK + b"A: b\r\n\r\n", b"HTTP/1.0 404\nA: b\n\n", _OK + b"A: b\n\n", b"HTTP/1.1 200 \r\nA:\tb \r\nB:\r\n\r\n"],
    "chunked": [b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n", b"0\r\n\r\nHTTP/1.1", b"1\r\na\r\n00\r\n\r\n"],
    "response": [
        _OK + b"Content-Length: 5\r\n\r\nhello",
        _OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
        b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 204 X\r\n\r\n",
        _OK + b"\r\nto the end",
        b"HTTP/1.1 304 X\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
    ],
    "http2": [
        bytes.fromhex("000000040000000000") + bytes.fromhex("000001010500000001") + b"\x88",
        bytes.fromhex("000006040000000000")
        + bytes.fromhex("000300000000")
        + bytes.fromhex("000001010400000001")
        + b"\x88"
        + bytes.fromhex("000005000100000001")
        + b"hello",
        bytes.fromhex("000008070000000000") + bytes(8),
        bytes.fromhex("000004030000000001") + bytes(4) + bytes.fromhex("000008060000000000") + bytes(8),
    ],
    "cookies": [
        b"a=b; Path=/; Domain=origin.test; Expires=Wed, 09 Jun 2100 10:18:14 GMT; Secure; HttpOnly; SameSite=Lax",
        b"__Host-a=b; Secure; Path=/",
    ],
    "challenge": [
        b'Digest realm="r\\"x", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="o", stale=true',
        b'Basic realm="x", Digest nonce=n, realm=r',
    ],
    "codings": [
        b"\0" + _GZIP,
        b"\1" + zlib.compress(b"hello"),
        b"\4" + gzip.compress(_GZIP, mtime=0),
        b"\2\x0b\x02\x80hello\x03",
        b"\3\x28\xb5\x2f\xfd\x24\x05\x29\0\0hello",
    ],
    "multipart": [b"name|file.txt", 'n"\r\nX: y|\xe9"; filename="x'.encode()],
    "proxy_reply": [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.1 407 X\tY\r\nContent-Length: 0\r\n\r\n",
        b"\5\2\1\0\5\0\0\1\x7f\0\0\1\0\x50",
        b"\0\x5a\0\0\0\0\0\0",
        b"\5\0\5\0\0\3\4name\0\x50",
    ],
    "certificate": [_DER, bytes.fromhex("3003020100"), b"\x30\x80\x00\x00"],
}
