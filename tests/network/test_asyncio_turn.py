"""What goes out together on an event loop, and what does not wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

import httpx
from httpx._network import asyncio_turn
from httpx._network.asyncio_network import _stream_on
from tests.support.servers import PATIENCE

pytestmark = [pytest.mark.usefixtures("no_leaks"), pytest.mark.parametrize("runtime", ["asyncio", "uvloop"], indirect=True)]


@pytest.fixture(autouse=True)
def however_slow_the_machine_is(monkeypatch):
    monkeypatch.setattr(asyncio_turn, "_PATIENCE", PATIENCE)


class Peer:
    """The other end of a stream."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        end.setblocking(False)

    def has(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return self.socket.recv(1_000_000)
        return b""


@contextlib.asynccontextmanager
async def connections(count):
    """As many streams, each with its peer."""
    pairs = [socket.socketpair() for _ in range(count)]
    streams = []
    try:
        for ours, _ in pairs:
            ours.setblocking(False)
            streams.append(await _stream_on(asyncio.get_running_loop(), ours, "the peer"))
        yield streams, [Peer(theirs) for _, theirs in pairs]
    finally:
        for stream in streams:
            stream.close()
        for _, theirs in pairs:
            theirs.close()
        for _ in range(3):
            await asyncio.sleep(0)


async def all_at_once(peers, *tasks):
    """Run the tasks until they receive, and let what they wait for arrive in one turn of the event loop."""
    running = [asyncio.ensure_future(task) for task in tasks]
    await asyncio.sleep(0)
    for peer in peers:
        peer.socket.send(b"answer")
    return await asyncio.gather(*running)


async def ask_again(stream, peers, data=b"again", before=lambda: None):
    """Receive, send, and tell what the peers have by then."""
    assert await stream.receive(None) == b"answer"
    before()
    await stream.send(data, None)
    return [peer.has() for peer in peers]


async def test_what_tasks_send_that_were_woken_together_goes_out_with_the_last_of_them(runtime):
    async with connections(3) as (streams, peers):
        found = await all_at_once(peers, *(ask_again(stream, peers) for stream in streams))
        assert found[:2] == [[b"", b"", b""]] * 2
        assert [peer.has() or has for peer, has in zip(peers, found[2], strict=True)] == [b"again"] * 3


async def test_it_goes_out_also_if_the_last_of_them_sends_nothing(runtime):
    async with connections(2) as (streams, peers):
        await all_at_once(peers, ask_again(streams[0], peers), streams[1].receive(None))
        await asyncio.sleep(0)
        assert peers[0].has() == b"again"


async def test_a_task_that_was_woken_alone_sends_at_once(runtime):
    async with connections(2) as (streams, peers):
        waiting = asyncio.ensure_future(streams[1].receive(None))
        assert await all_at_once(peers[:1], ask_again(streams[0], peers)) == [[b"again", b""]]
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_who_has_taken_its_time_does_not_wait_for_others(runtime, monkeypatch):
    monkeypatch.setattr(asyncio_turn, "_PATIENCE", 0.001)

    def take_time():
        end = time.monotonic() + 0.001
        while time.monotonic() < end:
            pass

    async with connections(2) as (streams, peers):
        found = await all_at_once(peers, ask_again(streams[0], peers, before=take_time), ask_again(streams[1], peers))
        assert found == [[b"again", b""], [b"", b"again"]]


async def test_a_task_that_is_cancelled_when_it_was_woken_is_not_waited_for(runtime):
    async with connections(2) as (streams, peers):
        given_up = asyncio.ensure_future(streams[1].receive(None))
        waiting = asyncio.ensure_future(ask_again(streams[0], peers, before=given_up.cancel))
        await asyncio.sleep(0)
        for peer in peers:
            peer.socket.send(b"answer")
        await asyncio.wait([waiting, given_up])
        await all_at_once(peers[:1], streams[0].receive(None))
        await streams[0].send(b" and again", None)
        assert b"".join(waiting.result()[:1]) + peers[0].has() == b"again and again"


async def test_everything_arrives_in_order(runtime):
    async def send_more(stream):
        await stream.receive(None)
        for piece in (b"head ", b"x" * 20_000, b" tail"):
            await stream.send(piece, None)

    async with connections(2) as (streams, peers):
        await all_at_once(peers, send_more(streams[0]), ask_again(streams[1], []))
        await asyncio.sleep(0)
        assert peers[0].has() == b"head " + b"x" * 20_000 + b" tail"
        assert peers[1].has() == b"again"


async def test_last_words_come_last(runtime):
    async def close(stream):
        await stream.receive(None)
        await stream.send(b"yes, ", None)
        stream.close(b"goodbye")

    async with connections(2) as (streams, peers):
        await all_at_once(peers, close(streams[0]), streams[1].receive(None))
        assert peers[0].has() == b"yes, goodbye"


async def test_whose_connection_breaks_is_told_when_it_receives_and_the_others_are_served(runtime):
    async def ask_in_vain(stream, peer):
        await stream.receive(None)
        peer.socket.close()
        await stream.send(b"again", None)
        await stream.receive(None)

    async with connections(2) as (streams, peers):
        vain = asyncio.ensure_future(ask_in_vain(streams[0], peers[0]))
        await all_at_once(peers, ask_again(streams[1], []))
        await asyncio.wait([vain])
        assert isinstance(vain.exception(), httpx.ReadError)
        assert peers[1].has() == b"again"
