"""Transfers of many megabytes: nothing is lost, and nobody else is held up."""

from __future__ import annotations

import asyncio
import os
import random
import time

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.servers import PATIENCE

pytestmark = pytest.mark.usefixtures("no_leaks")

BODY = random.Random(6).randbytes(8_000_000)
RECORD = 16_384  # the most that a TLS record holds


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("framing", [f"Content-Length: {len(BODY)}\r\n\r\n", "Connection: close\r\n\r\n"], ids=["sized", "until the end"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_every_byte_arrives_in_its_place(runtime, scripted, authority, scheme, framing):
    def script(conn):
        conn.read_head()
        conn.send(f"HTTP/1.1 200 OK\r\n{framing}".encode() + BODY)

    server = scripted(script, ssl_context=authority.server("127.0.0.1") if scheme == "https" else None)
    context = httpx.SSLContext(verify=authority.pem) if scheme == "https" else None
    async with runtime.client(timeout=PATIENCE, ssl_context=context) as client, client.stream("GET", server.url) as response:
        received = [piece async for piece in response.aiter_bytes()]
        assert response.num_bytes_downloaded == len(BODY)
    assert b"".join(received) == BODY
    assert b"" not in received


async def test_a_connection_that_breaks_within_is_an_error(runtime, scripted):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + BODY)
        conn.reset()

    server = scripted(script)
    async with runtime.client(timeout=PATIENCE) as client:
        with pytest.raises(httpx.ReadError, match=server.authority):
            await client.get(server.url)


def forge(conn):
    os.write(conn.socket.fileno(), b"\x17\x03\x03\x00\x20" + b"?" * 32)  # looks like a record, and cannot be decrypted


ENDINGS = [
    pytest.param(lambda conn: conn.close(close_notify=False), httpx.RemoteProtocolError, "cut the TLS connection", id="cut"),
    pytest.param(forge, httpx.ReadError, "(?i)bad record mac", id="forged"),
]


@pytest.mark.parametrize(("end", "error", "words"), ENDINGS)
async def test_what_came_before_a_failure_arrives_and_then_the_failure_is_told(runtime, scripted, authority, end, error, words):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    body = BODY[: 6 * RECORD - len(head)]  # nothing but full records, behind which more may be expected

    def script(conn):
        conn.read_head()
        conn.send(head + body)
        end(conn)

    server = scripted(script, ssl_context=authority.server("127.0.0.1"))
    received = []
    async with runtime.client(ssl_context=httpx.SSLContext(authority.pem)) as client, client.stream("GET", server.url) as response:
        server.wait_for(lambda server: server.connections[0].finished.is_set())
        with pytest.raises(error, match=words):  # noqa: PT012  # what comes before it counts, too
            async for piece in response.aiter_raw():
                received.append(piece)
    assert b"".join(received) == body


@pytest.mark.parametrize("runtime", ["asyncio", "uvloop"], indirect=True)
async def test_other_tasks_have_their_turns_however_fast_it_comes(runtime, scripted):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (8 * len(BODY)) + 8 * BODY)

    turns = 0

    async def other():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.get_running_loop().create_task(other())
    turns_at_pieces = []
    async with runtime.client(timeout=PATIENCE) as client, client.stream("GET", scripted(script).url) as response:
        async for _ in response.aiter_raw():
            turns_at_pieces.append(turns)
            work_until(time.monotonic() + 0.001)
    task.cancel()
    assert len(set(turns_at_pieces)) == len(turns_at_pieces)


def work_until(end):
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize("runtime", ["asyncio", "uvloop"], indirect=True)
async def test_what_has_piled_up_comes_in_pieces_of_moderate_size(runtime, scripted):
    def script(conn):
        conn.read_head()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)

    async with runtime.client(timeout=PATIENCE) as client, client.stream("GET", scripted(script).url) as response:
        sizes = []
        async for piece in response.aiter_raw():
            sizes.append(len(piece))
            work_until(time.monotonic() + 0.001)
    assert sum(sizes) == len(BODY)
    assert max(sizes) <= 262_144
