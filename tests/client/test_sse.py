"""`client.sse()`: events over as many connections as it takes."""

from __future__ import annotations

import contextlib
import itertools

import pytest

import httpx
from tests.support.servers import keep_alive, respond, respond_chunked

TYPE = [("Content-Type", "text/event-stream")]
ENOUGH = respond(status=204)


class Events:
    """`client.sse()` as an async iterator for all runtimes."""

    def __init__(self, runtime, client, *args, **settings):
        self.runtime = runtime
        self.source = client.sse(*args, **settings)

    async def __aenter__(self):
        if self.runtime.is_async:
            await self.source.__aenter__()
        else:
            self.source.__enter__()
        return self

    async def __aexit__(self, *exc_info):
        if self.runtime.is_async:
            await self.source.__aexit__(*exc_info)
        else:
            self.source.__exit__(*exc_info)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.runtime.is_async:
            return await anext(self.source)
        with contextlib.suppress(StopIteration):
            return next(self.source)
        raise StopAsyncIteration


def streams(*bodies):
    """Answers with these bodies as streams of events, then that there will be no more; what is no bytes is done."""
    left = iter(bodies)

    def script(conn):
        while True:
            conn.read_request()
            body = next(left, ENOUGH)
            if callable(body):
                body(conn)
                return
            if body.startswith(b"HTTP/"):
                conn.send(body)
            else:
                conn.send_each(respond_chunked([b"retry: 0\n\n", body], headers=TYPE))

    return script


async def collect(events):
    return [event.data async for event in events]


async def test_events_arrive_one_by_one(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: first\n\n")
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        assert (await anext(events)).data == "first"
        assert events.source.response.status_code == 200
    asked = server.requests[0].headers
    assert (asked["accept"], asked["cache-control"]) == ("text/event-stream", "no-store")
    assert "last-event-id" not in asked


async def test_a_stream_that_ends_is_asked_for_again_from_the_last_event_on(runtime, scripted):
    server = scripted(streams(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\ndata: cut", b"id: 3\ndata: c\n\n"))
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        assert await collect(events) == ["a", "b", "c"]
        assert events.source.last_event_id == "3"
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, "2", "3"]


async def test_a_connection_that_breaks(runtime, scripted):
    def breaks(conn):
        head, chunk, _ = respond_chunked([b"id: 9\ndata: a\nretry: 0\n\n"], headers=TYPE)
        conn.send(head + chunk)
        conn.reset()

    def hangs_up(conn):
        pass

    server = scripted(streams(breaks, hangs_up, respond(status=503), b"data: b\n\n"))
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        assert (await anext(events)).data == "a"
        events.source._listening._retry = 0.0
        assert await collect(events) == ["b"]
    assert server.requests[-1].headers["last-event-id"] == "9"


async def test_a_stream_may_say_when_to_come_back_and_nothing_else(runtime, scripted, monkeypatch):
    monkeypatch.setattr("httpx._streaming.events.RETRY", 1000.0)
    server = scripted(streams(b"retry: 1\n\n", b"id: 1\ndata: a\n\n"))
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        assert (await anext(events)).data == "a"
    assert len(server.requests) == 2


async def test_only_so_many_attempts_in_a_row(runtime, scripted):
    unavailable = respond(status=503)
    server = scripted(streams(b"data: a\n\n", unavailable, unavailable, unavailable))
    async with runtime.client() as client, Events(runtime, client, server.url, max_attempts=2) as events:
        with pytest.raises(httpx.HTTPStatusError):
            await collect(events)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (respond(b"no", 404), httpx.HTTPStatusError),
        (respond(b"no", 503), httpx.HTTPStatusError),
        (respond(b"<html>", headers=[("Content-Type", "text/html")]), httpx.SSEError),
        (respond(b"data: a\n\n"), httpx.SSEError),
    ],
)
async def test_what_is_no_stream_is_an_error(no_leaks, runtime, scripted, answer, error):
    server = scripted(streams(answer))
    async with runtime.client() as client:
        with pytest.raises(error):
            async with Events(runtime, client, server.url):
                pytest.fail("it was entered")
        assert client.pool_stats().in_use == 0


