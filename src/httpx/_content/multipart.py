"""Forms with files: multipart/form-data (RFC 7578), streamed part by part, sent again from the start when need be."""

from __future__ import annotations

import contextlib
import io
import os
import re
import typing
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping

from .._exceptions import LocalProtocolError
from .files import AsyncFileReader, FileReader, is_async_file, total_length
from .streams import AsyncByteStream, SyncByteStream

if typing.TYPE_CHECKING:
    from .._types import RequestFiles

_PIECE = 65_536  # what is smaller is gathered, so that a form of many fields is not many writes

# What a quoted name may not hold, written as browsers do it; the backslash doubled, for servers that unquote.
_ESCAPES = {'"': "%22", "\\": "\\\\", **{chr(code): f"%{code:02X}" for code in range(32) if code != 0x1B}}
_ESCAPED = re.compile(f"[{re.escape(''.join(_ESCAPES))}]")

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_FIELD_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BOUNDARY = re.compile(r""";\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))""", re.IGNORECASE)


def boundary_of(content_type: str) -> bytes | None:
    """The `boundary` parameter of a multipart `Content-Type`, if there is one."""
    if not content_type.lower().startswith("multipart/"):
        return None
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]).encode("latin-1", "replace") if found else None


def with_boundary(content_type: str, boundary: bytes) -> str:
    """A caller's own `Content-Type`; a multipart one is given the boundary that it lacks, for it says nothing without."""
    if not content_type.lower().startswith("multipart/") or boundary_of(content_type) is not None:
        return content_type
    return f"{content_type.rstrip('; ')}; boundary={boundary.decode('latin-1')}"


class DataField(typing.NamedTuple):
    """A field of a form."""

    name: str
    value: str | bytes


class FileField(typing.NamedTuple):
    """A file of a form, with the headers of its part."""

    name: str
    filename: str | None
    file: typing.Any
    headers: dict[str, str]


