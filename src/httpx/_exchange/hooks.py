"""Event hooks: functions of the user's that see each request before it is sent, and each response before it is read."""

from __future__ import annotations

from .._models.request import Request
from .._models.response import Response
from . import single
from .client import Client


def are_set(client: Client) -> bool:
    """Whether the client has any."""
    # A dictionary of another kind is a library's that watches requests: it may hold more than it shows.
    return type(client._event_hooks) is not dict or any(client._event_hooks.values())


async def send(client: Client, request: Request) -> Response:
    """Send `request` between the client's hooks. If one of them raises, the response is closed."""
    calls = client._calls
    for hook in client._event_hooks["request"]:
        await calls.hook(hook, request)
    response = await single.send(client, request)
    try:
        for hook in client._event_hooks["response"]:
            await calls.hook(hook, response)
    except BaseException:
        await calls.close(response)
        raise
    return response
