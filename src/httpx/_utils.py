"""Names that libraries built on HTTPX import from here. This module holds nothing of its own."""

from ._client.environment import get_environment_proxies
from ._client.url_pattern import URLPattern
from ._content.files import total_length as peek_filelike_length
from ._models.query import _text as primitive_value_to_str

__all__ = ["URLPattern", "get_environment_proxies", "peek_filelike_length", "primitive_value_to_str"]
