"""Names that programs written for HTTPX import from here. This module holds nothing of its own."""

from ._client.functions import delete, get, head, options, patch, post, put, request, stream

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "request", "stream"]
