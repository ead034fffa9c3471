"""Messages as values. The names here are those that other libraries import from HTTPX under `httpx._models`."""

from .cookies import Cookies
from .headers import Headers
from .request import Request
from .response import Response

__all__ = ["Cookies", "Headers", "Request", "Response"]
