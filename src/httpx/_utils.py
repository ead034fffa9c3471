"""Names that libraries built on HTTPX import from here. This module holds nothing of its own."""

from ._client.environment import get_environment_proxies
from ._client.url_pattern import URLPattern

__all__ = ["URLPattern", "get_environment_proxies"]
