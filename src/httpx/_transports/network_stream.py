"""The connection itself, as `response.extensions["network_stream"]` hands it to those who speak another protocol on it."""

from __future__ import annotations

import typing

from .._exceptions import RemoteProtocolError, TransportError
from .._network.base import Stream, drive
from .httpcore_errors import as_httpcore_has_it

if typing.TYPE_CHECKING:
    import ssl


class NetworkStream:
    """A connection of a `Client`: after a 101 response, or a CONNECT, it is the caller's to read and write."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._unread = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most `max_bytes` bytes, empty at the end. Raises `ReadTimeout` or `ReadError`."""
        return drive(_read(self, max_bytes, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`. Raises `WriteTimeout` or `WriteError`."""
        drive(_write(self, buffer, timeout))

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> NetworkStream:
        """Encrypt the connection from here on. Raises `ConnectError` or `ConnectTimeout`."""
        _require_nothing_unread(self)
        self._stream = drive(self._stream.start_tls(ssl_context, server_hostname or "", timeout))
        return self

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def get_extra_info(self, info: str) -> typing.Any:
        """`socket`, `ssl_object`, `client_addr`, `server_addr` or `is_readable`; None for what is not known."""
        return self._stream.info(info)


class AsyncNetworkStream:
    """A connection of an `AsyncClient`: after a 101 response, or a CONNECT, it is the caller's to read and write."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._unread = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """At most `max_bytes` bytes, empty at the end. Raises `ReadTimeout` or `ReadError`."""
        return await _read(self, max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of `buffer`. Raises `WriteTimeout` or `WriteError`."""
        await _write(self, buffer, timeout)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        """Encrypt the connection from here on. Raises `ConnectError` or `ConnectTimeout`."""
        _require_nothing_unread(self)
        self._stream = await self._stream.start_tls(ssl_context, server_hostname or "", timeout)
        return self

    async def aclose(self) -> None:
        """Close the connection."""
        self._stream.close()

    def get_extra_info(self, info: str) -> typing.Any:
        """`socket`, `ssl_object`, `client_addr`, `server_addr` or `is_readable`; None for what is not known."""
        return self._stream.info(info)


async def _read(facade: NetworkStream | AsyncNetworkStream, max_bytes: int, timeout: float | None) -> bytes:
    try:
        data = facade._unread or await facade._stream.receive(timeout)
    except TransportError as error:
        raise as_httpcore_has_it(error) from error.__cause__
    facade._unread = data[max_bytes:]
    return data[:max_bytes]


async def _write(facade: NetworkStream | AsyncNetworkStream, buffer: bytes, timeout: float | None) -> None:
    try:
        await facade._stream.send(buffer, timeout)
    except TransportError as error:
        raise as_httpcore_has_it(error) from error.__cause__


def _require_nothing_unread(facade: NetworkStream | AsyncNetworkStream) -> None:
    if facade._unread:
        # It would be read as if it had been encrypted.
        raise RemoteProtocolError(f"{facade._stream.peer} sent data before the TLS handshake, which was not read.")
