"""Authentication: a flow says which requests to send for the one that was asked for."""

from __future__ import annotations

from .._auth.base import Auth
from .._exceptions import RequestError
from .._models.request import Request
from .._models.response import Response
from . import redirects
from .client import Client
from .drain import drain

_MAX_REQUESTS = 200  # of one flow, which may poll for a token; one that never ends must not keep its caller for ever


async def send(client: Client, request: Request, auth: Auth, follow_redirects: bool) -> Response:
    """Send the requests of `auth`'s flow for `request`, and return the last one's response.

    The responses before it are its `history`. Credentials are given once, to the server of `request`: redirects are followed
    below this, where they drop what is not for other eyes.
    """
    calls = client._calls
    history: list[Response] = []
    flow = calls.start_flow(auth, request)
    try:
        outgoing = await calls.next_request(flow, None)
        if outgoing is None:
            raise RuntimeError(f"The flow of {type(auth).__name__} ended without a request to send: it must yield at least one.")
        for _ in range(_MAX_REQUESTS):
            response = await redirects.send(client, outgoing, follow_redirects, history)
            try:
                outgoing = await calls.next_request(flow, response)
                if outgoing is None:
                    return response
                await drain(client, response)
                redirects.require_repeatable(outgoing)
                _refresh_cookies(client, outgoing, response)
            except BaseException:
                await calls.close(response)
                raise
            history.append(response)
    finally:
        await calls.close_generator(flow)
    raise RequestError(f"The flow of {type(auth).__name__} did not end within {_MAX_REQUESTS} requests.", request=request)


def _refresh_cookies(client: Client, request: Request, response: Response) -> None:
    # A challenge may come with a cookie that the answer is expected to carry.
    if response._peek(b"set-cookie") is not None and ("_cookies" in request.__dict__ or "cookie" not in request.headers):
        request.headers.pop("cookie", None)
        client._add_cookies(request, request.__dict__.get("_cookies"))
