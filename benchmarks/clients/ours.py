"""What is installed without extras: what those for speed bring along is not seen."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import httpx
from clients import Settings
from clients.httpx_like import AsyncAdaptor, SyncAdaptor, async_adaptor, sync_adaptor

sys.modules["jiter"] = None  # type: ignore[assignment]


def trust(settings: Settings) -> dict[str, Any]:
    return {"ssl_context": httpx.SSLContext(verify=settings.authority)} if settings.authority else {}


def sync_client(settings: Settings) -> AbstractContextManager[SyncAdaptor]:
    return sync_adaptor(httpx, settings, trust(settings))


def async_client(settings: Settings) -> AbstractAsyncContextManager[AsyncAdaptor]:
    return async_adaptor(httpx, settings, trust(settings))
