"""Watching what a client sends and receives: every exchange, those of redirects, challenges and retries too."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable

from .._exchange.rate_limit import LimitedAsyncCalls, LimitedSyncCalls
from .._models.request import Request
from .._models.response import Response


class Watcher(typing.Protocol):
    """One exchange, as somebody watches it."""

    def answered(self, response: Response) -> None:
        """The head of the response is here."""
        ...

    def failed(self, error: BaseException) -> None:
        """There is no response."""
        ...


Begin = Callable[[typing.Any, Request], Watcher]
"""Called with a client and a request that it is about to send."""


def watch(client: typing.Any, begin: Begin) -> None:
    """Call `begin` for each request of `client` from here on."""
    calls = client._calls
    if isinstance(calls, (LimitedSyncCalls, LimitedAsyncCalls)):
        calls.below = WatchedCalls(calls.below, begin)
    else:
        client._calls = WatchedCalls(calls, begin)


def peer_address(response: Response) -> typing.Any:
    """The address that the answer came from, as sockets have it; None if that is not known any more."""
    stream = response.extensions.get("network_stream")
    try:
        return None if stream is None else stream.get_extra_info("server_addr")
    except (OSError, AttributeError):
        return None  # the connection is gone already


def _unwatched(calls: typing.Any) -> typing.Any:
    return calls


class WatchedCalls:
    """The calls of a client that is watched. One that is not has others: nothing tests whether it is."""

    def __init__(self, calls: typing.Any, begin: Begin) -> None:
        self._calls = calls
        self._begin = begin

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._calls, name)

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _unwatched, (self._calls,)  # the copy of a client is not watched

    def send_single_request(self, client: typing.Any, request: Request) -> typing.Any:
        if self._calls.is_async:
            return self._send(client, request)
        watcher = self._begin(client, request)
        try:
            response = self._calls.send_single_request(client, request)
        except BaseException as error:
            watcher.failed(error)
            raise
        watcher.answered(response)
        return response

    async def _send(self, client: typing.Any, request: Request) -> Response:
        watcher = self._begin(client, request)
        try:
            answer: Awaitable[Response] = self._calls.send_single_request(client, request)
            response = await answer
        except BaseException as error:
            watcher.failed(error)
            raise
        watcher.answered(response)
        return response
