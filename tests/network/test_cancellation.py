"""Cancelled at every single point of its way, a request through a proxy leaves nothing behind and harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
import trio

import httpx
from tests.support.certificates import Authority
from tests.support.leaks import LeakCheck
from tests.support.proxies import http_proxy, socks5_proxy
from tests.support.runtimes import RUNTIMES
from tests.support.torture import CancelledAt

NAME = "www.example.org"


async def cancel_on_asyncio(step: int, coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Whether the request was still under way at that step."""
    counting = CancelledAt(step, coroutine, asyncio.current_task().cancel)
    try:
        await counting
    except asyncio.CancelledError:
        asyncio.current_task().uncancel()
    return counting.steps_left <= 0


async def cancel_on_trio(step: int, coroutine: Coroutine[Any, Any, Any]) -> bool:
    with trio.CancelScope() as scope:
        counting = CancelledAt(step, coroutine, scope.cancel)
        await counting
    return counting.steps_left <= 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["tunnel", "tls in tls", "socks", "two addresses"])
def transport(request, authority, app_server, scripted):
    """A transport whose way to `NAME` is long, with a single connection, and that way's URL."""
    origin = app_server(ssl_context=authority.server(NAME))
    routes = {f"{NAME}:443": origin.port}
    settings: dict[str, Any] = {"limits": httpx.Limits(max_connections=1), "ssl_context": httpx.SSLContext(verify=authority.pem)}
    if request.param == "two addresses":
        return httpx.AsyncHTTPTransport(resolver=lambda host, port: [("127.0.0.2", origin.port), ("127.0.0.1", origin.port)], **settings)
    if request.param == "socks":
        proxy = httpx.Proxy("socks5://" + scripted(socks5_proxy(routes)).authority)
    elif request.param == "tunnel":
        proxy = httpx.Proxy(scripted(http_proxy(routes)).url)
    else:
        server = scripted(http_proxy(routes), ssl_context=authority.server("127.0.0.1"))
        proxy = httpx.Proxy(server.url, ssl_context=httpx.SSLContext(verify=authority.pem))
    return httpx.AsyncHTTPTransport(proxy=proxy, **settings)


@pytest.mark.parametrize("name", ["asyncio", "uvloop", "trio"])
def test_every_await_can_be_cancelled_without_a_trace(transport, name):
    if name == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    cancel = cancel_on_trio if name == "trio" else cancel_on_asyncio

    async def main() -> None:
        step = 1
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(10, pool=2)) as client:
            while True:
                was_cancelled = await cancel(step, client.get(f"https://{NAME}/json"))
                assert (await client.get(f"https://{NAME}/json")).json()["number"] == 42
                assert transport.pool_stats() == (1, 1, 0, 0)
                transport._exchanges.close()
                if not was_cancelled:
                    break
                step += 1
        assert step > 3

    check = LeakCheck()
    RUNTIMES[name].run(main)
    check.verify()
