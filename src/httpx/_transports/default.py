"""Where HTTPX keeps its HTTP transports: for libraries that import them from here. This module holds nothing of its own."""

from .http import AsyncHTTPTransport, HTTPTransport

__all__ = ["AsyncHTTPTransport", "HTTPTransport"]
