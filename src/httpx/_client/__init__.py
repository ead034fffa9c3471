"""The clients and the top-level functions. The names below are also reached here by libraries built on HTTPX."""

from .async_client import AsyncClient
from .base import BaseClient, ClientState
from .client import Client
from .defaults import USE_CLIENT_DEFAULT, UseClientDefault

__all__ = ["USE_CLIENT_DEFAULT", "AsyncClient", "BaseClient", "Client", "ClientState", "UseClientDefault"]
