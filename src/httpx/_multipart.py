"""Keeps names alive that other libraries import from HTTPX."""

from ._content.multipart import DataField, FileField, MultipartStream

__all__ = ["DataField", "FileField", "MultipartStream"]
