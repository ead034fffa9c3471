"""Which runtime is running: its network is imported when it is first needed. And how to get something done in another one."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable

from .base import Network

_asyncio_network: Network | None = None
_trio_network: Network | None = None
_latest: Network | None = None


def current_network() -> Network:
    """The network of the runtime that calls."""
    trio = sys.modules.get("trio")
    if trio is None:
        return _asyncio_network or _use_asyncio()
    # The one found last is asked first: a runtime takes ten times as long to say no.
    if _latest is not None and _latest is _trio_network and trio.lowlevel.in_trio_task():
        return _latest
    # As a guest, trio runs within an event loop of asyncio, but in none of its tasks.
    if not _is_asyncio_task() and trio.lowlevel.in_trio_task():
        return _use_trio()
    return _use_asyncio()


def _is_asyncio_task() -> bool:
    import asyncio

    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def _use_asyncio() -> Network:
    global _asyncio_network, _latest
    if _asyncio_network is None:
        from .asyncio_network import AsyncioNetwork

        _asyncio_network = AsyncioNetwork()
    _latest = _asyncio_network
    return _asyncio_network


def _use_trio() -> Network:
    global _latest, _trio_network
    if _trio_network is None:
        from .trio_network import TrioNetwork

        _trio_network = TrioNetwork()
    _latest = _trio_network
    return _trio_network


def hand_over(realm: typing.Any, work: Callable[[], object]) -> None:
    """Do `work`, which is for the connections of `realm`, where that runs: what belongs to an event loop is for its own thread alone.

    At once, if that is here, or nowhere any more.
    """
    if realm is not None and not _is_here(realm):
        schedule = realm.call_soon_threadsafe if hasattr(realm, "call_soon_threadsafe") else realm.run_sync_soon
        try:
            schedule(work)
        except RuntimeError:  # it has just ended
            pass
        else:
            return
    work()


def _is_here(realm: typing.Any) -> bool:
    if hasattr(realm, "call_soon_threadsafe"):
        import asyncio

        return asyncio._get_running_loop() is realm or not realm.is_running()
    import trio

    try:
        return trio.lowlevel.current_trio_token() is realm
    except RuntimeError:
        return False
