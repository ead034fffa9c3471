"""HTTP/2 as its users see it: exchanges with servers that behave."""

from __future__ import annotations

import asyncio

import pytest

import httpx
from httpx._connections.http2 import HTTP2Connection
from httpx._models.credentials import CREDENTIAL_FIELDS
from httpx._network.asyncio_network import AsyncioNetwork
from httpx._protocols.http2.engine import HTTP2Engine
from tests.support.http2 import (
    ACK,
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    SETTINGS,
    HTTP2Peer,
    data,
    frame,
    keep_alive_http2,
    raw_headers,
    settings,
    status_block,
)
from tests.support.servers import pattern


async def test_a_request_and_its_response(runtime, h2_client, scripted):
    server = scripted(keep_alive_http2(lambda fields, body: fields[":path"].encode()))
    async with h2_client() as client:
        response = await client.get(server.url + "/hello?x=1")
        again = await client.get(server.url + "/again")
    assert (response.status_code, response.content, response.http_version) == (200, b"/hello?x=1", "HTTP/2")
    assert response.reason_phrase == "OK"
    assert (response.extensions["stream_id"], again.extensions["stream_id"]) == (1, 3)
    assert again.content == b"/again"
    assert len(server.connections) == 1


async def test_the_fields_of_a_request_are_those_that_http2_knows(runtime, h2_client, scripted):
    # I28
    seen = []

    def answer(fields, body):
        seen.append(fields)
        return b"ok"

    server = scripted(keep_alive_http2(answer))
    headers = {"Connection": "keep-alive, X-Hop", "Keep-Alive": "5", "X-Hop": "1", "Upgrade": "h2c", "X-Upper": " padded ", "TE": "gzip"}
    async with h2_client() as client:
        await client.post(server.url + "/p", headers=headers, content=b"abc")
    fields = seen[0]
    assert {name: fields[name] for name in (":method", ":scheme", ":authority", ":path")} == {
        ":method": "POST",
        ":scheme": "http",
        ":authority": server.authority,
        ":path": "/p",
    }
    assert fields["x-upper"] == "padded"
    assert fields["content-length"] == "3"
    assert not {"connection", "keep-alive", "x-hop", "upgrade", "te", "host", "transfer-encoding"} & set(fields)


@pytest.mark.parametrize("value", ["a\r\nInjected: yes", "a\x00b", "a\nb"])
async def test_a_line_break_in_a_field_is_refused_before_anything_is_sent(runtime, h2_client, scripted, value):
    server = scripted(keep_alive_http2(lambda fields, body: b"ok"))
    async with h2_client() as client:
        await client.get(server.url)
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(server.url, headers={"X-A": value})
        assert (await client.get(server.url)).content == b"ok"
    assert len(server.connections) == 1


async def test_fields_that_hold_secrets_are_never_indexed(runtime, h2_client, scripted):
    # X3
    payloads = []

    def script(conn):
        peer = HTTP2Peer(conn)
        while True:
            found = peer.read_until(HEADERS)
            payloads.append(found.payload)
            peer.respond(found.stream_id, b"ok")

    server = scripted(script)
    async with h2_client() as client:
        for _ in range(2):
            await client.get(server.url, headers={"Authorization": "Bearer secret", "X-Plain": "plain"})
    assert b"\x1f\x08" in payloads[0]  # a literal that is never indexed, its name from the static table: authorization
    assert b"\x1f\x08" in payloads[1]


async def test_what_is_taken_for_a_credential_anywhere_is_never_indexed(runtime, h2_client, scripted):
    found = []

    def script(conn):
        peer = HTTP2Peer(conn)
        head = peer.read_until(HEADERS)
        found.extend(peer.decoder.decode(head.payload))
        peer.respond(head.stream_id, b"ok")

    async with h2_client() as client:
        await client.get(scripted(script).url, headers={**dict.fromkeys(CREDENTIAL_FIELDS, "secret"), "X-Plain": "plain"})
    assert {field[0] for field in found if not field.indexable} == CREDENTIAL_FIELDS


