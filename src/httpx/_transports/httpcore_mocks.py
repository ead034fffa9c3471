"""Requests that tests answer at httpcore, through which HTTPX sends them.

respx replaces `handle_request` of httpcore's pools, unless it is told `using="httpx"`; so do tests with `unittest.mock`. Ours go through no
pool of httpcore's. But where a program has imported httpcore and put something in that place, it is asked, as HTTPX would ask it. If it
passes the request on to httpcore's own method, the request goes over a connection of ours.
"""

from __future__ import annotations

import contextlib
import sys
import typing

from .. import _exceptions
from .._content.streams import AsyncByteStream, SyncByteStream
from .._models.request import Request
from .._models.response import Response

Method = typing.Callable[..., typing.Any]


class _PassedOn(BaseException):
    # Whoever was asked has called httpcore's own method, which looks at its pool.
    pass


class _NoPool:
    # What stands where a pool of httpcore's would.
    def __getattr__(self, name: str) -> typing.Any:
        raise _PassedOn


def replacement(is_async: bool) -> Method | None:
    """What stands in the place of httpcore's method, or None if that does itself, or there is no httpcore."""
    pool, name = ("AsyncConnectionPool", "handle_async_request") if is_async else ("ConnectionPool", "handle_request")
    method: Method | None = getattr(getattr(sys.modules.get("httpcore"), pool, None), name, None)
    return None if method is None or getattr(method, "__module__", "").startswith("httpcore.") else method


async def ask(method: Method, request: Request, is_async: bool) -> Response | None:
    """The answer of `method` to `request`, or None if the request is to go to the server."""
    httpcore: typing.Any = sys.modules["httpcore"]
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
    def __init__(self, stream: typing.Any) -> None:
        self._stream = stream
        self._pieces: typing.Any = None

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
