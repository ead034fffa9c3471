"""A TLS configuration as one connection uses it: the protocols offered (ALPN) and the port, which are not the context's.

    context = for_connection(client_context, alpn=("h2", "http/1.1"), port=443)
    ...  # start TLS with `context`; then look at ssl_object.selected_alpn_protocol()

What the client was given is not changed by it. A foreign `ssl.SSLContext` whose owner has chosen an offer makes that one. Where
nobody has, it offers HTTP/2 for the moment in which a connection's TLS object is made, if the client speaks that: OpenSSL
has no other way, and copies the offer then.
"""

from __future__ import annotations

import contextvars
import typing

if typing.TYPE_CHECKING:
    import ssl

HTTP_1_1 = ("http/1.1",)
HTTP_2 = ("h2",)
HTTP_2_OR_1_1 = ("h2", "http/1.1")


class Purpose(typing.NamedTuple):
    """What a connection is for, where the context itself does not say."""

    alpn: tuple[str, ...]
    port: int | None


# Set only while a connection's TLS object is being made, which happens within one call.
_purpose: contextvars.ContextVar[Purpose | None] = contextvars.ContextVar("httpx_tls_purpose", default=None)


def current_purpose() -> Purpose | None:
    """What the TLS object that is being made will be used for; None if nobody said."""
    return _purpose.get()


def for_connection(context: ssl.SSLContext, alpn: tuple[str, ...] = HTTP_1_1, port: int | None = None) -> ssl.SSLContext:
    """`context` for one connection: offering `alpn`, best first (RFC 7301), unless its owner has chosen an offer; to `port`."""
    stand_in: typing.Any
    if getattr(context, "_takes_purpose", False):
        stand_in = ForConnection(context, Purpose(alpn, port))
    else:
        from .foreign import ForForeign

        stand_in = ForForeign(context, Purpose(alpn, port))
    return stand_in  # type: ignore[no-any-return]


class ForConnection:
    """Stands in for its context where TLS is started.

    Another real context would cost a tenth of a millisecond, and would have to follow every change of the first.
    """

    __slots__ = ("_context", "_purpose")

    def __init__(self, context: ssl.SSLContext, purpose: Purpose) -> None:
        self._context = context
        self._purpose = purpose

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore  # to all that ask, such as reports of failures
        return type(self._context)

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._context, name)

    def wrap_socket(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLSocket:
        before = _purpose.set(self._purpose)
        try:
            return self._context.wrap_socket(*args, **kwargs)
        finally:
            _purpose.reset(before)

    def wrap_bio(self, *args: typing.Any, **kwargs: typing.Any) -> ssl.SSLObject:
        before = _purpose.set(self._purpose)
        try:
            return self._context.wrap_bio(*args, **kwargs)
        finally:
            _purpose.reset(before)