async def test_a_body_of_any_kind_is_sent_whole(runtime, h2_client, scripted):
    server = scripted(keep_alive_http2(lambda fields, body: body))
    content = pattern(1_500_000)

    def sync_pieces():
        for start in range(0, len(content), 70_000):
            yield content[start : start + 70_000]

    async def async_pieces():
        for piece in sync_pieces():
            yield piece

    async with h2_client() as client:
        assert (await client.post(server.url, content=content)).content == content
        assert (await client.post(server.url, content=async_pieces() if runtime.is_async else sync_pieces())).content == content
        assert (await client.post(server.url, content=b"")).content == b""


BIG = pattern(3_000_000)


async def test_many_requests_share_one_connection(runtime, h2_client, nghttpd, nghttpd_files):
    (nghttpd_files / "small").write_bytes(b"small")
    (nghttpd_files / "big").write_bytes(BIG)

    async with h2_client(timeout=60) as client:  # 66 MB through 20 threads, on a machine that may be busy

        async def fetch():
            for _ in range(5):
                assert (await client.get(nghttpd + "/small")).content == b"small"
            assert (await client.get(nghttpd + "/big")).content == BIG

        await runtime.gather(*[fetch for _ in range(20)])
        numbers = {(await client.get(nghttpd + "/small")).extensions["stream_id"] for _ in range(2)}
        assert numbers == {241, 243}  # all others went over the same connection


async def test_tasks_that_were_answered_together_share_the_next_write(runtime, h2_client, scripted, monkeypatch):
    if runtime.name not in ("asyncio", "uvloop"):
        pytest.skip("threads, and the tasks of trio, go in any order")
    writes = []
    outgoing = HTTP2Engine.outgoing

    def count(engine):
        data = outgoing(engine)
        if data:
            writes.append(data)
        return data

    def script(conn):
        peer = HTTP2Peer(conn)
        for many in (1, 10, 10):
            streams = [peer.read_request()[0] for _ in range(many)]
            peer.send(*(peer.headers(stream_id, end=True) for stream_id in streams))
        peer.read_until(HEADERS)

    monkeypatch.setattr(HTTP2Engine, "outgoing", count)
    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)

        async def fetch():
            await client.get(server.url)
            await client.get(server.url)

        del writes[:]
        await runtime.gather(*[fetch for _ in range(10)])
    # The very first one cannot know of the others yet.
    requests = [data.count(bytes((HEADERS, END_HEADERS | END_STREAM))) for data in writes]
    assert [count for count in requests if count] == [1, 9, 10]


class Wire:
    """A stream that notes what is sent."""

    peer, keeps_unsent = "wire", True

    def __init__(self):
        self.sent = []

    def share(self):
        return self

    async def send(self, data, timeout):
        self.sent.append(data)


async def test_what_arrives_while_a_write_is_due_waits_for_that_write():
    wire = Wire()
    connection = HTTP2Connection("key", wire, AsyncioNetwork(), lambda connection: None)
    fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"wire"), (b":path", b"/")]
    connection.submit(connection.begin(), fields, b"")
    connection.submit(connection.begin(), fields, b"")
    async with asyncio.TaskGroup() as group:
        group.create_task(connection.flush_together(None))
        await asyncio.sleep(0)
        await connection._take_in(settings(), None)  # which is to be acknowledged
        assert wire.sent == []
    assert len(wire.sent) == 1
    assert frame(SETTINGS, ACK, 0) in wire.sent[0]


async def test_an_upload_comes_back_from_another_implementation(runtime, h2_client, nghttpd):
    content = pattern(2_000_000)
    async with h2_client() as client:
        assert (await client.post(nghttpd + "/echo", content=content)).content == content


async def test_hypercorn_over_tls(runtime, h2_client, hypercorn_tls, identity):
    url = hypercorn_tls
    async with h2_client(http1=True, ssl_context=identity.trusting()) as client:
        response = await client.get(url)
        assert (response.http_version, response.text) == ("HTTP/2", "Hello, world!")
        assert (await client.post(url + "/echo", content=pattern(300_000))).content == pattern(300_000)
        assert (await client.get(url + "/stream")).text == "one two three"


