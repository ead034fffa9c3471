"""One attack: a peer that does its worst on the first connection, and what must hold afterwards, whatever it did.

A `Case` is a stimulus and the outcome that is demanded. `attack` puts it to a client on one runtime, over a real socket,
and asserts what every case has in common:

1. It ends by itself, and takes no more than 64 MiB: a case that runs into a time-out that it does not expect has the wrong exception.
2. The outcome is the response, or exactly the exception, that the case names.
3. No socket, thread, task, or place in the pool is left.
4. The next request of the same client gets its own answer.
5. No secret of the request is in the exception, in what caused it, in `repr` of the response, or in a log record.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import trio

import httpx
from tests.support.http2 import HTTP2Peer, keep_alive_http2
from tests.support.leaks import LeakCheck, MemoryPeak
from tests.support.servers import Connection, PeerGone, Script, ScriptedServer, keep_alive, respond

SECRETS = {"authorization": "Bearer canary-of-authorization", "cookie": "session=canary-of-cookie", "x-api-key": "canary-of-key"}
CANARY = "canary-of"
EVIL = respond(b"canary-EVIL", headers=[("X-Evil", "yes")])
OWN = b"own answer"

PATIENT = httpx.Timeout(4)
HASTY = httpx.Timeout(4, read=0.15)

Check = Callable[[Any], None]


class Case(NamedTuple):
    """What the peer does, and what is to come of it.

    `stimulus` is the bytes of the reply, or a script that is run with the first connection when its request has been
    read. `expected` is an exception's class, the bytes of a body, or a function that checks the response. `words` must be
    in the text of the exception.
    """

    name: str
    stimulus: bytes | Script | Callable[[int], bytes]
    expected: type[Exception] | tuple[type[Exception], ...] | bytes | Check
    words: str = ""
    method: str = "GET"
    ends: bool = False
    """Whether the peer closes the connection behind its bytes; otherwise it waits for the client to do so."""

    reused: bool | None = False
    """Whether the next request may, and does, go over the same connection; None: it does not matter."""

    timeout: httpx.Timeout = PATIENT
    memory: int = 64 * 2**20
    """Bytes that this process may grow by; what is decoded and read whole may be 100 MiB."""

    request: dict[str, Any] = {}  # noqa: RUF012 - more arguments of `client.request`
    client: dict[str, Any] = {}  # noqa: RUF012 - more arguments of the client


Cut = Callable[[bytes], Sequence[bytes]]


def whole(data: bytes) -> Sequence[bytes]:
    return [data]


def bytewise(data: bytes) -> Sequence[bytes]:
    """One by one; what is long, one by one at its beginning, where the decisions are made, and at its end."""
    if len(data) <= 400:
        return [data[i : i + 1] for i in range(len(data))]
    return [*bytewise(data[:300]), data[300:-50], *bytewise(data[-50:])]


def in_two(part: float) -> Cut:
    """Cut at this part of the length."""

    def cut(data: bytes) -> Sequence[bytes]:
        at = int(len(data) * part)
        return [piece for piece in (data[:at], data[at:]) if piece]

    return cut


def at_line_breaks(data: bytes) -> Sequence[bytes]:
    """Between the CR and the LF of each of the first lines."""
    pieces = data.replace(b"\r\n", b"\r\0\n", 100).split(b"\0") if b"\0" not in data else [data]
    return [piece for piece in pieces if piece]


CUTS: list[Cut] = [bytewise, in_two(0.3), at_line_breaks, in_two(0.8), in_two(0.95)]


class Peer:
    """The script of the server: the attack on connection 0, good behaviour on all others."""

    def __init__(self, case: Case, cut: Cut) -> None:
        self.case = case
        self.cut = cut
        self.was_reused = False

    def __call__(self, conn: Connection) -> None:
        if conn.number > 0:
            keep_alive(lambda request: respond(OWN))(conn)
        conn.read_request()
        if not isinstance(self.case.stimulus, bytes):
            self.case.stimulus(conn)
            return
        conn.send_each(self.cut(self.case.stimulus))
        if self.case.ends:
            return
        while True:
            conn.read_request()  # the client either closes (PeerGone), or sends the next request on this connection
            self.was_reused = True
            conn.send(respond(OWN))


class HTTP2Attacker:
    """The same over HTTP/2: the stimulus is a function of the stream's number, which gives frames."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.was_reused = False

    def __call__(self, conn: Connection) -> None:
        if conn.number > 0:
            keep_alive_http2(lambda fields, body: OWN)(conn)
        peer = HTTP2Peer(conn)
        stream_id, _, _ = peer.read_request()
        peer.send(self.case.stimulus(stream_id))  # type: ignore[operator,arg-type]
        while not self.case.ends:
            stream_id, _, _ = peer.read_request()
            peer.respond(stream_id, OWN)


def attack(runtime: Any, case: Case, cut: Cut = whole) -> None:
    """Put `case` to a client of `runtime`."""
    _run(runtime, case, Peer(case, cut))


