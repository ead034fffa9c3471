"""Streams that end before their time, and connections that do: who is affected, and what is sent again."""

from __future__ import annotations

import functools
import gc
import socket
import threading

import pytest

import httpx
from tests.support.http2 import (
    CANCEL,
    DATA,
    ENHANCE_YOUR_CALM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    INTERNAL_ERROR,
    MAX_CONCURRENT_STREAMS,
    PING,
    REFUSED_STREAM,
    RST_STREAM,
    HTTP2Peer,
    data,
    goaway,
    keep_alive_http2,
    ping,
    rst_stream,
    settings,
    window_update,
)
from tests.support.servers import PATIENCE, pattern

pytestmark = pytest.mark.usefixtures("no_leaks")


async def test_a_request_that_was_not_processed_is_sent_on_another_connection(runtime, h2_client, scripted):
    # H31
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, fields, body = peer.read_request()
        if conn.number == 0:
            peer.send(goaway(0))
            return
        peer.respond(stream_id, fields[":method"].encode() + body)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.post(server.url, content=b" body")
    assert response.content == b"POST body"
    assert response.extensions["attempts"] == 2
    assert len(server.connections) == 2


async def test_a_connection_that_is_closed_in_good_order_completes_what_it_has_begun(runtime, h2_client, scripted):
    # H32
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        if conn.number == 0:
            peer.send(peer.headers(stream_id), data(stream_id, b"first "), goaway(stream_id), data(stream_id, b"half", end=True))
            conn.wait_closed()
            return
        peer.respond(stream_id, b"next")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"first half"
        assert (await client.get(server.url)).content == b"next"
    assert len(server.connections) == 2


@pytest.mark.parametrize("runtime", ["asyncio", "uvloop", "trio"], indirect=True)
async def test_who_finds_the_connection_closed_hears_what_the_server_said_before(runtime, h2_client, scripted):
    """At whichever moment: while the goodbye is on its way, has arrived, or is being read."""

    def script(conn):
        if conn.number:
            keep_alive_http2(lambda *request: b"another")(conn)
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"first")
        stream_id = peer.read_request()[0]
        peer.send(peer.headers(stream_id), data(stream_id, b"last", end=True), goaway(stream_id))

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)

        async def post(turns):
            for _ in range(turns):
                await runtime.turn()
            if turns == 1:  # the second request has been sent
                server.wait_for(lambda server: server.connections[0].finished.is_set())
            return await client.post(server.url, content=b"x")

        responses = await runtime.gather(*(functools.partial(post, turns) for turns in range(30)))
    assert {response.content for response in responses} <= {b"last", b"another"}


@pytest.mark.parametrize("runtime", ["asyncio", "uvloop", "trio"], indirect=True)
@pytest.mark.parametrize("reads_for_the_other", [True, False])
async def test_who_reads_a_response_that_another_task_closes_is_told(runtime, h2_client, scripted, reads_for_the_other):
    def script(conn):
        peer = HTTP2Peer(conn)
        streams = {}
        while len(streams) < 2:  # in either order, if both begin at the same time
            stream_id, fields, _ = peer.read_request()
            streams[fields[":path"]] = stream_id
            if fields[":path"] == "/closed":
                peer.send(peer.headers(stream_id), data(stream_id, b"the beginning"))
        peer.read_until(RST_STREAM)
        peer.respond(streams["/another"], b"another")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        started = []

        async def turns(number):
            for _ in range(number):
                await runtime.turn()

        async def read():
            async with client.stream("GET", server.url + "/closed") as response:
                started.append(response)
                pieces = response.aiter_raw()
                assert await anext(pieces) == b"the beginning"
                await turns(0 if reads_for_the_other else 20)
                with pytest.raises(httpx.ReadError, match="closed while it was being read"):
                    await anext(pieces)

        async def ask_for_another():
            while not started:
                await runtime.turn()
            assert (await client.get(server.url + "/another")).content == b"another"

        async def close():
            while not started:
                await runtime.turn()
            await turns(40)
            await started[0].aclose()

        await runtime.gather(read, ask_for_another, close)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_stream_is_sent_again(runtime, h2_client, scripted, method):
    # H34
    def script(conn):
        peer = HTTP2Peer(conn)
        refused, _, _ = peer.read_request()
        peer.send(rst_stream(refused, REFUSED_STREAM))
        stream_id, _, body = peer.read_request()
        peer.respond(stream_id, b"then " + body)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.request(method, server.url, content=b"body")
    assert (response.content, response.extensions["attempts"]) == (b"then body", 2)