async def test_nginx_over_tls(runtime, h2_client, nginx_tls, identity):
    url = nginx_tls
    async with h2_client(http1=True, ssl_context=identity.trusting()) as client:

        async def fetch():
            for _ in range(5):
                response = await client.get(url + "/json")
                assert (response.http_version, response.json()) == ("HTTP/2", {"message": "Hello, world!"})

        await runtime.gather(*[fetch for _ in range(20)])
        assert (await client.get(url + "/json")).extensions["stream_id"] == 201


async def test_a_server_that_does_not_know_http2_is_spoken_to_in_http1(runtime, h2_client, app_server, identity):
    server = app_server(ssl_context=identity.authority.server())
    async with h2_client(http1=True, ssl_context=identity.trusting()) as client:
        responses = await runtime.gather(*[lambda: client.get(server.url + "/json") for _ in range(5)])
        assert {response.http_version for response in responses} == {"HTTP/1.1"}


async def test_without_http1_a_server_that_does_not_know_http2_is_an_error(runtime, h2_client, app_server, identity):
    server = app_server(ssl_context=identity.authority.server())
    async with h2_client(ssl_context=identity.trusting()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(server.url + "/json")


async def test_http2_is_not_spoken_on_plain_http_unless_it_is_the_only_protocol(runtime, h2_client, app):
    async with h2_client(http1=True) as client:
        assert (await client.get(app.url + "/json")).http_version == "HTTP/1.1"


async def test_trailers(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        trailers = frame(HEADERS, 0x4 | END_STREAM, stream_id, peer.encoder.encode([("x-sum", "42")]))
        peer.send(peer.headers(stream_id), data(stream_id, b"body"), trailers)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.get(server.url)
    assert response.content == b"body"
    assert response.extensions["trailers"] == [(b"x-sum", b"42")]


async def test_informational_responses_come_before_the_final_one(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(*[peer.headers(stream_id, [(":status", "103"), ("link", "</a>")])] * 3)
        peer.respond(stream_id, b"done")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"done"


async def test_head_and_204_have_no_body(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, fields=[("content-length", "5")])
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, status=204)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.head(server.url)
        assert (response.content, response.headers["content-length"]) == (b"", "5")
        assert (await client.get(server.url)).status_code == 204


async def test_large_fields(runtime, h2_client, scripted):
    server = scripted(keep_alive_http2(lambda fields, body: str(len(fields["x-large"])).encode()))
    async with h2_client() as client:
        # More than one frame holds: the rest goes into CONTINUATION frames, which this peer would not understand.
        assert (await client.get(server.url, headers={"X-Large": "v" * 15_000})).text == "15000"


async def test_large_fields_of_a_response(runtime, h2_client, scripted):
    """As large as those of HTTP/1.1 may be."""

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        block = status_block(fields=[(b"x-%d" % number, b"v" * 50_000) for number in range(5)])
        parts = [block[start : start + 16_384] for start in range(0, len(block), 16_384)]
        continued = [frame(CONTINUATION, END_HEADERS if part is parts[-1] else 0, stream_id, part) for part in parts[1:]]
        peer.send(raw_headers(stream_id, parts[0], end=True, end_headers=False), *continued)
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        response = await client.get(server.url)
    assert [len(value) for value in response.headers.values()] == [50_000] * 5


async def test_a_head_that_is_too_large_to_be_sent_is_our_mistake(runtime, h2_client, scripted):
    server = scripted(keep_alive_http2(lambda fields, body: b"done"))
    async with h2_client() as client:
        with pytest.raises(httpx.LocalProtocolError, match="at most 1048576 bytes"):
            await client.get(server.url, headers={"X-Large": "v" * 2_000_000})
        response = await client.get(server.url)
        assert (response.content, response.extensions["stream_id"]) == (b"done", 3)
    assert len(server.connections) == 1


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ngh2", None)
    monkeypatch.delitem(sys.modules, "httpx._protocols.http2.engine", raising=False)
    monkeypatch.delattr("httpx._protocols.http2.engine", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'httpx\[http2\]'"):
        httpx.HTTPTransport(http2=True)
