"""A name that programs written for HTTPX import from here. This module holds nothing of its own."""

from ._models.status import codes

__all__ = ["codes"]
