"""A stream of HTTP/2 as a byte stream: what the peer takes for a WebSocket goes through a connection that others use, too (RFC 8441)."""

from __future__ import annotations

import ssl
import time
import typing

from .._network.base import Stream
from .._network.words import nothing_accepted, sending_failed
from .http2_exchange import HTTP2Exchange

if typing.TYPE_CHECKING:
    from .._tls.info import TLSInfo


class HTTP2Tunnel:
    """The two directions of an exchange whose CONNECT was accepted. One task or thread may send while another receives."""

    keeps_unsent = True
    ended_cleanly = True

    def __init__(self, exchange: HTTP2Exchange) -> None:
        self._exchange = exchange
        self._connection = exchange.connection
        self._sender = HTTP2Exchange(exchange.connection)  # waits for the peer's window, while the exchange waits for data
        self.peer = exchange.connection.stream.peer
        self.tls: TLSInfo | None = exchange.connection.stream.tls

    async def receive(self, timeout: float | None) -> bytes:
        return await self._exchange.next_data(timeout) or b""

    def receive_nowait(self) -> bytes | None:
        if self._exchange.chunks:
            return self._connection.take(self._exchange)
        return None if self._exchange.is_open and not self._exchange.ended else b""

    async def send(self, data: bytes, timeout: float | None) -> None:
        self._require_open()
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        self._connection.queue(self._exchange, data, ended=False, told=self._sender)
        await self._connection.flush(timeout)
        while self._connection.queued(self._exchange):
            if not await self._connection.wait_for(self._sender, deadline):
                raise nothing_accepted(self.peer, timeout, "HTTP/2 flow control")
        self._require_open()

    def send_now(self, data: bytes) -> bool:
        self._require_open()
        self._connection.queue(self._exchange, data, ended=False)
        self._connection.post()
        return True

    def _require_open(self) -> None:
        if not self._exchange.is_open:
            raise sending_failed(self.peer, self._exchange.failure or "the HTTP/2 stream has ended")

    def share(self) -> HTTP2Tunnel:
        return self

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        from .._network.tls_stream import start_tls_over

        return await start_tls_over(self, context, server_hostname, timeout)

    def is_quiet(self) -> bool:
        return self._exchange.is_open and not self._exchange.ended and not self._exchange.chunks

    def close(self, last_words: bytes = b"") -> None:
        # Whoever has the response ends the exchange, and the stream with it.
        if last_words and self._exchange.is_open:
            self.send_now(last_words)

    def abandon(self) -> None:
        self._connection.stream.abandon()

    def info(self, name: str) -> typing.Any:
        return not self.is_quiet() if name == "is_readable" else self._connection.stream.info(name)
