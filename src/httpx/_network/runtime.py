"""Which runtime is running: its network is imported when it is first needed."""

from __future__ import annotations

from .base import Network


def current_network() -> Network:
    """The network of the runtime that calls. Raises `RuntimeError` outside of any."""
    from .asyncio_network import AsyncioNetwork

    network = AsyncioNetwork()
    network.realm()
    return network
