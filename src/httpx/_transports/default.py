"""Where HTTPX keeps its HTTP transports: for libraries that import them from here. This module holds nothing of its own."""

from .._tls.default import create_ssl_context
from .http import AsyncHTTPTransport, HTTPTransport

__all__ = ["AsyncHTTPTransport", "HTTPTransport", "create_ssl_context"]
