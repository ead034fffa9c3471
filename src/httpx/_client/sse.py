"""Server-sent events from a client that is at hand, with the signatures of httpx-sse."""

from __future__ import annotations

import typing

from .._streaming.events import AsyncEventSource, EventSource
from .._types import URLTypes
from .async_client import AsyncClient
from .client import Client
from .options import RequestOptions


def connect_sse(client: Client, method: str, url: URLTypes, **options: typing.Unpack[RequestOptions]) -> EventSource:
    """`client.sse()` as httpx-sse spells it, on one connection: `with connect_sse(client, "GET", url) as source: ...`."""
    return client.sse(url, method=method, reconnect=False, **options)


def aconnect_sse(client: AsyncClient, method: str, url: URLTypes, **options: typing.Unpack[RequestOptions]) -> AsyncEventSource:
    """`client.sse()` as httpx-sse spells it, on one connection: `async with aconnect_sse(client, "GET", url) as source: ...`."""
    return client.sse(url, method=method, reconnect=False, **options)
