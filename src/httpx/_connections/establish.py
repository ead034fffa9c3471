"""From an origin to a byte stream that its protocol can be spoken on: name, address, TCP, TLS."""

from __future__ import annotations

import ssl
import time
import typing

from .._exceptions import ConnectTimeout, ProxyError
from .._network.base import Network, SocketOption, Stream
from .._proxy import Proxy
from .secure import secure


class Route(typing.NamedTuple):
    """What makes two connections interchangeable: they lead to the same place, verified as the same name."""

    scheme: str
    host: str
    port: int
    server_hostname: str
    realm: object


class Dialer(typing.NamedTuple):
    """How connections of one transport are made. `ssl_context` None is the process's default."""

    ssl_context: ssl.SSLContext | None = None
    http1: bool = True
    http2: bool = False
    proxy: Proxy | None = None
    uds: str | None = None
    local_address: str | None = None
    retries: int = 0
    socket_options: typing.Sequence[SocketOption] = ()

    async def dial(self, network: Network, route: Route, timeout: float | None) -> Stream:
        """Connect, and do the TLS handshake for https; both within `timeout` seconds together."""
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.proxy is not None:
            raise ProxyError(f"Connecting through a proxy ({self.proxy.url}) is not there yet.")
        if self.uds is not None:
            stream = await network.connect_unix(self.uds, timeout)
        else:
            stream = await network.connect(
                route.host, route.port, timeout, local_address=self.local_address, socket_options=self.socket_options
            )
        if route.scheme != "https":
            return stream
        try:
            remaining = _remaining(deadline, stream.peer)
            await secure(stream, network, self.ssl_context, route.server_hostname, route.port, remaining)
        except BaseException:
            stream.close()
            raise
        return stream


def _remaining(deadline: float | None, peer: str) -> float | None:
    if deadline is None:
        return None
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise ConnectTimeout(f"Connecting to {peer} left no time for the TLS handshake.")
    return remaining