async def test_a_post_is_sent_once(runtime, scripted):
    server = scripted(streams(b"data: a\n\n"))
    async with runtime.client() as client, Events(runtime, client, server.url, method="POST", json={"q": 1}) as events:
        assert await collect(events) == ["a"]
    assert [request.body for request in server.requests] == [b'{"q":1}']


async def test_an_event_beyond_all_bounds_ends_it(no_leaks, runtime, scripted):
    def endless(conn):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for _ in itertools.count():
            conn.send(b"data: " + b"x" * 10_000)

    server = scripted(streams(endless))
    async with runtime.client() as client, Events(runtime, client, server.url, max_event_size=100_000) as events:
        with pytest.raises(httpx.SSEError, match="100000"):
            await anext(events)
    assert len(server.requests) == 1


async def test_events_may_be_long_in_coming(runtime, scripted):
    def slow(conn):
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        conn.server.event().wait(0.5)
        conn.send(b"data: late\n\n")

    server = scripted(streams(slow))
    async with runtime.client(timeout=httpx.Timeout(5, read=0.2)) as client, Events(runtime, client, server.url, reconnect=False) as events:
        assert await collect(events) == ["late"]
    server = scripted(streams(slow))
    async with runtime.client() as client, Events(runtime, client, server.url, reconnect=False, timeout=0.1) as events:
        with pytest.raises(httpx.ReadTimeout):
            await collect(events)


async def test_leaving_early_frees_the_connection(no_leaks, runtime, scripted):
    server = scripted(keep_alive(lambda request: respond_chunked([b"data: %d\n\n" % number for number in range(1000)], headers=TYPE)))
    async with runtime.client(limits=httpx.Limits(max_connections=1)) as client:
        for _ in range(3):
            async with Events(runtime, client, server.url) as events:
                assert (await anext(events)).data == "0"
        assert client.pool_stats().in_use == 0


def test_as_httpx_sse_spells_it(scripted):
    server = scripted(streams(b"event: greeting\ndata: a\n\n"))
    with httpx.Client() as client, httpx.connect_sse(client, "GET", server.url) as source:
        assert [event.data for event in source.iter_sse() if event.event == "greeting"] == ["a"]
    assert len(server.requests) == 1


async def test_as_httpx_sse_spells_it_asynchronously(scripted):
    server = scripted(streams(b"event: greeting\ndata: a\n\n"))
    async with httpx.AsyncClient() as client, httpx.aconnect_sse(client, "GET", server.url) as source:
        assert [event.data async for event in source.aiter_sse() if event.event == "greeting"] == ["a"]


@pytest.mark.parametrize("event_id", [b"a\x01b", b"\x7f", b"x" * 5_000, b""])
async def test_an_id_that_no_field_can_hold_is_not_sent(runtime, scripted, event_id):
    server = scripted(streams(b"id: 1\ndata: a\n\n", b"id: " + event_id + b"\ndata: b\n\n", b"data: c\n\n"))
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        assert await collect(events) == ["a", "b", "c"]
    assert [request.headers.get("last-event-id") for request in server.requests] == [None, "1", None, None]


async def test_a_server_that_hangs_up_at_once_is_not_hurried_back_to(runtime, scripted, monkeypatch):
    """Whatever it says about the time to wait, and whether or not it has sent something."""
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    bodies = (b"retry: 0\n\n", b"retry: 0\ndata: a\n\n", b"retry: 99999999999\n\n", b"retry: 2000\n\n")
    server = scripted(streams(*(respond(body, headers=TYPE) for body in bodies)))
    async with runtime.client() as client, Events(runtime, client, server.url) as events:
        calls = events.source._listening._client._calls
        monkeypatch.setattr(type(calls), "sleep", lambda calls, seconds: sleep(seconds))
        assert await collect(events) == ["a"]
    assert waited == [0.1, 0.1, 300.0, 2.0]