class Pieces:
    """What can be iterated any number of times, by either kind of client."""

    def __iter__(self):
        yield from (b"in ", b"pieces")

    async def __aiter__(self):
        for piece in self:
            yield piece


CONTENTS = {
    "bytes": lambda folder: {"content": b"in memory"},
    "file": lambda folder: {"content": (folder / "file").open("rb")},
    "iterable": lambda folder: {"content": Pieces()},
    "multipart": lambda folder: {"files": {"field": (folder / "file").open("rb")}},
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
async def test_a_body_that_can_be_read_once_more_is_sent_again(runtime, h2_client, scripted, tmp_path, content):
    bodies = []

    def script(conn):
        peer = HTTP2Peer(conn)
        refused, _, body = peer.read_request()
        bodies.append(body)
        peer.send(rst_stream(refused, REFUSED_STREAM))
        stream_id, _, body = peer.read_request()
        bodies.append(body)
        peer.respond(stream_id, b"ok")
        peer.read_until(HEADERS)

    (tmp_path / "file").write_bytes(b"from a file")
    server = scripted(script)
    settings = content(tmp_path)
    async with h2_client() as client:
        response = await client.post(server.url, **settings)
    for given in (settings.get("content"), settings.get("files", {}).get("field")):
        if hasattr(given, "close"):
            given.close()
    assert response.extensions["attempts"] == 2
    assert bodies[0] == bodies[1] != b""


async def test_a_body_that_can_be_read_only_once_is_not_sent_again(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        refused, _, _ = peer.read_request()
        peer.send(rst_stream(refused, REFUSED_STREAM))
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="did not process") as caught:
            await client.post(server.url, content=iter([b"once"]) if not runtime.is_async else Pieces().__aiter__())
    assert caught.value.__notes__ == ["The request was not sent again, since its content can be read only once."]


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(runtime, h2_client, scripted):
    refused = []

    def script(conn):
        peer = HTTP2Peer(conn)
        while True:
            refused.append(peer.read_request()[0])
            peer.send(rst_stream(refused[-1], REFUSED_STREAM))

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="did not process"):
            await client.get(server.url)
    assert len(refused) == 4


async def test_a_server_that_ends_each_connection_after_a_while_answers_everybody(runtime, h2_client, scripted):
    """As nginx does after `keepalive_requests`: who comes too late may do so many times."""

    def script(conn):
        peer = HTTP2Peer(conn)
        first, *_ = [peer.read_head()[0] for _ in range(8 - conn.number)]
        peer.send(peer.headers(first), data(first, b"%d" % conn.number, end=True), goaway(first))
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        responses = await runtime.gather(*[lambda: client.post(server.url, content=b"x")] * 8)
    assert sorted(response.content for response in responses) == [b"%d" % number for number in range(8)]
    assert max(response.extensions.get("attempts", 1) for response in responses) == 8


async def test_sending_again_can_be_switched_off(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        peer.send(rst_stream(peer.read_request()[0], REFUSED_STREAM))
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client(transport_options={"resend": False}) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="did not process"):
            await client.get(server.url)


