"""Which runtime is running: its network is imported when it is first needed."""

from __future__ import annotations

import sys

from .base import Network

_asyncio_network: Network | None = None
_trio_network: Network | None = None


def current_network() -> Network:
    """The network of the runtime that calls. Raises `RuntimeError` outside of any.

    trio is asked first: as a guest, it runs within an event loop of asyncio.
    """
    global _asyncio_network, _trio_network
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        if _trio_network is None:
            from .trio_network import TrioNetwork

            _trio_network = TrioNetwork()
        return _trio_network
    if _asyncio_network is None:
        from .asyncio_network import AsyncioNetwork

        _asyncio_network = AsyncioNetwork()
    return _asyncio_network