def attack_http2(runtime: Any, case: Case) -> None:
    """Put `case`, whose stimulus makes frames, to a client that speaks HTTP/2."""
    transport = runtime.transport(http1=False, http2=True)
    _run(runtime, case._replace(client={"transport": transport, **case.client}), HTTP2Attacker(case))


def _run(runtime: Any, case: Case, peer: Any) -> None:
    leaks, memory = LeakCheck(), MemoryPeak()
    runtime.run(lambda: _attack(runtime, case, peer))
    assert memory.growth() < case.memory, f"{memory.growth()} bytes"
    leaks.verify()


async def _attack(runtime: Any, case: Case, peer: Any) -> None:
    with ScriptedServer(peer) as server, records() as logged:
        async with runtime.client(timeout=case.timeout, headers=SECRETS, **case.client) as client:
            await _outcome(client, case, server.url)
            assert_nothing_is_busy(client)
            following = await client.get(server.url + "/next", timeout=PATIENT)
            assert following.content == OWN, "the next request got an answer that is not its own"
        assert_no_secret("\n".join(logged), "a log record")
        if case.reused is not None and isinstance(case.stimulus, bytes):
            assert peer.was_reused is case.reused, "reused" if peer.was_reused else "not reused"
        assert_no_tasks(runtime)


async def _outcome(client: Any, case: Case, url: str) -> None:
    failure: Exception | None = None
    try:
        response = await client.request(case.method, url + "/attack", **case.request)
    except Exception as error:
        failure = error
    if failure is not None:
        assert isinstance(case.expected, type | tuple), f"{type(failure).__name__}: {failure}"
        assert_exactly(failure, case.expected)
        assert case.words in str(failure), str(failure)
        assert_presentable(failure)
        return
    assert not isinstance(case.expected, type | tuple), f"there was a response: {response!r} {response.content[:100]!r}"
    assert_no_secret(repr(response) + repr(response.headers) + repr(response.request) + repr(response.request.headers), "repr")
    if isinstance(case.expected, bytes):
        assert response.content == case.expected
    else:
        case.expected(response)


def assert_exactly(error: Exception, expected: type[Exception] | tuple[type[Exception], ...]) -> None:
    """The very class: a subclass would be another statement."""
    classes = expected if isinstance(expected, tuple) else (expected,)
    if type(error) not in classes:
        raise AssertionError(f"expected {expected}, not {type(error).__name__}: {error}") from error


def assert_presentable(error: BaseException) -> None:
    """An exception that can be shown to anybody: one sentence of bounded length, no control characters, no secret, nor in its causes."""
    text = str(error)
    assert 0 < len(text) < 1_000, text[:2_000]
    assert text.isprintable(), repr(text)
    assert_no_secret("".join(traceback.format_exception(error)), "the traceback")
    seen: BaseException | None = error
    known: list[BaseException] = []
    while seen is not None:
        assert not any(seen is one for one in known), "its causes lead in a circle"
        known.append(seen)
        assert_no_secret(f"{seen!s} {seen!r} {seen.args!r} {getattr(seen, '__notes__', '')!r}", type(seen).__name__)
        request = getattr(seen, "_request", None)
        assert_no_secret(f"{request!r} {getattr(request, 'headers', None)!r}", "the exception's request")
        seen = seen.__cause__ or seen.__context__


def assert_no_secret(text: str, where: str) -> None:
    at = text.find(CANARY)
    assert at < 0, f"a secret is in {where}: {text[max(at - 200, 0) : at + 100]}"


def assert_nothing_is_busy(client: Any) -> None:
    stats = client.pool_stats()
    assert (stats.in_use, stats.waiting) == (0, 0), stats


def assert_no_tasks(runtime: Any) -> None:
    if runtime.name == "trio":
        statistics = trio.lowlevel.current_statistics()
        assert statistics.tasks_living <= 3, statistics  # main, and trio's own
    elif runtime.is_async:
        assert asyncio.all_tasks() == {asyncio.current_task()}


@contextlib.contextmanager
def records() -> Iterator[list[str]]:
    """All log records of this thread at every level, as text."""
    found: list[str] = []
    own = threading.get_ident()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == own:
                found.append(f"{record.name} {record.getMessage()} {record.args!r}")

    root = logging.getLogger()
    level, handler = root.level, Handler()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def variants(cases: Sequence[Case]) -> Any:
    """Parametrize a test over `cases`, each with all its bytes at once and with one way of cutting them, in rotation."""
    import pytest

    values = []
    for index, case in enumerate(cases):
        values.append(pytest.param(case, whole, id=case.name))
        if isinstance(case.stimulus, bytes) and len(case.stimulus) > 1:
            values.append(pytest.param(case, CUTS[index % len(CUTS)], id=f"{case.name} in pieces"))
    return pytest.mark.parametrize(("case", "cut"), values)


def flood(head: bytes, more: bytes) -> Script:
    """Send `head`, then `more` for ever, until the client goes away."""

    def script(conn: Connection) -> None:
        conn.send(head)
        with contextlib.suppress(PeerGone):
            while True:
                conn.send(more)

    return script
