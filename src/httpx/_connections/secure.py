"""From a byte stream to one that is encrypted, and verified: the same for every runtime, directly or through a tunnel."""

from __future__ import annotations

import logging
import ssl

from .._network.base import Network, Stream
from .._tls.default import default_context
from .._tls.info import TLSInfo
from .._tls.offer import HTTP_1_1, for_connection

logger = logging.getLogger("httpx")


async def secure(
    stream: Stream,
    network: Network,
    context: ssl.SSLContext | None,
    server_hostname: str,
    port: int | None,
    timeout: float | None,
    alpn: tuple[str, ...] = HTTP_1_1,
) -> Stream:
    """Do the TLS handshake on `stream`, as `context` (None: the process's default) has it, and return the encrypted stream.

    `server_hostname` is the name that the server must prove; `alpn` is what to offer it, best first. What it chose is in
    `stream.tls.alpn`. Raises `ConnectError` or `ConnectTimeout`; the caller closes.
    """
    if context is None:
        context = default_context()
    if not getattr(context, "_is_ready", True):
        await network.in_thread(context._make_ready)  # type: ignore[attr-defined]
    secured = await stream.start_tls(for_connection(context, alpn, port), server_hostname, timeout)
    secured.tls = TLSInfo(secured.info("ssl_object"), context, server_hostname)
    if not secured.tls.verified:
        logger.debug("TLS with %s is not verified: anyone on the way can read and change what is sent.", secured.peer)
    return secured