async def test_a_body_that_runs_once_is_not_sent_again_once_it_has_begun(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id = peer.read_head()[0]
        peer.read_until(DATA)
        peer.send(rst_stream(stream_id, REFUSED_STREAM))
        peer.read_until(HEADERS)

    server = scripted(script)

    def pieces():
        yield b"once"

    async def async_pieces():
        yield b"once"

    async with h2_client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(server.url, content=async_pieces() if runtime.is_async else pieces())


async def test_a_reused_connection_that_died_is_replaced(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"%d" % conn.number)
        peer.read_request()
        if conn.number == 0:
            conn.reset()
            return
        peer.respond(stream_id + 2, b"again")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"0"
        response = await client.get(server.url)
        assert (response.content, response.extensions["attempts"]) == (b"1", 2)
        assert (await client.post(server.url, content=b"x")).content == b"again"


async def test_what_may_have_been_processed_is_not_sent_again(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"first")
        peer.read_request()

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)
        with pytest.raises(httpx.TransportError):
            await client.post(server.url, content=b"x")
    assert len(server.connections) == 1


async def test_the_reason_that_a_server_gives_is_in_the_error(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(goaway(stream_id, ENHANCE_YOUR_CALM, b"too many pings"))
        conn.socket.shutdown(socket.SHUT_WR)
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match=r"ENHANCE_YOUR_CALM \(too many pings\)"):
            await client.get(server.url)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_reason_is_in_the_error_when_the_connection_is_reset_behind_it(runtime, h2_client, scripted, method):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(goaway(stream_id, ENHANCE_YOUR_CALM, b"too many pings"), ping())
        conn.reset()

    server = scripted(script)
    async with h2_client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match=r"ENHANCE_YOUR_CALM \(too many pings\)") as caught:
            await client.request(method, server.url)
        assert not any("TLS" in note for note in getattr(caught.value, "__notes__", []))


async def test_who_waits_for_a_response_does_not_hear_of_what_could_not_be_sent(runtime, h2_client, scripted):
    """That the server's settings cannot be acknowledged any more is nobody's write."""

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(peer.headers(stream_id), data(stream_id, b"part"))
        conn.reset()

    server = scripted(script)
    async with h2_client() as client:
        for _ in range(10):
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.get(server.url)


async def test_a_stream_that_failed_is_not_taken_for_a_connection_that_died(runtime, h2_client, scripted):
    """Although it dies before the one that waits has looked: the request had its answer, and is not sent again."""

    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0])
        streams = {fields[":path"]: stream_id for stream_id, fields, _ in (peer.read_request() for _ in range(2))}
        peer.send(rst_stream(streams["/fails"], INTERNAL_ERROR))

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)
        outcomes = []

        async def fetch(path):
            with pytest.raises(httpx.TransportError) as caught:
                await client.request("GET" if path == "/fails" else "POST", server.url + path)
            outcomes.append((path, str(caught.value)))

        await runtime.gather(functools.partial(fetch, "/waits"), functools.partial(fetch, "/fails"))
    found = dict(outcomes)
    assert found["/fails"].startswith("The server ended the HTTP/2 stream without a valid response: INTERNAL_ERROR.")
    assert found["/waits"].startswith("A reused connection died: ")
    assert len(server.connections) == 1


async def test_a_response_that_has_arrived_is_whole_although_the_connection_takes_no_more(runtime, h2_client, scripted):
    """The reader gives the window back, which fails, and what it has read is not lost with that."""
    size = 2_200_000  # more than half of the window: then it is given back

    def script(conn):
        peer = HTTP2Peer(conn)
        large, _, _ = peer.read_request()
        peer.send(peer.headers(large))
        small, _, _ = peer.read_request()
        peer.send(*(data(large, pattern(size)[start : start + 16_000]) for start in range(0, size, 16_000)))
        peer.respond(small, b"small")
        conn.wait_for(may_end)
        peer.send(data(large, b"end", end=True), ping())
        conn.reset()
        is_reset.set()

    server = scripted(script)
    may_end, is_reset = server.event(), server.event()
    async with h2_client() as client, client.stream("GET", server.url) as response:
        assert (await client.get(server.url)).content == b"small"
        may_end.set()
        await runtime.in_thread(is_reset.wait, PATIENCE)
        assert await response.aread() == pattern(size) + b"end"


