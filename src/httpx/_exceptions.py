"""The exceptions of HTTPX, all in one tree.

    HTTPError
    ├── RequestError                  the exchange failed
    │   ├── TransportError            below the level of HTTP semantics
    │   │   ├── TimeoutException
    │   │   │   ├── ConnectTimeout
    │   │   │   ├── ReadTimeout
    │   │   │   ├── WriteTimeout
    │   │   │   └── PoolTimeout
    │   │   ├── NetworkError
    │   │   │   ├── ConnectError
    │   │   │   │   └── TLSError                   carries a report
    │   │   │   │       └── CertificateVerifyError
    │   │   │   ├── ReadError
    │   │   │   ├── WriteError
    │   │   │   └── CloseError
    │   │   ├── ProtocolError
    │   │   │   ├── LocalProtocolError    our side would have broken the protocol
    │   │   │   └── RemoteProtocolError   the peer broke it
    │   │   ├── ProxyError
    │   │   ├── WebSocketError            no WebSocket was opened, or the peer broke its protocol
    │   │   │   └── WebSocketClosed       with a code and a reason
    │   │   ├── SSEError                  not a stream of events, or one with an event beyond all bounds
    │   │   └── UnsupportedProtocol
    │   ├── DecodingError
    │   ├── DownloadError             a file did not become what it should be
    │   └── TooManyRedirects
    └── HTTPStatusError               the exchange succeeded with a 4xx or 5xx
    InvalidURL
    CookieConflict
    StreamError                       the caller used a body in the wrong order
    ├── StreamConsumed
    ├── StreamClosed
    ├── ResponseNotRead
    └── RequestNotRead

Every exception survives `pickle` and `copy`, with its request, response and notes.
"""

from __future__ import annotations

import contextlib
import typing

from ._printable import printable

if typing.TYPE_CHECKING:
    from ._models.request import Request
    from ._models.response import Response
    from ._tls.report import TLSReport


class HTTPError(Exception):
    """Base of everything that can go wrong with one request: catch it to catch all of them.

    Raised by `Response.raise_for_status()` (as `HTTPStatusError`) and by every way of sending a request (as `RequestError`).
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._request: Request | None = None

    @property
    def request(self) -> Request:
        """The request that failed. Raises `RuntimeError` if the exception was made without one."""
        if self._request is None:
            raise RuntimeError("The .request property has not been set.")
        return self._request

    @request.setter
    def request(self, request: Request) -> None:
        self._request = request


class RequestError(HTTPError):
    """No usable response was received."""

    def __init__(self, message: str, *, request: Request | None = None) -> None:
        super().__init__(message)
        self._request = request


class TransportError(RequestError):
    """The failure lies in the transport: connecting, sending, receiving, or the protocol spoken."""


class TimeoutException(TransportError):
    """An operation took longer than its time-out."""


class ConnectTimeout(TimeoutException):
    """Resolving the name, connecting and the TLS handshake took longer than `Timeout.connect` together."""


class ReadTimeout(TimeoutException):
    """Nothing arrived for `Timeout.read` seconds, or the head of the response was not complete by then."""


class WriteTimeout(TimeoutException):
    """The peer accepted no data for `Timeout.write` seconds."""


class PoolTimeout(TimeoutException):
    """No connection became free within `Timeout.pool` seconds."""


class NetworkError(TransportError):
    """The network failed."""


class ConnectError(NetworkError):
    """No connection could be established: name resolution, TCP, or the TLS handshake failed."""


class TLSError(ConnectError):
    """TLS could not be established: the handshake failed, or the server refused us right after it.

    The message begins with OpenSSL's words and says what they mean and what to do. `report` has the same in parts, with the
    certificates that the server presented; its `cause` is a stable name, a section of the documentation's page "TLS errors".
    """

    report: TLSReport | None = None
    """What is known of the failure; None only if the exception was made by someone else."""


class CertificateVerifyError(TLSError):
    """The server did not prove to be the host: its certificate was refused. Nothing was sent."""


class ReadError(NetworkError):
    """Receiving failed."""


class WriteError(NetworkError):
    """Sending failed."""


class CloseError(NetworkError):
    """Closing a connection failed."""


class ProtocolError(TransportError):
    """One of the two sides violated the protocol."""


class LocalProtocolError(ProtocolError):
    """The request as given cannot be sent without violating the protocol, such as a header with a line break."""


class RemoteProtocolError(ProtocolError):
    """The peer violated the protocol, such as a malformed or truncated response."""


class ProxyError(TransportError):
    """The proxy refused, or failed to establish, the connection."""


class SSEError(TransportError):
    """What came is no stream of server-sent events, or an event in it is larger than allowed."""


class WebSocketError(TransportError):
    """A WebSocket could not be opened, or the peer broke its protocol."""


class WebSocketClosed(WebSocketError):
    """A WebSocket has come to its end.

    `code` and `reason` are what the peer gave (RFC 6455 section 7.4): 1000 is the usual end, 1005 an end without code, 1006 a
    connection that was lost.
    """

    def __init__(self, code: int, reason: str = "", *, request: Request | None = None) -> None:
        super().__init__(f"The WebSocket was closed with code {code}" + (f": {printable(reason)}" if reason else "."), request=request)
        self.code = code
        self.reason = reason

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return type(self), (self.code, self.reason), self.__dict__


class UnsupportedProtocol(TransportError):
    """The URL's scheme is missing or is none that this client speaks."""


class DecodingError(RequestError):
    """The response body does not decode as its `Content-Encoding` says."""


class DownloadError(RequestError):
    """What was downloaded is not the file that was asked for: its checksum is wrong, or the server sent another part of it."""


class TooManyRedirects(RequestError):
    """More than `max_redirects` redirects were followed."""


class HTTPStatusError(HTTPError):
    """The response has a 4xx or 5xx status. Raised by `Response.raise_for_status()`."""

    def __init__(self, message: str, *, request: Request, response: Response) -> None:
        super().__init__(message)
        self.request = request
        self.response = response

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidURL(Exception):
    """The URL is malformed, or a component would have been."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class CookieConflict(Exception):
    """Several cookies match the name: say which with `domain=` and `path=`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class StreamError(RuntimeError):
    """The body of a request or response was used in a way its state does not allow."""

    def __init__(self, message: str) -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class StreamConsumed(StreamError):
    """The body was to be streamed a second time, and cannot be."""

    def __init__(self) -> None:
        super().__init__(
            "Attempted to read or stream some content, but the content has already been streamed. A stream runs only once: keep it "
            "with `.read()`, or give content that can be repeated."
        )


class StreamClosed(StreamError):
    """The body was to be read after it was closed."""

    def __init__(self) -> None:
        super().__init__("Attempted to read or stream content, but the stream has been closed.")


class ResponseNotRead(StreamError):
    """The content of a streaming response was accessed before it was read."""

    def __init__(self) -> None:
        super().__init__("Attempted to access streaming response content, without having called `read()`.")


class RequestNotRead(StreamError):
    """The content of a streaming request was accessed before it was read."""

    def __init__(self) -> None:
        super().__init__("Attempted to access streaming request content, without having called `read()`.")


def _rebuild(cls: type[Exception], args: tuple[typing.Any, ...], state: dict[str, typing.Any]) -> Exception:
    # For exceptions whose constructor does not take what `args` holds.
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


@contextlib.contextmanager
def request_context(request: Request | None = None) -> typing.Iterator[None]:
    """Attach `request` to any `RequestError` or `InvalidURL` that leaves the block without one."""
    try:
        yield
    except (TransportError, RequestError) as error:
        if request is not None and error._request is None:
            error.request = request
        raise
