"""The clients and the top-level functions. The names below are also reached here by libraries built on HTTPX."""

import typing

from .. import _types
from .._exchange.client import Hook as EventHook
from .async_client import AsyncClient
from .base import BaseClient, ClientState
from .client import Client
from .defaults import USE_CLIENT_DEFAULT, USER_AGENT, UseClientDefault

__all__ = ["USER_AGENT", "USE_CLIENT_DEFAULT", "AsyncClient", "BaseClient", "Client", "ClientState", "EventHook", "UseClientDefault"]


def __getattr__(name: str) -> typing.Any:
    # The types of arguments, which HTTPX's module of this name has from `httpx._types`.
    try:
        return getattr(_types, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
