"""hishel: an HTTP cache (RFC 9111), a transport around ours."""

from __future__ import annotations

import gzip

from hishel import AsyncSqliteStorage, SqliteStorage
from hishel.httpx import AsyncCacheClient, AsyncCacheTransport, CacheClient, CacheTransport

import httpx
from tests.support.servers import respond, respond_chunked

FRESH = [("Cache-Control", "max-age=3600"), ("Content-Type", "text/plain")]


def test_a_fresh_response_is_answered_from_the_cache(serve, tmp_path):
    server = serve(lambda request: respond("stored", headers=FRESH))
    transport = CacheTransport(httpx.HTTPTransport(), SqliteStorage(database_path=tmp_path / "cache.db"), rfc=True)
    with httpx.Client(transport=transport) as client:
        responses = [client.get(server.url + "/") for _ in range(3)]
    assert [response.text for response in responses] == ["stored"] * 3
    assert [response.extensions["caching"]["from_cache"] for response in responses] == [False, True, True]
    assert len(server.requests) == 1


async def test_an_async_client_is_answered_from_the_cache(serve, tmp_path):
    server = serve(lambda request: respond("stored", headers=FRESH))
    storage = AsyncSqliteStorage(database_path=tmp_path / "cache.db")
    async with httpx.AsyncClient(transport=AsyncCacheTransport(httpx.AsyncHTTPTransport(), storage, rfc=True)) as client:
        assert [(await client.get(server.url + "/")).text for _ in range(3)] == ["stored"] * 3
    assert len(server.requests) == 1


def test_a_stale_response_is_revalidated(serve, tmp_path):
    def answer(request):
        headers = [("Cache-Control", "no-cache"), ("ETag", '"v1"')]
        return respond(status=304, headers=headers) if "if-none-match" in request.headers else respond("body", headers=headers)

    server = serve(answer)
    transport = CacheTransport(httpx.HTTPTransport(), SqliteStorage(database_path=tmp_path / "cache.db"), rfc=True)
    with httpx.Client(transport=transport) as client:
        assert [client.get(server.url + "/").text for _ in range(2)] == ["body", "body"]
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, '"v1"']


def test_a_compressed_body_is_stored_as_it_came(serve, tmp_path):
    packed = gzip.compress(b"text " * 1000)
    server = serve(lambda request: respond(packed, headers=[*FRESH, ("Content-Encoding", "gzip")]))
    with CacheClient(storage=SqliteStorage(database_path=tmp_path / "cache.db"), rfc=True) as client:
        assert [client.get(server.url + "/").text for _ in range(2)] == ["text " * 1000] * 2
    assert len(server.requests) == 1


async def test_a_stream_is_stored_while_it_is_read(serve, tmp_path):
    server = serve(lambda request: respond_chunked([b"one ", b"two"], headers=FRESH))
    async with AsyncCacheClient(storage=AsyncSqliteStorage(database_path=tmp_path / "cache.db"), rfc=True) as client:
        for _ in range(2):
            async with client.stream("GET", server.url + "/") as response:
                assert b"".join([part async for part in response.aiter_bytes()]) == b"one two"
    assert len(server.requests) == 1
