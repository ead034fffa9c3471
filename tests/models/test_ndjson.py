"""Newline-delimited JSON, line by line as it arrives."""

from __future__ import annotations

import json

import pytest

import httpx
from tests.support.servers import respond_chunked


async def test_values_arrive_one_by_one(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n" + b'{"n": 1}\n')
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client() as client, client.stream("GET", server.url) as response:
        assert await anext(response.aiter_ndjson()) == {"n": 1}


async def test_all_of_them(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send_each(respond_chunked([b'{"a": "', "é".encode()[:1], "é".encode()[1:] + b'"}\r\n\n[1,', b"2]\nnull\n3"]))

    async with runtime.client() as client, client.stream("GET", scripted(script).url) as response:
        assert [value async for value in response.aiter_ndjson()] == [{"a": "é"}, [1, 2], None, 3]


def test_a_line_has_a_bound():
    response = httpx.Response(200, content=b'{"a": 1}\n"' + b"x" * 200 + b'"\n')
    values = response.iter_ndjson(max_line_size=100)
    assert next(values) == {"a": 1}
    with pytest.raises(httpx.DecodingError, match="100 bytes"):
        next(values)


@pytest.mark.parametrize(
    "line", [b"nonsense", b"{", b'"\xff"', b"\xff\xfe", b"[" * 1_000_000, b"9" * 5_000, b"1 2", b"\0"], ids=lambda line: line[:9]
)
def test_what_is_no_json_is_an_error(line):
    """One and the same, whatever it is that Python cannot make of it."""
    values = httpx.Response(200, content=b"1\n" + line + b"\n").iter_ndjson()
    assert next(values) == 1
    with pytest.raises(json.JSONDecodeError):
        next(values)
