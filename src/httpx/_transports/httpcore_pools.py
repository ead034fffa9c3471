"""Requests that others take at httpcore, through whose pools HTTPX sends them.

Ours go through none. But what a program puts in that place is asked, as HTTPX would ask it:

* a pool of its own at `transport._pool`, or a network backend in that pool: most often to check the addresses that are connected to;
* another `handle_request` for all of httpcore's pools: respx does that, unless it is told `using="httpx"`, and so do tests with
  `unittest.mock`. If that passes the request on to httpcore's own method, the request goes over a connection of ours.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import typing

from .. import _exceptions
from .._content.streams import AsyncByteStream, SyncByteStream
from .._models.request import Request
from .._models.response import Response
from .pool_view import PoolView

Method = typing.Callable[..., typing.Any]


class _PassedOn(BaseException):
    # Whoever was asked has called httpcore's own method, which looks at its pool.
    pass


class _NoPool:
    # What stands where a pool of httpcore's would.
    def __getattr__(self, name: str) -> typing.Any:
        raise _PassedOn


def pool_in_place(pool: typing.Any) -> typing.Any:
    """The pool that a program has put in the place of ours, or None."""
    return pool._substitute if type(pool) is PoolView else pool


def method_in_place(pool: typing.Any, is_async: bool) -> Method | None:
    """What has taken the place of sending requests through `pool`, or None."""
    kind, name = ("AsyncConnectionPool", "handle_async_request") if is_async else ("ConnectionPool", "handle_request")
    substitute = pool_in_place(pool)
    if substitute is not None:
        found: Method = getattr(substitute, name)
        return found
    method: Method | None = getattr(getattr(sys.modules.get("httpcore"), kind, None), name, None)
    return None if method is None or (getattr(method, "__module__", None) or "").startswith("httpcore.") else method


async def ask(method: Method, request: Request, is_async: bool) -> Response | None:
    """The answer of `method` to `request`, or None if the request is to go to the server."""
    httpcore: typing.Any = importlib.import_module("httpcore")
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    asked = httpcore.Request(
        method=request.method, url=target, headers=request.headers.raw, content=request.stream, extensions=request.extensions
    )
    bound = method.__get__(_NoPool()) if hasattr(type(method), "__get__") else method
    try:
        with _as_errors_of_ours():
            answer = await bound(asked) if is_async else bound(asked)
    except _PassedOn:
        request.stream = asked.stream  # respx has read the body, and left it in this form
        return None
    stream = answer.stream
    if not isinstance(stream, AsyncByteStream if is_async else SyncByteStream):
        stream = _AsyncStream(stream) if is_async else _SyncStream(stream)
    return Response(answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions)


@contextlib.contextmanager
def _as_errors_of_ours() -> typing.Iterator[None]:
    try:
        yield
    except Exception as error:
        for kind in type(error).__mro__:
            ours = getattr(_exceptions, kind.__name__, None)
            if kind.__module__.startswith("httpcore") and ours is not None:
                raise ours(str(error)) from error
        raise


class _SyncStream(SyncByteStream):
    def __init__(self, stream: typing.Any) -> None:
        self._stream = stream

    def __iter__(self) -> typing.Iterator[bytes]:
        with _as_errors_of_ours():
            yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class _AsyncStream(AsyncByteStream):
    _stream: typing.Any
    _pieces: typing.Any

    def __init__(self, stream: typing.Any) -> None:
        self._stream = stream
        self._pieces = None

    def __aiter__(self) -> typing.AsyncIterator[bytes]:
        self._pieces = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        with _as_errors_of_ours():
            piece: bytes = await anext(self._pieces)
        return piece

    async def aclose(self) -> None:
        to_close = (self._pieces, self._stream)
        self._pieces = self._stream = None  # as an iterator, this is closed at its end, and as a stream once more
        for each in to_close:
            if hasattr(each, "aclose"):
                await each.aclose()
