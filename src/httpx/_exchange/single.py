"""One request and its response, through the client's own method and so through its transport."""

from __future__ import annotations

import functools
import sys
import time
import typing

from .._exceptions import RequestError
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .client import Client

if typing.TYPE_CHECKING:
    import logging

_INFO = 20  # logging.INFO


async def send(client: Client, request: Request) -> Response:
    """Send `request`; keep the cookies that the response sets, and log it."""
    calls = client._calls
    started = time.perf_counter()
    response: Response
    while True:
        try:
            answer = calls.send_single_request(client, request)
            response = await answer if calls.is_async else answer
            break
        except RequestError as error:
            if getattr(error, "_was_never_sent", False) and not client.is_closed:
                continue  # the client that was closed is another one, with the same transport
            error.request = request  # also when it had one: mocks raise one exception again and again
            raise
    response._request = request
    response._started = started
    response.default_encoding = client.default_encoding
    try:
        head = response._head
        if (head is None or b"set-cookie" in head.picked) and response._peek(b"set-cookie") is not None:
            client._cookies.extract_cookies(response)
        # `logging` takes a while to import: who has not done so has no use for what it would be told.
        if "logging" in sys.modules and _logger().isEnabledFor(_INFO):
            _log(request, response)
    except BaseException:
        await calls.close(response)
        raise
    return response


@functools.cache
def _logger() -> logging.Logger:
    import logging

    return logging.getLogger("httpx")


def _log(request: Request, response: Response) -> None:
    _logger().info(
        'HTTP Request: %s %s "%s %d %s"',
        request.method,
        loggable(request.url),
        response.http_version,
        response.status_code,
        response.reason_phrase,
    )


def loggable(url: URL) -> str:
    """A URL as it may be logged: without password and query."""
    # Logs are read by more people than may know a password, a signature or a token, and queries are full of these.
    if not url._query:
        return repr(url)[5:-2]  # the form without the password
    return repr(url.copy_with(query=None, fragment=None))[5:-2] + "?[secure]"
