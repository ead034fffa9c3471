"""Through a proxy to a server: the conversations that make a connection to the one a connection to the other.

What a proxy says before its tunnel stands is its own word, over a connection that need not be encrypted. None of it ever
becomes part of a response, and bytes that arrive too early end the attempt.
"""

from __future__ import annotations

import contextlib
import time
import typing
from collections.abc import Iterator

from .._exceptions import (
    ConnectTimeout,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    TLSError,
    TransportError,
    WriteError,
    WriteTimeout,
)
from .._network.base import Stream
from .._printable import printable
from .._protocols.http1.engine import NEED_DATA, HTTP1Engine
from .._protocols.http1.head import ResponseHead
from .._protocols.socks import (
    ADDRESS_SIZES,
    NAME,
    NO_AUTHENTICATION,
    NONE_ACCEPTABLE,
    SOCKS4_GRANTED,
    SOCKS4_REPLIES,
    SOCKS5_REPLIES,
    SOCKS5_SUCCEEDED,
    USERNAME_PASSWORD,
    socks4a_connect,
    socks5_connect,
    socks5_credentials,
    socks5_greeting,
)
from .._proxy import Proxy
from .proxied import name_proxy

MAX_REPLY_SIZE = 65_536
"""Bytes that a proxy may send in answer to CONNECT."""

Credentials = tuple[bytes, bytes]
Deadline = float | None


async def open_http_tunnel(stream: Stream, request: bytes, target: str, deadline: Deadline) -> None:
    """Send `request`, a CONNECT to `target`, and wait for its success (RFC 9110 section 9.3.6).

    Raises `ProxyError` with the status if it is refused, and `ConnectTimeout`.
    """
    engine = HTTP1Engine()
    engine.start("CONNECT", True, False)
    with _in_words_of_a_proxy(stream, "CONNECT"):
        await stream.send(request, _left(deadline))
        head = await _receive_head(stream, engine, deadline)
    if not 200 <= head.status_code < 300:
        raise _refusal(stream.peer, target, head, b"\r\nproxy-authorization:" in request.lower())
    if engine.unread():
        raise ProxyError(f"The proxy {stream.peer} sent data of its own before the connection to {target} was in use.")


async def _receive_head(stream: Stream, engine: HTTP1Engine, deadline: Deadline) -> ResponseHead:
    received = 0
    while True:
        head = engine.next_head()
        if head is NEED_DATA:
            if received > MAX_REPLY_SIZE:
                raise ProxyError(f"The proxy {stream.peer} answered CONNECT with more than {MAX_REPLY_SIZE} bytes.")
            data = await stream.receive(_left(deadline))
            received += len(data)
            engine.receive(data)
        elif head.status_code >= 200:
            return head


def _refusal(peer: str, target: str, head: ResponseHead, had_credentials: bool) -> ProxyError:
    reason = printable(head.reason_phrase.decode("ascii", "replace"))
    refused = ProxyError(f"The proxy {peer} refused to connect to {target}: {head.status_code} {reason}".rstrip())
    if head.status_code == 407:
        refused.add_note(
            "The proxy did not accept the credentials that it was given."
            if had_credentials
            else "The proxy wants credentials: pass proxy=httpx.Proxy(url, auth=('user', 'password'))."
        )
    return refused


async def open_socks_tunnel(stream: Stream, proxy: Proxy, host: str, port: int, deadline: Deadline) -> None:
    """Ask a SOCKS proxy to connect to `host`, by name. Raises `ProxyError` if it refuses, and `ConnectTimeout`."""
    if proxy.url.scheme == "socks4a":
        await _open_socks4a_tunnel(stream, host, port, b"" if proxy.raw_auth is None else proxy.raw_auth[0], deadline)
    else:
        await _open_socks5_tunnel(stream, host, port, proxy.raw_auth, deadline)