async def test_an_idle_connection_that_was_closed_is_not_used(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"%d" % conn.number)
        if conn.number == 0:
            peer.send(goaway(stream_id))
            return
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"0"
        await runtime.in_thread(server.wait_for, lambda server: server.connections[0].finished.is_set())
        await runtime.turn()
        # Not safe to send twice: it must not even be tried on the connection that has ended.
        response = await client.post(server.url, content=b"x")
        assert response.content == b"1"
        assert "attempts" not in response.extensions


async def test_a_connection_that_was_idle_for_long_is_asked_for_a_sign_of_life(runtime, h2_client, scripted, monkeypatch):
    monkeypatch.setattr("httpx._connections.http2.PROBE_AFTER", 0.0)

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"first")
        question = peer.read_until(PING)
        peer.send(ping(question.payload, ack=True))
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"second")
        peer.read_until(GOAWAY)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"first"
        assert (await client.get(server.url)).content == b"second"
    assert len(server.connections) == 1


async def test_a_connection_that_gives_no_sign_of_life_is_replaced(runtime, h2_client, scripted, monkeypatch):
    monkeypatch.setattr("httpx._connections.http2.PROBE_AFTER", 0.0)
    monkeypatch.setattr("httpx._connections.http2.PROBE_PATIENCE", 0.1)

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.respond(stream_id, b"%d" % conn.number)
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).content == b"0"
        assert (await client.post(server.url, content=b"x")).content == b"1"


async def test_all_wait_for_the_sign_of_life_that_one_has_asked_for(runtime, h2_client, scripted, monkeypatch):
    """A burst after a pause must not go out on a connection of which nobody knows whether it lives."""
    monkeypatch.setattr("httpx._connections.http2.PROBE_AFTER", 0.0)
    monkeypatch.setattr("httpx._connections.http2.PROBE_PATIENCE", 0.2)

    def script(conn):
        if conn.number:
            monkeypatch.setattr("httpx._connections.http2.PROBE_AFTER", 5.0)
            keep_alive_http2(lambda fields, body: body)(conn)
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"first")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)

        async def post():
            return (await client.post(server.url, content=b"x")).content

        assert await runtime.gather(*[post] * 10) == [b"x"] * 10
    assert len(server.connections) == 2


async def test_a_response_that_is_closed_early_leaves_the_others_alone(runtime, h2_client, scripted):
    codes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        first, _, _ = peer.read_request()
        peer.send(peer.headers(first), data(first, b"part"))
        second, _, _ = peer.read_request()
        peer.send(peer.headers(second), data(second, b"one "))
        codes.append(int.from_bytes(peer.read_until(RST_STREAM, first).payload, "big"))
        peer.send(data(second, b"two", end=True))
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client, client.stream("GET", server.url) as first, client.stream("GET", server.url) as second:
        await first.aclose()
        assert await second.aread() == b"one two"
    assert codes == [CANCEL]
    assert len(server.connections) == 1


async def test_responses_that_are_not_read_take_nothing_from_the_connection(runtime, h2_client, nghttpd, nghttpd_files):
    # H39: more is left unread than the window of the connection would hold, if it were not given back.
    (nghttpd_files / "large").write_bytes(pattern(3_000_000))
    async with h2_client() as client:
        for _ in range(400):
            async with client.stream("GET", nghttpd + "/large") as response:
                async for _ in response.aiter_raw():
                    break
        response = await client.get(nghttpd + "/large")
        assert response.content == pattern(3_000_000)
        assert response.extensions["stream_id"] == 801


async def test_a_response_that_was_lost_is_cancelled_by_the_garbage_collector(runtime, h2_client, scripted):
    codes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(peer.headers(stream_id), data(stream_id, b"part"))
        codes.append(int.from_bytes(peer.read_until(RST_STREAM, stream_id).payload, "big"))
        peer.respond(peer.read_request()[0], b"next")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        request = client.build_request("GET", server.url)
        lost = await client.send(request, stream=True)
        with pytest.warns(ResourceWarning, match="dropped without being read or closed"):  # noqa: PT031
            del lost
            gc.collect()
        assert (await client.get(server.url)).content == b"next"
    assert codes == [CANCEL]


