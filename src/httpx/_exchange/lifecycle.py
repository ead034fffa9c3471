"""The life of one request: sent through the transport, logged, and read unless it is streamed.

Written once, for both clients: `Caller` is what differs between them.
"""

from __future__ import annotations

import logging
import time
import typing
from collections.abc import Callable

from .._exceptions import RequestError
from .._models.request import Request
from .._models.response import Response

logger = logging.getLogger("httpx")


class Caller(typing.Protocol):
    """A client's own way of calling things that exist in a sync and an async form. The sync ones never suspend."""

    @property
    def default_encoding(self) -> str | Callable[[bytes], str | None]:
        """The client's `default_encoding`."""
        ...

    async def send_single_request(self, request: Request) -> Response:
        """One exchange, through whatever has taken the place of the client's own method."""
        ...

    async def read(self, response: Response) -> None:
        """Read the body into memory."""
        ...

    async def close(self, response: Response) -> None:
        """Close the response."""
        ...


async def send(caller: Caller, request: Request, stream: bool) -> Response:
    """Send `request` and return its response, read unless `stream`. Every `RequestError` carries the request."""
    started = time.perf_counter()
    try:
        response = await caller.send_single_request(request)
        try:
            response._request = request
            response._clock = (time.perf_counter, started)
            response.default_encoding = caller.default_encoding
            if logger.isEnabledFor(logging.INFO):
                _log(request, response)
            if not stream:
                await caller.read(response)
        except BaseException:
            await caller.close(response)
            raise
    except RequestError as error:
        if error._request is None:
            error.request = request
        raise
    return response


def _log(request: Request, response: Response) -> None:
    logger.info(
        'HTTP Request: %s %s "%s %d %s"',
        request.method,
        repr(request.url)[5:-2],  # the form without the password
        response.http_version,
        response.status_code,
        response.reason_phrase,
    )
