"""What a peer can make the client do: work that grows with what it sends, and no faster."""

from __future__ import annotations

import sys

import h11
import pytest

from tests.support.servers import keep_alive

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(count, extension=b""):
    return HEAD + b"1%b\r\na\r\n" % extension * count + b"0\r\n\r\n"


class Calls:
    """How many functions this thread calls while it is entered: work, as far as the machine has no say in it."""

    def __enter__(self):
        self.count = 0
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _see(self, frame, event, argument):
        self.count += event in ("call", "c_call")


def calls_of_h11(data):
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    with Calls() as calls:
        connection.receive_data(data)
        while not isinstance(connection.next_event(), h11.EndOfMessage):
            pass
    return calls.count


async def calls_of(runtime, scripted, data, length):
    server = scripted(keep_alive(lambda request: data))
    async with runtime.client() as client:
        await client.get(server.url)  # whatever is done once
        with Calls() as calls:
            response = await client.get(server.url)
        assert len(response.content) == length
    return calls.count


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others call functions in other ways")
async def test_a_body_of_very_many_chunks_takes_little_more_than_its_bytes(no_leaks, runtime, scripted):
    # L10
    once = await calls_of(runtime, scripted, chunked(20_000), 20_000)
    twice = await calls_of(runtime, scripted, chunked(40_000), 40_000)
    assert twice < 2.2 * once
    assert twice < 10 * 40_000
    assert twice < calls_of_h11(chunked(40_000)) / 3