async def test_the_limit_of_the_server_is_kept(runtime, h2_client, scripted):
    most = []

    def script(conn):
        peer = HTTP2Peer(conn, {MAX_CONCURRENT_STREAMS: 2})
        peer.respond(peer.read_request()[0], b"warm")
        while True:
            streams = [peer.read_request()[0]]
            if len(most) < 4:
                streams.append(peer.read_request()[0])
            most.append(len(streams))
            for stream_id in streams:
                peer.respond(stream_id, b"ok")

    server = scripted(script)
    async with h2_client(limits=httpx.Limits(max_connections=1)) as client:
        await client.get(server.url)
        responses = await runtime.gather(*[lambda: client.get(server.url) for _ in range(8)])
    assert {response.content for response in responses} == {b"ok"}
    assert len(server.connections) == 1


async def test_another_connection_is_opened_at_the_limit_of_the_server_and_not_before(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn, {MAX_CONCURRENT_STREAMS: 1})
        if conn.number == 0:
            peer.respond(peer.read_request()[0], b"warm")
        stream_id = peer.read_request()[0]
        conn.server.wait_for(lambda server: len(server.connections) == 2)
        peer.respond(stream_id, b"%d" % conn.number)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)
        responses = await runtime.gather(*[lambda: client.get(server.url) for _ in range(2)])
    assert sorted(response.content for response in responses) == [b"0", b"1"]
    assert len(server.connections) == 2


async def test_a_burst_that_comes_before_the_limit_is_known_keeps_to_it(runtime, h2_client, scripted):
    all_are_there = threading.Barrier(10)

    def script(conn):
        peer = HTTP2Peer(conn, {MAX_CONCURRENT_STREAMS: 2})
        streams = [peer.read_request()[0] for _ in range(2)]
        all_are_there.wait(PATIENCE)
        for stream_id in streams:
            peer.respond(stream_id, b"%d" % conn.number)
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        responses = await runtime.gather(*[lambda: client.get(server.url)] * 20)
    assert sorted(int(response.content) for response in responses) == sorted([*range(10), *range(10)])
    assert not any("attempts" in response.extensions for response in responses)


