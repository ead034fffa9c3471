"""Keeps a name alive that other libraries import from HTTPX."""

from ._content.multipart import MultipartStream

__all__ = ["MultipartStream"]
