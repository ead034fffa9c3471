"""What a context that is not ours offers to the server (ALPN): what its owner has chosen, or for one connection what that is to speak."""

from __future__ import annotations

import contextlib
import ssl
import threading
import typing
from collections.abc import Iterator

from .offer import HTTP_1_1, ForConnection

_lock = threading.Lock()


class ForForeign(ForConnection):
    """Stands in for a foreign context, which it never changes for longer than one call."""

    __slots__ = ()

    def wrap_socket(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLSocket:
        with self._offering():
            return self._context.wrap_socket(*args, **kwargs)

    def wrap_bio(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLObject:
        with self._offering():
            return self._context.wrap_bio(*args, **kwargs)

    @contextlib.contextmanager
    def _offering(self) -> Iterator[None]:
        with _lock:
            if self._purpose.alpn == HTTP_1_1 or offers_protocols(self._context):
                yield
                return
            _set_offer(self._context, self._purpose.alpn)
            try:
                yield
            finally:
                _set_offer(self._context, ())


def _set_offer(context: ssl.SSLContext, alpn: tuple[str, ...]) -> None:
    # Not by set_alpn_protocols(): a subclass would take that for its owner's choice. truststore's contexts are façades of others.
    inner: typing.Any = getattr(context, "_ctx", context)
    with contextlib.suppress(MemoryError):  # what OpenSSL 1.1.1 says to an empty offer, once it has taken it
        inner._set_alpn_protocols(b"".join(bytes((len(name),)) + name.encode("ascii") for name in alpn))


def offers_protocols(context: ssl.SSLContext) -> bool:
    """Whether a handshake made with `context` offers protocols (ALPN), which only the handshake tells."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLError):  # it wants to read; or it cannot be used at all, which is told where it is
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    hello = outgoing.read()
    return not hello or _ALPN in _extensions(hello)


_ALPN = 16  # RFC 7301 section 3.1


def _extensions(hello: bytes) -> list[int]:
    # The types of the extensions in a ClientHello (RFC 8446 section 4.1.2), which OpenSSL has written in one record.
    at = 5 + 4 + 2 + 32  # record, message, version, random
    at += 1 + hello[at]  # session
    at += 2 + int.from_bytes(hello[at : at + 2])  # cipher suites
    at += 1 + hello[at]  # compression
    at += 2
    found = []
    while at < len(hello):
        found.append(int.from_bytes(hello[at : at + 2]))
        at += 4 + int.from_bytes(hello[at + 2 : at + 4])
    return found