async def _open_socks5_tunnel(stream: Stream, host: str, port: int, credentials: Credentials | None, deadline: Deadline) -> None:
    request = socks5_connect(host, port)
    password = b"" if credentials is None else socks5_credentials(*credentials)
    with _in_words_of_a_proxy(stream, "SOCKS5"):
        replies = _Replies(stream, deadline)
        await stream.send(socks5_greeting(credentials is not None), _left(deadline))
        _, method = await replies.take(2, starts_with=5)
        if method == USERNAME_PASSWORD and password:
            await stream.send(password, _left(deadline))
            _, status = await replies.take(2, starts_with=1)
            if status != 0:
                raise ProxyError(f"The proxy {stream.peer} did not accept the user name and password that it was given.")
        elif method != NO_AUTHENTICATION:
            wanted = "wants credentials" if method in (USERNAME_PASSWORD, NONE_ACCEPTABLE) else f"chose an unknown method, {method}"
            raise ProxyError(f"The proxy {stream.peer} {wanted}: no method of authentication could be agreed upon.")
        await stream.send(request, _left(deadline))
        _, reply = await replies.take(2, starts_with=5)
        if reply != SOCKS5_SUCCEEDED:
            raise _socks_refusal(stream, host, port, reply, SOCKS5_REPLIES)
        _, kind = await replies.take(2)
        size = (await replies.take(1))[0] if kind == NAME else ADDRESS_SIZES.get(kind)
        if size is None:
            raise ProxyError(f"The proxy {stream.peer} answered with an address of unknown type, {kind}.")
        await replies.take(size + 2)
        replies.require_end()


async def _open_socks4a_tunnel(stream: Stream, host: str, port: int, username: bytes, deadline: Deadline) -> None:
    request = socks4a_connect(host, port, username)
    with _in_words_of_a_proxy(stream, "SOCKS4a"):
        replies = _Replies(stream, deadline)
        await stream.send(request, _left(deadline))
        _, reply = await replies.take(2, starts_with=0)
        if reply != SOCKS4_GRANTED:
            refused = _socks_refusal(stream, host, port, reply, SOCKS4_REPLIES)
            if host.encode() in request:
                refused.add_note("A proxy that knows SOCKS4 without its extension 4a takes no names: if it knows SOCKS5, use socks5://.")
            raise refused
        await replies.take(6)
        replies.require_end()


def _socks_refusal(stream: Stream, host: str, port: int, reply: int, words: typing.Mapping[int, str]) -> ProxyError:
    told = words.get(reply, "for a reason that is not in the standard")
    return ProxyError(f"The proxy {stream.peer} did not connect to {host}:{port}: {told} (reply {reply:#04x})")


class _Replies:
    # What a SOCKS proxy sends, in the portions that the protocol has.
    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._received = b""

    async def take(self, count: int, starts_with: int | None = None) -> bytes:
        while len(self._received) < count:
            data = await self._stream.receive(_left(self._deadline))
            if not data:
                raise ProxyError(f"The proxy {self._stream.peer} hung up during the SOCKS handshake.")
            self._received += data
            if starts_with is not None and self._received[0] != starts_with:
                raise ProxyError(f"The proxy {self._stream.peer} does not speak this version of SOCKS: {self._received[:16]!r}")
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def require_end(self) -> None:
        if self._received:
            raise ProxyError(f"The proxy {self._stream.peer} sent data of its own before the connection was in use.")


def _left(deadline: Deadline) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


@contextlib.contextmanager
def _in_words_of_a_proxy(stream: Stream, what: str) -> Iterator[None]:
    # A proxy that fails is no server that fails.
    try:
        yield
    except (ReadTimeout, WriteTimeout) as error:
        raise ConnectTimeout(f"The proxy {stream.peer} did not answer {what} in time.") from error
    except TLSError as error:
        name_proxy(error, stream.peer)
        raise
    except (ReadError, WriteError) as error:
        explained = _explained(error, stream)
        if isinstance(explained, TLSError):
            name_proxy(explained, stream.peer)
            raise explained from error.__cause__
        raise ProxyError(f"The connection to the proxy {stream.peer} broke during {what}: {error}") from error
    except RemoteProtocolError as error:
        raise ProxyError(f"The proxy {stream.peer} gave no proper answer to {what}: {error}") from error


def _explained(error: TransportError, stream: Stream) -> TransportError:
    # TLS 1.3 leaves it to the first answer whether the proxy accepts us, with the client certificate that we have or have not.
    if stream.tls is None:
        return error
    from .._network.failures import first_exchange_error  # brings `ssl` along

    return first_exchange_error(error, stream)