async def test_a_server_that_names_no_limit_has_none(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        for stream_id in [peer.read_request()[0] for _ in range(150)]:
            peer.respond(stream_id, b"one of many")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client() as client:
        responses = await runtime.gather(*[lambda: client.get(server.url)] * 150)
    assert {response.content for response in responses} == {b"one of many"}
    assert len(server.connections) == 1


async def test_an_upload_that_takes_its_time_on_a_new_connection_holds_nobody_up(runtime, h2_client, scripted):
    others_are_done = threading.Event()

    def pieces():
        others_are_done.wait(PATIENCE)
        yield b"at last"

    async def async_pieces():
        await runtime.in_thread(others_are_done.wait, PATIENCE)
        yield b"at last"

    def script(conn):
        peer = HTTP2Peer(conn)
        upload = peer.read_head()[0]
        peer.respond(peer.read_head()[0])
        peer.read_until(DATA, upload)
        peer.respond(upload)
        conn.wait_closed()

    server = scripted(script)

    async def send_upload():
        await client.put(server.url, content=async_pieces() if runtime.is_async else pieces())

    async def send_another():
        await runtime.in_thread(server.wait_for, lambda server: server.connections)
        await client.get(server.url)
        others_are_done.set()

    async with h2_client(limits=httpx.Limits(max_connections=1), timeout=PATIENCE) as client:
        await runtime.gather(send_upload, send_another)


async def test_a_server_that_does_not_greet_is_not_waited_for_by_one_after_the_other(runtime, h2_client, scripted):
    def script(conn):
        if conn.number:
            conn.server.wait_for(lambda server: len(server.connections) == 6)
            keep_alive_http2(lambda *request: b"at the same time")(conn)
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(timeout=httpx.Timeout(PATIENCE, pool=None)) as client:

        async def first():
            with pytest.raises(httpx.ReadTimeout):
                await client.get(server.url, timeout=httpx.Timeout(PATIENCE, read=0.3))

        async def another():
            await runtime.in_thread(server.wait_for, lambda server: server.connections)
            return (await client.get(server.url)).content

        _, *answers = await runtime.gather(first, *[another] * 5)
    assert answers == [b"at the same time"] * 5


async def test_a_server_that_takes_no_requests_is_waited_for_until_the_time_out(runtime, h2_client, scripted):
    # H35
    def script(conn):
        HTTP2Peer(conn, {MAX_CONCURRENT_STREAMS: 0})
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(limits=httpx.Limits(max_connections=1), timeout=httpx.Timeout(10, read=0.1, pool=0.1)) as client:
        for _ in range(2):
            with pytest.raises((httpx.PoolTimeout, httpx.ReadTimeout)):
                await client.get(server.url)


async def test_a_connection_that_takes_no_more_requests_completes_what_it_has_begun(runtime, h2_client, scripted):
    # H35
    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        if conn.number == 0:
            peer.send(peer.headers(stream_id), settings({MAX_CONCURRENT_STREAMS: 0}), data(stream_id, b"under way", end=True))
        else:
            peer.respond(stream_id, b"another")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(limits=httpx.Limits(max_connections=1)) as client:
        assert (await client.get(server.url)).content == b"under way"
        assert (await client.get(server.url)).content == b"another"


async def test_an_upload_into_a_window_that_never_opens_ends_on_time(runtime, h2_client, scripted):
    # H36
    def script(conn):
        peer = HTTP2Peer(conn, {INITIAL_WINDOW_SIZE: 0})
        peer.respond(peer.read_request()[0], b"warm")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(timeout=httpx.Timeout(10, write=0.1)) as client:
        await client.get(server.url)
        with pytest.raises(httpx.WriteTimeout):
            await client.post(server.url, content=pattern(500_000))


async def test_an_answer_that_cannot_come_before_the_window_opens_is_told_as_such(runtime, h2_client, scripted):
    """A short body goes out with the head, as far as it may; then the answer is waited for."""

    def script(conn):
        peer = HTTP2Peer(conn, {INITIAL_WINDOW_SIZE: 3})
        peer.respond(peer.read_request()[0], b"warm")
        conn.wait_closed()

    server = scripted(script)
    async with h2_client(timeout=httpx.Timeout(10, read=0.1)) as client:
        await client.get(server.url)
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.post(server.url, content=b"abcdef")
    assert caught.value.__notes__ == ["The server has not let 3 bytes of the request's content be sent yet (HTTP/2 flow control)."]


async def test_an_upload_goes_on_as_the_window_opens(runtime, h2_client, scripted):
    content = pattern(300_000)

    def script(conn):
        peer = HTTP2Peer(conn, {INITIAL_WINDOW_SIZE: 10})
        stream_id = peer.read_head()[0]
        body = b""
        peer.send(settings({INITIAL_WINDOW_SIZE: 100}))
        while len(body) < len(content):
            found = peer.read_until(DATA)
            body += found.payload
            peer.send(window_update(0, 50_000), window_update(stream_id, 50_000))
        peer.respond(stream_id, b"same" if body == content else b"other")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.post(server.url, content=content)).content == b"same"


async def test_an_answer_in_the_middle_of_an_upload_ends_it(runtime, h2_client, scripted):
    # Q12
    def script(conn):
        peer = HTTP2Peer(conn, {INITIAL_WINDOW_SIZE: 100_000})
        stream_id = peer.read_head()[0]
        peer.send(peer.headers(stream_id, [(":status", "413")]), data(stream_id, b"too large", end=True), rst_stream(stream_id, 0))
        peer.respond(peer.read_request()[0], b"next")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.post(server.url, content=pattern(5_000_000))
        assert (response.status_code, response.content) == (413, b"too large")
        assert (await client.get(server.url)).content == b"next"
    assert len(server.connections) == 1


