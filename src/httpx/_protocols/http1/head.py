"""The grammar of a response head (RFC 9112 sections 2 to 5), enforced by two regular expressions.

A head is looked at once, when it is complete. Each field line must match from its first byte to its last: the pattern
is anchored at the line break before it, and the matches are counted against the line breaks, so that nothing between
two matches can go unnoticed. What is malformed is an error, never skipped and never repaired.

The one leniency: a head whose lines all end in a bare LF (RFC 9112 section 2.2 lets a recipient take it) is accepted,
if it holds no CR at all. The engine does not reuse such a connection.
"""

from __future__ import annotations

import re
import typing

from ..._exceptions import RemoteProtocolError

MAX_HEAD_SIZE = 262_144
"""Bytes that the head of a response, or its trailer section, may have."""

MAX_LINE_SIZE = 65_536
"""Bytes that one line of a head may have."""

MAX_FIELDS = 500
"""Field lines that one head may have."""

# status-line = HTTP-version SP status-code SP [ reason-phrase ]; many servers leave out the second SP with the phrase.
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*+))?(?=\r\n)")

# field-line = field-name ":" OWS field-value OWS, with the line break that precedes it.
_FIELD_LINE = re.compile(rb"\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[\t ]*+([\t\x20-\x7e\x80-\xff]*+)(?=\r\n)")

Fields = list[tuple[bytes, bytes]]


class ResponseHead(typing.NamedTuple):
    """A parsed head: `by_name` maps each lower-case name to its value, several values joined by `, `."""

    http_version: bytes
    status_code: int
    reason_phrase: bytes
    fields: Fields
    by_name: dict[bytes, bytes]
    ends_lines_bare: bool


class HeadReader:
    """Collects bytes until a head is complete, wherever the network cuts them."""

    __slots__ = ("_scanned",)

    def __init__(self) -> None:
        self._scanned = 0

    def read(self, buffer: bytes | bytearray) -> tuple[ResponseHead, int] | None:
        """The head at the start of `buffer` and its length, or None if more bytes are needed."""
        status_line = _STATUS_LINE.match(buffer)
        if status_line is None:
            return self._read_without_status_line(buffer)
        start = status_line.end()
        end = buffer.find(b"\r\n\r\n", max(self._scanned - 3, start))
        if end < 0:
            _check_size(buffer)
            self._scanned = len(buffer)
            return None
        self._scanned = 0
        if end > MAX_LINE_SIZE:
            _check_size(buffer[:end])
        minor, status, reason = status_line.groups(b"")
        fields, by_name = parse_fields(buffer, start, end + 2)
        return ResponseHead(b"HTTP/1.1" if minor == b"1" else b"HTTP/1.0", int(status), reason, fields, by_name, False), end + 4

    def _read_without_status_line(self, buffer: bytes | bytearray) -> tuple[ResponseHead, int] | None:
        # The line is not complete, or malformed, or ends in a bare line feed.
        if buffer[:7] != b"HTTP/1.":
            _require_prefix(buffer)
            return None
        first_break = buffer.find(b"\n", 0, MAX_LINE_SIZE)
        if first_break < 0:
            _check_size(buffer)
            return None
        if buffer[first_break - 1] == 13:
            raise RemoteProtocolError(f"The response has a malformed status line: {excerpt(buffer)}")
        end = buffer.find(b"\n\n")
        if end < 0:
            _check_size(buffer)
            return None
        if b"\r" in buffer[:end]:
            raise RemoteProtocolError(f"The head of the response mixes line breaks: {excerpt(buffer)}")
        found = HeadReader().read(bytes(buffer[: end + 2]).replace(b"\n", b"\r\n"))
        if found is None or found[0].ends_lines_bare:
            raise RemoteProtocolError(f"The response has a malformed status line: {excerpt(buffer)}")
        return found[0]._replace(ends_lines_bare=True), end + 2


def parse_fields(block: bytes | bytearray, start: int, end: int) -> tuple[Fields, dict[bytes, bytes]]:
    """Parse field lines, each preceded by a CRLF, the last one followed by one. Raises `RemoteProtocolError`."""
    fields = _FIELD_LINE.findall(block, start, end)
    if len(fields) != block.count(b"\r\n", start, end) - 1:
        raise RemoteProtocolError(_describe_bad_line(block[start:end]))
    if len(fields) > MAX_FIELDS:
        raise RemoteProtocolError(f"The response has {len(fields)} header fields; at most {MAX_FIELDS} are accepted.")
    if block.find(b" \r\n", start, end) >= 0 or block.find(b"\t\r\n", start, end) >= 0:
        fields = [(name, value.rstrip(b" \t")) for name, value in fields]
    by_name = {name.lower(): value for name, value in fields}
    if len(by_name) != len(fields):
        by_name = {}
        for name, value in fields:
            key = name.lower()
            by_name[key] = by_name[key] + b", " + value if key in by_name else value
    return fields, by_name


def excerpt(data: bytes | bytearray, size: int = 64) -> str:
    """The beginning of bytes from a peer, safe to show: escaped and cut (a log line must not be forged by a server)."""
    text = repr(bytes(data[:size]))
    return text if len(data) <= size else text + "..."


def _require_prefix(buffer: bytes | bytearray) -> None:
    # Tells at the first byte that a peer speaks something else, instead of waiting for more of it.
    if b"HTTP/1.".startswith(buffer):
        return
    if buffer[:2] == b"\x15\x03" or buffer[:2] == b"\x16\x03":
        raise RemoteProtocolError("The server answered a plain HTTP request with TLS: use https:// for this port.")
    if len(buffer) == 1 and buffer[:1] in (b"\x15", b"\x16"):
        return
    raise RemoteProtocolError(f"The server's answer is not an HTTP/1.1 response: {excerpt(buffer)}")


def _check_size(head: bytes | bytearray) -> None:
    if len(head) > MAX_HEAD_SIZE:
        raise RemoteProtocolError(f"The head of the response is larger than {MAX_HEAD_SIZE} bytes.")
    if len(head) <= MAX_LINE_SIZE:
        return
    if len(head) - head.rfind(b"\n") > MAX_LINE_SIZE or max(map(len, head.split(b"\n"))) > MAX_LINE_SIZE:
        raise RemoteProtocolError(f"A line in the head of the response is longer than {MAX_LINE_SIZE} bytes.")


def _describe_bad_line(block: bytes | bytearray) -> str:
    for line in bytes(block[2:-2]).split(b"\r\n"):
        if _FIELD_LINE.match(b"\r\n" + line + b"\r\n") is None:
            return f"The response has a malformed header line: {excerpt(line)}"
    return "The response has a malformed header line."
