"""The wall clock may jump, and nothing that waits or expires goes by it."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

import httpx
from tests.support.http2 import keep_alive_http2
from tests.support.servers import keep_alive, respond

PACKAGE = Path(httpx.__file__).parent
YEAR = 365 * 86_400.0

# Who asks what date it is: for the dates that are sent or shown, and for nothing that waits.
ASK_THE_DATE = {
    "_cli/recording.py",
    "_exchange/retries.py",  # Retry-After as a date
    "_models/cookie_store.py",  # when cookies expire
    "_observability/har.py",
    "_tls/diagnosis.py",  # whether a certificate has expired
    "_tls/report.py",
}


def test_the_date_is_asked_where_a_date_is_meant():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "time.time",
                "time.time_ns",
                "datetime.datetime.now",
                "time.gmtime",
            ):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == ASK_THE_DATE


@pytest.mark.parametrize("http2", [False, True])
async def test_a_clock_that_jumps_ends_no_connection_and_no_patience(no_leaks, runtime, scripted, monkeypatch, http2):
    # N20
    shift = 0.0
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + shift)
    if http2:
        server = scripted(keep_alive_http2(lambda fields, body: b"answer"))
    else:
        server = scripted(keep_alive(lambda request: respond(b"answer")))
    transport = runtime.transport(http1=not http2, http2=http2, limits=httpx.Limits(keepalive_expiry=60.0, max_connection_age=3600.0))
    async with runtime.client(transport=transport) as client:
        for shift in (0.0, 10 * YEAR, -10 * YEAR, 0.0):  # noqa: B007 - the clock reads it
            assert (await client.get(server.url, timeout=httpx.Timeout(5, total=10))).content == b"answer"
    assert len(server.connections) == 1


@pytest.mark.parametrize("timeout", [httpx.Timeout(10, read=0.1), httpx.Timeout(10, total=0.1)])
@pytest.mark.parametrize("jump", [10 * YEAR, -10 * YEAR])
async def test_time_outs_hold_while_it_jumps(no_leaks, runtime, scripted, monkeypatch, timeout, jump):
    shift = 0.0
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + shift)

    def silent(conn):
        nonlocal shift
        conn.read_request()
        shift = jump
        conn.wait_closed()

    server = scripted(silent)
    async with runtime.client(timeout=timeout) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url)