@pytest.mark.parametrize("answer", [100, 417])
async def test_expect_continue(runtime, h2_client, scripted, answer):
    bodies = []

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, fields, _ = peer.read_head()
        assert fields["expect"] == "100-continue"
        peer.send(peer.headers(stream_id, [(":status", str(answer))], end=answer == 417))
        if answer == 100:
            bodies.append(peer.read_until(DATA).payload)
            peer.respond(stream_id, b"thanks")
        peer.read_until(GOAWAY)

    server = scripted(script)
    async with h2_client() as client:
        response = await client.post(server.url, content=b"body", headers={"Expect": "100-continue"})
    assert response.status_code == (200 if answer == 100 else 417)
    server.wait_for_no_connections()
    assert bodies == ([b"body"] if answer == 100 else [])


async def test_a_connection_is_closed_with_a_goodbye(runtime, h2_client, scripted):
    goodbyes = []

    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"ok")
        goodbyes.append(peer.read_until(GOAWAY).payload[4:8])

    server = scripted(script)
    async with h2_client() as client:
        await client.get(server.url)
    server.wait_for_no_connections()
    assert goodbyes == [bytes(4)]


async def test_two_origins_never_share_a_connection(runtime, h2_client, hypercorn_tls, identity):
    # H40: one address and one certificate for both names, and still each has its own.
    other = hypercorn_tls.replace("127.0.0.1", "localhost")
    async with h2_client(http1=True, ssl_context=identity.trusting()) as client:
        for _ in range(2):
            await client.get(hypercorn_tls)
            await client.get(other)
        assert client.pool_stats().open == 2


async def test_a_misdirected_request_is_not_repeated(runtime, h2_client, scripted):
    def script(conn):
        peer = HTTP2Peer(conn)
        peer.respond(peer.read_request()[0], b"elsewhere", status=421)
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client:
        assert (await client.get(server.url)).status_code == 421
    assert len(server.connections) == 1


async def test_a_slow_reader_holds_no_more_than_one_window(runtime, h2_client, scripted):
    sent = []

    def script(conn):
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        window = int.from_bytes(next(found for found in peer.frames if found.type == 4 and not found.flags).payload[-10:-6], "big")
        peer.send(peer.headers(stream_id))
        other, _, _ = peer.read_request()
        while window >= 16_384:
            peer.send(data(stream_id, bytes(16_384)))
            window -= 16_384
            sent.append(16_384)
        peer.respond(other, b"other")
        peer.read_until(HEADERS)

    server = scripted(script)
    async with h2_client() as client, client.stream("GET", server.url) as slow:
        assert (await client.get(server.url)).content == b"other"
        assert 1_000_000 < sum(sent) <= 4 * 1024 * 1024
        assert slow.num_bytes_downloaded == 0


async def test_all_sockets_are_gone_after_close_in_the_middle(runtime, h2_client, scripted):
    # N15
    def script(conn):
        peer = HTTP2Peer(conn)
        for _ in range(10):
            peer.read_head()
        closing.set()
        conn.wait_closed()

    server = scripted(script)
    closing = server.event()
    client = h2_client()

    async def fetch():
        with pytest.raises(httpx.TransportError, match="closed"):
            await client.get(server.url)

    async def close():
        await runtime.in_thread(closing.wait)
        await client.aclose()

    await runtime.gather(*[fetch] * 10, close)


def test_the_stream_is_the_sockets_own(nghttpd):
    with httpx.Client(transport=httpx.HTTPTransport(http1=False, http2=True)) as client:
        response = client.get(nghttpd)
        assert isinstance(response.extensions["network_stream"].get_extra_info("socket"), socket.socket)
