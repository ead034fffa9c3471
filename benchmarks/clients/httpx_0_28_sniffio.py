from clients.httpx_0_28 import async_client, sync_client

__all__ = ["async_client", "sync_client"]
