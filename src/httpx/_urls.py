"""Names that programs written for HTTPX import from here. This module holds nothing of its own."""

from ._models.query import QueryParams
from ._models.url import URL

__all__ = ["URL", "QueryParams"]
