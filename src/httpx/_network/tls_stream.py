"""TLS over any byte stream: for TLS inside TLS, and where the runtime has no TLS of its own that suits us.

OpenSSL works on two buffers in memory; what it wants to send or needs to receive goes over the stream below. It never
blocks there, so a lock around each call is enough to let one thread send while another receives. At any time at most one
of them sends what has been encrypted, in order, whoever encrypted it.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import typing

from .._exceptions import ReadError, ReadTimeout, WriteError, WriteTimeout
from .base import Stream
from .failures import handshake_error, read_error
from .streams import PeekingStream
from .words import accepts_no_more, handshake_timeout, nothing_arrived, sending_failed

RECORD = 16_384  # the most plain text that a TLS record holds (RFC 8446 section 5.1)
_PIECE = 262_144  # bytes that are decrypted at once, or encrypted before they are sent


class Handshake(typing.NamedTuple):
    """What a handshake in memory leaves: OpenSSL's connection, and the two buffers that it works on."""

    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO


async def start_tls_over(inner: Stream, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> TLSStream:
    """Do the TLS handshake on `inner`, and return the encrypted stream. Raises `ConnectError` or `ConnectTimeout`.

    After a failure `inner` is closed, with the alert that tells the peer why.
    """
    return TLSStream(inner, await shake_hands(inner, context, server_hostname, timeout))


async def shake_hands(inner: Stream, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Handshake:
    """Do the TLS handshake on `inner`, as `start_tls_over`."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        done = Handshake(context.wrap_bio(incoming, outgoing, server_hostname=server_hostname), incoming, outgoing)
        await _converse(inner, done, deadline)
    except (ReadTimeout, WriteTimeout) as error:
        raise handshake_timeout(inner.peer, timeout) from error
    except (ReadError, WriteError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise handshake_error(cause, inner.peer, context) from cause
    except (OSError, ValueError) as error:
        inner.close(outgoing.read())
        raise handshake_error(error, inner.peer, context) from error
    return done


async def _converse(inner: Stream, handshake: Handshake, deadline: float | None) -> None:
    tls, incoming, outgoing = handshake
    while True:
        try:
            tls.do_handshake()
            is_done = True
        except ssl.SSLWantReadError:
            is_done = False
        wait = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        if outgoing.pending:
            await inner.send(outgoing.read(), wait)
        if is_done:
            return
        if data := await inner.receive(wait):
            incoming.write(data)
        else:
            incoming.write_eof()


def encrypt(tls: ssl.SSLObject, data: bytes | memoryview) -> None:
    """Give OpenSSL all of `data`."""
    sent = tls.write(data) if data else 0
    while sent < len(data):
        sent += tls.write(memoryview(data)[sent:])


def say_goodbye(tls: ssl.SSLObject, last_words: bytes) -> None:
    """End the conversation (close_notify), as far as it is still possible."""
    with contextlib.suppress(OSError, ValueError):
        if last_words:
            tls.write(last_words)
        tls.unwrap()  # would like to have an answer, too


class TLSStream(PeekingStream):
    """An encrypted byte stream on another one, after the handshake."""

    __slots__ = ("_incoming", "_inner", "_is_closed", "_is_cut", "_is_over", "_lock", "_outgoing", "_sending", "_tls")

    def __init__(self, inner: Stream, handshake: Handshake) -> None:
        super().__init__(inner.peer)
        self._inner = inner
        self._tls, self._incoming, self._outgoing = handshake
        self._lock = threading.Lock()  # held for calls into OpenSSL
        self._sending = threading.Lock()  # held by the one that sends
        self._is_cut = False
        self._is_over = False  # the peer has said goodbye
        self._is_closed = False

    @property
    def keeps_unsent(self) -> bool:
        return self._inner.keeps_unsent

    async def receive(self, timeout: float | None) -> bytes:
        if self._has_more() and (data := self._decrypt()) is not None:
            return data
        deadline = None if timeout is None else time.monotonic() + timeout
        wait = timeout
        while True:
            if self._outgoing.pending:  # an answer to the peer's key update, for example
                try:
                    await self._send_encrypted(wait)
                except WriteTimeout as error:
                    raise nothing_arrived(self.peer, timeout) from error
            data = self._decrypt(await self._inner.receive(wait))
            if data is not None:
                return data
            if deadline is not None:
                # Part of a record, or what is no data: those who drip it, or send it without end, do not get more time.
                wait = deadline - time.monotonic()
                if wait <= 0:
                    raise nothing_arrived(self.peer, timeout)

    def receive_nowait(self) -> bytes | None:
        if self._has_more() and (data := self._decrypt()) is not None:
            return data
        while (received := self._inner.receive_nowait()) is not None:
            if (data := self._decrypt(received)) is not None:
                return data
        return None

    def _has_more(self) -> bool:
        # Whether there is anything to give without receiving. To ask OpenSSL for what is not there costs an exception.
        incoming = self._incoming
        return bool(self._peeked or incoming.pending or incoming.eof or self._is_over)

    def _decrypt(self, received: bytes | None = None) -> bytes | None:
        # What there is now that this has been received too: data, empty at the end, None if more is needed.
        incoming = self._incoming
        parts: list[bytes] = []
        size = 0
        try:
            with self._lock:
                if received:
                    incoming.write(received)
                elif received is not None:
                    self._is_cut = True
                    incoming.write_eof()
                if self._peeked:
                    return self._take_peeked()
                while size < _PIECE and (incoming.pending or incoming.eof or self._is_over):
                    parts.append(self._tls.read(RECORD))
                    size += len(parts[-1])
                    if not parts[-1]:
                        # With OP_IGNORE_UNEXPECTED_EOF, OpenSSL reports a cut as if it were a goodbye.
                        self.ended_cleanly = not self._is_cut
                        self._is_over = True
                        break
            if not parts:
                return None
        except ssl.SSLWantReadError:
            if not parts:
                return None
        except ssl.SSLEOFError:
            self.ended_cleanly = False
        except (ssl.SSLError, ValueError) as error:
            failed = read_error(error, self.peer)
            failed.__cause__ = error
            if not parts:
                raise failed from error
            self._peeked = failed
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def send(self, data: bytes, timeout: float | None) -> None:
        pieces = (data,) if len(data) <= _PIECE else [memoryview(data)[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
        for piece in pieces:
            self._encrypt(piece)
            await self._send_encrypted(timeout)

    def _encrypt(self, data: bytes | memoryview) -> None:
        if self._is_closed:
            raise sending_failed(self.peer, "the connection is closed")
        try:
            with self._lock:
                encrypt(self._tls, data)
        except (ssl.SSLError, ValueError) as error:
            raise sending_failed(self.peer, error) from error

    async def _send_encrypted(self, timeout: float | None) -> None:
        # Whoever holds the lock looks again after giving it back, so nothing stays behind.
        while self._outgoing.pending and self._sending.acquire(blocking=False):
            try:
                if encrypted := self._outgoing.read():
                    await self._inner.send(encrypted, timeout)
            except BaseException as error:
                # What went out may have ended within a record.
                self._is_closed = isinstance(error, (WriteError, WriteTimeout)) or not self.keeps_unsent
                raise
            finally:
                self._sending.release()

    def send_now(self, data: bytes) -> bool:
        self._encrypt(data)
        while self._outgoing.pending and self._sending.acquire(blocking=False):
            try:
                while encrypted := self._outgoing.read():
                    if not self._inner.send_now(encrypted):
                        raise accepts_no_more(self.peer)
            except WriteError:
                self._is_closed = True
                raise
            finally:
                self._sending.release()
        return True

    def share(self) -> TLSStream:
        self._inner = self._inner.share()
        return self

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> TLSStream:
        return await start_tls_over(self, context, server_hostname, timeout)

    def is_quiet(self) -> bool:
        # Bytes need not be data: TLS 1.3 sends session tickets of its own accord.
        return not self._is_closed and super().is_quiet()

    def close(self, last_words: bytes = b"") -> None:
        if self._is_closed or not self._sending.acquire(blocking=False):
            self._inner.close()
            return
        self._is_closed = True
        try:
            with self._lock:
                say_goodbye(self._tls, last_words)
        finally:
            self._inner.close(self._outgoing.read())
            self._sending.release()

    def abandon(self) -> None:
        self._is_closed = True
        self._inner.abandon()

    def info(self, name: str) -> object:
        if name == "ssl_object":
            return self._tls
        if name == "is_readable":
            return not self.is_quiet()
        return self._inner.info(name)
