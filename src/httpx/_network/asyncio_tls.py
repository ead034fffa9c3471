"""TLS on asyncio: as the plain stream, with OpenSSL between it and the socket."""

from __future__ import annotations

import contextlib
import ssl
import time
import typing

from .._exceptions import WriteError
from .asyncio_network import AsyncioStream
from .base import Stream
from .failures import read_error
from .tls_stream import RECORD, Handshake, encrypt, say_goodbye, start_tls_over
from .words import sending_failed


class AsyncioTLSStream(AsyncioStream):
    """What is received is decrypted when it arrives, and what is sent is encrypted at once; nothing else is different.

    It takes the place of the plain stream as the transport's protocol.
    """

    def __init__(self, plain: AsyncioStream, handshake: Handshake) -> None:
        super().__init__(plain._loop, plain._socket, plain.peer)
        self._tls, self._incoming, self._outgoing = handshake
        self._has_unsent, self._writing_paused = plain._has_unsent, plain._writing_paused
        self.connection_made(plain._transport)
        plain._transport.set_protocol(self)
        plain.stop_timer()
        if plain._received:
            self._incoming.write(plain._take())
        self._decrypt()
        if plain._ended:
            self.eof_received()
            self._lost = self._lost or plain._lost

    def _accept(self, data: bytes | memoryview) -> None:
        self._incoming.write(data)
        self._decrypt()

    def buffer_updated(self, nbytes: int) -> None:
        self._accept(self._buffer[:nbytes])
        if self._received or self._ended:
            self._wake_reader()
        if self._size >= self._enough:
            self._pause_reading()

    def _decrypt(self) -> None:
        try:
            while self._incoming.pending and not self._ended:  # to ask OpenSSL for what is not there costs an exception
                data = self._tls.read(RECORD)
                if data:
                    self._received.append(data)
                    self._size += len(data)
                else:
                    self._ended = True  # the peer has said goodbye
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLError, ValueError) as error:
            self._lost = self._lost or error
            self._ended = True
        if self._outgoing.pending:  # an answer to the peer's key update, for example
            with contextlib.suppress(WriteError):
                super()._write(self._outgoing.read())

    def eof_received(self) -> None:
        if not self._ended:
            self.ended_cleanly = False
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None and not self._ended:
            self.ended_cleanly = False
        super().connection_lost(exc)

    def _receive_directly(self) -> bytes | None:
        try:
            size = self._socket.recv_into(self._buffer) if time.monotonic() < self._turn_ends else 0
        except BlockingIOError:
            size = 0
        except (OSError, ValueError) as error:
            self._lost = error
            self._ended = True
            return self._take()
        if not size:
            self._turn_ends = 0.0  # the end is for the event loop to find
            return None
        self._accept(self._buffer[:size])
        return self._take() if self._received or self._ended else None

    def _why_lost(self, error: Exception) -> Exception:
        return read_error(error, self.peer)

    def _write(self, data: bytes) -> None:
        try:
            encrypt(self._tls, data)
        except (ssl.SSLError, ValueError) as error:
            raise sending_failed(self.peer, "the connection is closed" if self._transport.is_closing() else error) from error
        super()._write(self._outgoing.read())

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        return await start_tls_over(self, context, server_hostname, timeout)

    def is_quiet(self) -> bool:
        if super().is_quiet():
            return True
        if self._ended or self._received or self._transport.is_closing():
            return False
        if self._uses_socket:
            self._look_into_socket()  # what is there need not be data: TLS 1.3 sends session tickets of its own accord
        return not (self._ended or self._received)

    def close(self, last_words: bytes = b"") -> None:
        say_goodbye(self._tls, last_words)
        super().close(self._outgoing.read())

    def info(self, name: str) -> typing.Any:
        return self._tls if name == "ssl_object" else super().info(name)
