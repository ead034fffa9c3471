"""The life of one request. Each concern is one coroutine, and each hands over to the next:

(retries →) lifecycle → (auth →) redirects → hooks → single → the client's transport
"""

from __future__ import annotations

from .._auth.base import Auth
from .._config import Countdown
from .._exceptions import RequestError
from .._models.request import Request
from .._models.response import Response
from . import auth as authentication
from . import hooks, redirects, single
from .client import Client


async def send(client: Client, request: Request, stream: bool, auth: Auth | None, follow_redirects: bool) -> Response:
    """Send `request` and return the response to it, read unless `stream`. Every `RequestError` carries its request."""
    timeout = request.extensions.get("timeout")
    if timeout is not None and "total" in timeout and not getattr(timeout, "is_shared", False):
        timeout = request.extensions["timeout"] = Countdown(timeout)
    try:
        if auth is not None:
            response = await authentication.send(client, request, auth, follow_redirects)
        elif follow_redirects or hooks.are_set(client):
            response = await redirects.send(client, request, follow_redirects, [])
        else:
            # Most requests go straight to the end of the line.
            response = await single.send(client, request)
            if response.status_code >= 300:
                await redirects.look_ahead(client, request, response)
        if not stream and not (type(response) is Response and response._read_at_once()):
            try:
                if client._calls.is_async:
                    await response.aread()
                else:
                    response.read()
            except BaseException:
                await client._calls.close(response)
                raise
    except RequestError as error:
        if isinstance(timeout, Countdown):
            timeout.explain(error)
        if error._request is None:
            error.request = request
        raise
    return response
