"""Messages as values. The names here are those that other libraries import from HTTPX under `httpx._models`."""

from .headers import Headers
from .request import Request
from .response import Response

__all__ = ["Headers", "Request", "Response"]
