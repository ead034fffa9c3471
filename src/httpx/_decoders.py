"""Names that programs written for HTTPX import from here. This module holds nothing of its own."""

from ._content.text import ByteChunker, LineDecoder, TextChunker, TextDecoder
from ._exceptions import DecodingError

__all__ = ["ByteChunker", "DecodingError", "LineDecoder", "TextChunker", "TextDecoder"]
