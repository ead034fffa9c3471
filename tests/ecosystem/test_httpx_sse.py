"""httpx-sse: it reads `response.iter_text()` of a stream as the bytes arrive."""

from __future__ import annotations

import pytest
from httpx_sse import SSEError, aconnect_sse, connect_sse

import httpx
from tests.support.servers import respond, respond_chunked

EVENTS = [
    b": a comment\n\n",
    b"event: greeting\nid: 1\ndata: hello\n\n",
    "data: caf\u00e9".encode()[:-1],  # cut in the middle of a character
    "data: caf\u00e9".encode()[-1:] + b"\r\ndata: two lines\r\n\r\n",
    b'retry: 3000\ndata: {"n": 3}\n\n',
]


def events(request):
    assert request.headers["accept"] == "text/event-stream"
    assert request.headers["cache-control"] == "no-store"
    return respond_chunked(EVENTS, headers=[("Content-Type", "text/event-stream")])


def test_events_are_received_one_by_one(serve):
    server = serve(events)
    with httpx.Client() as client, connect_sse(client, "GET", server.url) as source:
        first, second, third = source.iter_sse()
    assert (first.event, first.id, first.data) == ("greeting", "1", "hello")
    assert second.data == "caf\u00e9\ntwo lines"
    assert (third.json(), third.retry) == ({"n": 3}, 3000)


async def test_an_async_client_receives_events(serve):
    server = serve(events)
    async with httpx.AsyncClient() as client, aconnect_sse(client, "GET", server.url) as source:
        received = [event.data async for event in source.aiter_sse()]
    assert received == ["hello", "caf\u00e9\ntwo lines", '{"n": 3}']


def test_an_event_is_there_before_the_stream_ends(serve):
    def endless(request):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        yield b"data: first\n\n"
        assert server.event().wait(20)  # until the server is closed

    server = serve(endless)
    with httpx.Client() as client, connect_sse(client, "GET", server.url) as source:
        assert next(source.iter_sse()).data == "first"


async def test_iteration_can_be_left_in_the_middle(serve):
    server = serve(events)
    async with httpx.AsyncClient() as client:
        async with aconnect_sse(client, "GET", server.url) as source:
            async for event in source.aiter_sse():
                assert event.data == "hello"
                break
        assert (await client.get(server.url, headers={"Accept": "text/event-stream", "Cache-Control": "no-store"})).status_code == 200


def test_another_content_type_is_an_error(serve):
    server = serve(lambda request: respond("no events", headers=[("Content-Type", "text/plain")]))
    with httpx.Client() as client, connect_sse(client, "POST", server.url) as source, pytest.raises(SSEError, match="text/plain"):
        list(source.iter_sse())
