from __future__ import annotations

import ssl
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import httpx2

from clients import Settings
from clients.httpx_like import AsyncAdaptor, SyncAdaptor, async_adaptor, sync_adaptor


def trust(settings: Settings) -> dict[str, Any]:
    return {"verify": ssl.create_default_context(cafile=settings.authority)} if settings.authority else {}


def sync_client(settings: Settings) -> AbstractContextManager[SyncAdaptor]:
    return sync_adaptor(httpx2, settings, trust(settings))


def async_client(settings: Settings) -> AbstractAsyncContextManager[AsyncAdaptor]:
    return async_adaptor(httpx2, settings, trust(settings))