class MultipartStream(SyncByteStream, AsyncByteStream):
    """The fields in `data` and the files in `files` as multipart/form-data, the fields first.

    Bytes are sent as they are, files and iterables as they are read. A file goes out from its beginning, each time the
    stream is iterated; what cannot go back to its beginning can be sent once, then `StreamConsumed` is raised.

    Raises `TypeError` for names and values of a wrong kind, `LocalProtocolError` for part headers that would break out of
    their line. `fields` is what it is made of.
    """

    def __init__(
        self, data: Mapping[str, typing.Any] | None = None, files: RequestFiles | None = None, boundary: bytes | None = None
    ) -> None:
        self.boundary = boundary or os.urandom(16).hex().encode("ascii")
        self.content_type = f"multipart/form-data; boundary={self.boundary.decode('latin-1')}"
        self.fields: list[DataField | FileField] = [*_data_fields(data or {}), *_file_fields(files or {})]
        self._parts = [_data_part(field) if isinstance(field, DataField) else _file_part(field) for field in self.fields]
        self._is_async = any(part.is_async for part in self._parts)

    @property
    def reads_files(self) -> bool:
        """Whether iterating reads files or runs a caller's iterator: not to be done on an event loop."""
        return not self._is_async and any(part.reader is not None for part in self._parts)

    @property
    def can_repeat(self) -> bool:
        """Whether it can be iterated once more: whether every file can go back to its beginning."""
        return all(part.reader is None or part.reader.can_repeat for part in self._parts)

    def content_length(self) -> int | None:
        """The length of the whole, None if that of a part is not known."""
        length = len(self.boundary) + 6
        for part in self._parts:
            if part.length is None:
                return None
            length += len(self.boundary) + 4 + len(part.head) + part.length + 2
        return length

    def __iter__(self) -> Iterator[bytes]:
        if self._is_async:
            raise RuntimeError("Attempted to send an async request with a sync Client instance: a file of its form is async.")
        gathered = bytearray()
        for part in self._parts:
            gathered += self._opening(part)
            for chunk in part.content if part.reader is None else typing.cast(FileReader, part.reader):
                if len(gathered) + len(chunk) > _PIECE:
                    yield bytes(gathered)
                    gathered.clear()
                if len(chunk) >= _PIECE:
                    yield chunk
                else:
                    gathered += chunk
            gathered += b"\r\n"
        yield bytes(gathered + self._closing())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not self._is_async:
            for piece in self:
                yield piece
            return
        for part in self._parts:
            yield self._opening(part)
            if isinstance(part.reader, AsyncFileReader):
                async with contextlib.aclosing(part.reader.__aiter__()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            else:
                for chunk in part.content if part.reader is None else part.reader:
                    yield chunk
            yield b"\r\n"
        yield self._closing()

    def _opening(self, part: _Part) -> bytes:
        return b"--%b\r\n%b" % (self.boundary, part.head)

    def _closing(self) -> bytes:
        return b"--%b--\r\n" % self.boundary


class _Part(typing.NamedTuple):
    # One part: its header block with the empty line, and either its content or what reads it.
    head: bytes
    content: tuple[bytes, ...]
    reader: FileReader | AsyncFileReader | None
    length: int | None

    @property
    def is_async(self) -> bool:
        return isinstance(self.reader, AsyncFileReader)


def _data_fields(data: Mapping[str, typing.Any]) -> Iterator[DataField]:
    for name, value in data.items():
        if not isinstance(name, str):
            raise TypeError(f"Invalid type for name. Expected str, got {type(name)}: {name!r}")
        for item in value if isinstance(value, (list, tuple)) else (value,):
            yield DataField(name, _field_value(item))


def _field_value(value: object) -> str | bytes:
    if isinstance(value, (str, bytes)):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise TypeError(f"Invalid type for value. Expected primitive type, got {type(value)}: {value!r}")


def _data_part(field: DataField) -> _Part:
    content = field.value if isinstance(field.value, bytes) else field.value.encode("utf-8")
    return _Part(_head(field.name, None, {}), (content,), None, len(content))


def _file_fields(files: RequestFiles) -> Iterator[FileField]:
    for name, value in files.items() if isinstance(files, Mapping) else files:
        if not isinstance(name, str):
            raise TypeError(f"Invalid type for name. Expected str, got {type(name)}: {name!r}")
        for item in value if isinstance(value, list) else (value,):
            yield _file_field(name, item)


def _file_field(name: str, value: typing.Any) -> FileField:
    # value: content, or (filename, content[, content_type[, headers]]).
    content_type: str | None = None
    headers: Mapping[str, str] = {}
    if not isinstance(value, tuple):
        content, filename = value, _name_of(value)
    elif len(value) == 2:
        filename, content = value
    elif len(value) == 3:
        filename, content, content_type = value
    elif len(value) == 4:
        filename, content, content_type, headers = value
    else:
        raise ValueError(f"The file {name!r} is a tuple of {len(value)} items, where two to four are wanted: name, content, type, headers.")
    fields = dict(headers or {})
    if not any(field.lower() == "content-type" for field in fields):
        if content_type is None and filename:
            content_type = _guess_content_type(filename)
        if content_type is not None:
            fields["Content-Type"] = content_type
    return FileField(name, filename, content, fields)


def _file_part(field: FileField) -> _Part:
    head = _head(field.name, field.filename, field.headers)
    content = field.file
    if isinstance(content, (str, bytes, bytearray, memoryview)):
        body = content.encode("utf-8") if isinstance(content, str) else bytes(content)
        return _Part(head, (body,), None, len(body))
    if is_async_file(content):
        return _Part(head, (), AsyncFileReader(content, start=0), None)
    if isinstance(content, io.StringIO):
        raise TypeError("Multipart file uploads require 'io.BytesIO', not 'io.StringIO'.")
    if isinstance(content, io.TextIOBase):
        raise TypeError("Multipart file uploads must be opened in binary mode, not text mode.")
    if hasattr(content, "read") or isinstance(content, (Iterable, os.PathLike)):
        return _Part(head, (), FileReader(content, start=0), total_length(content))
    raise TypeError(
        f"The content of the file {field.name!r} is bytes, a str, a file, a path, or an iterable of bytes, not {type(content).__name__}."
    )


def _name_of(file: object) -> str:
    name = os.fspath(file) if isinstance(file, os.PathLike) else getattr(file, "name", None)
    if not isinstance(name, (str, bytes)) or isinstance(file, AsyncIterable):
        return "upload"
    return os.path.basename(os.fsdecode(name)) or "upload"


def _guess_content_type(filename: str) -> str:
    import mimetypes

    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _head(name: str, filename: str | None, fields: Mapping[str, str]) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{_escape(name)}"'
    if filename:
        disposition += f'; filename="{_escape(filename)}"'
    lines = [disposition]
    for field, value in fields.items():
        if not isinstance(field, str) or not isinstance(value, str):
            raise TypeError(f"The headers of the file {name!r} are pairs of str: not {field!r}.")
        if _FIELD_NAME.match(field) is None:
            raise LocalProtocolError(f"Illegal header name {field!r}, among those of the file {name!r}.")
        if _FIELD_CONTROLS.search(value):
            raise LocalProtocolError(f"Illegal header value: {field} of the file {name!r} holds a line break or another control character.")
        lines.append(f"{field}: {value}")
    return "\r\n".join([*lines, "\r\n"]).encode("utf-8")


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
