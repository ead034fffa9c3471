"""A blocking socket on which one thread may send while another one receives: what TLS needs, and Windows."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import typing

from .base import Stream
from .failures import read_error
from .readiness import readiness
from .streams import SocketStream
from .words import accepts_no_more, nothing_accepted, nothing_arrived, sending_failed

_RECORD = 16_384  # a read of TLS gives one record, and none holds more (RFC 8446 section 5.1)
_RECORDS = 7  # of a long body that are taken at a time: less than the 128 KiB for which malloc would ask the kernel
_HAS_POLL = hasattr(select, "poll")  # Windows has none
_READ, _WRITE = (select.POLLIN, select.POLLOUT) if _HAS_POLL else (1, 4)
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def hides_cuts(context: ssl.SSLContext) -> bool:
    """Whether a socket of `ssl` would show a connection that was cut as one that ended, as it does with the options of most contexts.

    With TLS on buffers of our own, which is a little slower, the two are told apart.
    """
    return bool(int.__and__(context.options, getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)))  # as flags it takes eight calls more


class SharedStream(SocketStream):
    """A byte stream for two threads, one that receives and one that sends.

    An OpenSSL connection is not for two threads at a time: it is locked for each operation, none of which waits. Waiting is
    done for the socket, without the lock. That also takes fewer system calls than a socket with a time-out, which polls before it
    sends, and tries to read before it polls.
    """

    __slots__ = ("_failure", "_has_more", "_has_unread", "_lock", "_poll")

    def __init__(self, connection: socket.socket, peer: str) -> None:
        super().__init__(connection, peer)
        connection.settimeout(0)
        self._lock = threading.Lock()
        # TLS takes one record at a time, and there is room for a whole one: nothing is ever left in it, so that only the socket is asked.
        self._has_unread = readiness(connection)  # one at a time looks, or receives
        self._poll = select.poll() if _HAS_POLL else None
        if self._poll is not None:
            self._poll.register(connection, _READ)
        self._has_more = False  # the last record was full, as those of a long body are
        self._failure: Exception | None = None  # what was met behind the last record, for who reads next

    async def receive(self, timeout: float | None) -> bytes:
        if self._peeked:
            return self._take_peeked()
        deadline = None if timeout is None else time.monotonic() + timeout
        # After a request there is nothing yet: to ask costs less than to try.
        poll = None if self._has_more or self._socket.fileno() < 0 else self._poll
        while True:
            try:
                if poll is not None and not poll.poll(None if timeout is None else timeout * 1000):
                    raise nothing_arrived(self.peer, timeout)
                return self._read()
            except _WOULD_BLOCK as error:
                poll = None
                if not self._is_ready(error, _READ, deadline):
                    raise nothing_arrived(self.peer, timeout) from error
            except ssl.SSLEOFError:
                self.ended_cleanly = False
                return b""
            except (OSError, ValueError) as error:
                raise read_error(error, self.peer) from error

    def _read(self) -> bytes:
        # One record. Behind a full one come more, as a rule: what lies above would cost as much for each of them as for all.
        with self._lock:
            if self._failure is not None:
                raise self._failure
            receive = self._socket.read if isinstance(self._socket, ssl.SSLSocket) else self._socket.recv
            record: bytes = receive(_RECORD)
            self._has_more = len(record) == _RECORD
            if not self._has_more:
                return record
            records = [record]
            try:
                while self._has_more and len(records) < _RECORDS:
                    records.append(receive(_RECORD))
                    self._has_more = len(records[-1]) == _RECORD
            except _WOULD_BLOCK as error:
                self._has_more = isinstance(error, ssl.SSLWantWriteError)
            except (OSError, ValueError) as error:
                self._failure = error
            return b"".join(records)

    async def send(self, data: bytes, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        rest: bytes | memoryview = data
        while rest:
            try:
                with self._lock:
                    sent = self._socket.send(rest)
                if sent == len(rest):
                    return
                rest = memoryview(rest)[sent:]
            except _WOULD_BLOCK as error:
                if not self._is_ready(error, _WRITE, deadline):
                    raise nothing_accepted(self.peer, timeout) from error
            except (OSError, ValueError) as error:
                raise sending_failed(self.peer, error) from error

    def _is_ready(self, error: Exception | None, events: int, deadline: float | None) -> bool:
        # TLS may want to read in order to write, and the other way round.
        if isinstance(error, ssl.SSLWantReadError):
            events = _READ
        elif isinstance(error, ssl.SSLWantWriteError):
            events = _WRITE
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            return False  # also where something is there: it may be parts of records, or what is no data, without end
        try:
            if not _HAS_POLL:
                readers, writers = ([self._socket], []) if events == _READ else ([], [self._socket])
                return any(select.select(readers, writers, [], remaining))
            poll = select.poll()
            poll.register(self._socket, events)
        except ValueError:
            return True  # closed meanwhile: the next operation says so
        return bool(poll.poll(None if remaining is None else remaining * 1000))

    def send_now(self, data: bytes) -> bool:
        try:
            with self._lock:
                sent = self._socket.send(data)
        except _WOULD_BLOCK:
            return False
        except (OSError, ValueError) as error:
            raise sending_failed(self.peer, error) from error
        if sent < len(data):
            raise accepts_no_more(self.peer)
        return True

    def share(self) -> SharedStream:
        return self

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str, timeout: float | None) -> Stream:
        from .tls_stream import start_tls_over

        return await start_tls_over(self, context, server_hostname, timeout)

    def receive_nowait(self) -> bytes | None:
        if self._peeked:
            return self._take_peeked()
        try:
            if self._socket.fileno() >= 0 and self._failure is None and not self._has_unread():
                return None
            return self._read()
        except _WOULD_BLOCK:
            return None
        except ssl.SSLEOFError:
            self.ended_cleanly = False
            return b""
        except (OSError, ValueError) as error:
            raise read_error(error, self.peer) from error

    def is_quiet(self) -> bool:
        # Mostly nothing has arrived, which takes no closer look.
        if not self._peeked and self._failure is None and self._socket.fileno() >= 0 and not self._has_unread():
            return True
        return super().is_quiet()

    def close(self, last_words: bytes = b"") -> None:
        with self._lock:
            try:
                if last_words:
                    self._socket.send(last_words)
                if isinstance(self._socket, ssl.SSLSocket):
                    self._socket.unwrap()  # says goodbye (close_notify); its answer is not waited for
            except (OSError, ValueError):
                pass
            finally:
                self._hang_up()

    def info(self, name: str) -> typing.Any:
        if name == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if name == "is_readable":  # asked by anyone, while another thread receives
            return bool(self._peeked or self._socket.fileno() < 0 or readiness(self._socket)())
        return super().info(name)
