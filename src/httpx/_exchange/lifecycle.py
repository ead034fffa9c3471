"""The life of one request. Each concern is one coroutine, and each hands over to the next:

lifecycle → auth → redirects → hooks → single → the client's transport
"""

from __future__ import annotations

from .._auth.base import Auth
from .._exceptions import RequestError
from .._models.request import Request
from .._models.response import Response
from . import auth as authentication
from . import redirects
from .client import Client


async def send(client: Client, request: Request, stream: bool, auth: Auth | None, follow_redirects: bool) -> Response:
    """Send `request` and return the response to it, read unless `stream`. Every `RequestError` carries its request."""
    try:
        if auth is None:
            response = await redirects.send(client, request, follow_redirects, [])
        else:
            response = await authentication.send(client, request, auth, follow_redirects)
        if not stream:
            try:
                await client._calls.read(response)
            except BaseException:
                await client._calls.close(response)
                raise
    except RequestError as error:
        if error._request is None:
            error.request = request
        raise
    return response
