"""What is installed with the extra `speed`."""

import sys

from clients.ours import async_client, sync_client

del sys.modules["jiter"]  # it is seen again

__all__ = ["async_client", "sync_client"]
