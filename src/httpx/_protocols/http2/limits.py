"""What an HTTP/2 peer may ask of us, all in one place. The reasons are in docs/http2.md."""

from __future__ import annotations

STREAM_WINDOW = 4 * 1024 * 1024
"""Bytes of one response that may arrive before they are read. Bounds the memory of a response whose reader is slow."""

CONNECTION_WINDOW = 2**30
"""The same for all responses of a connection: so large that those which nobody reads never hold up the others."""

MAX_HEADER_LIST_SIZE = 262_144
"""Bytes of one block of header fields, each field counted with 32 more (RFC 9113 section 6.5.2). Told to the peer. As in HTTP/1.1."""

MAX_FIELDS = 500
"""Header fields in one block."""

MAX_CONTINUATIONS = 16
"""CONTINUATION frames of one block of header fields."""

MAX_SETTINGS = 32
"""Entries in one SETTINGS frame."""

MAX_QUEUED_REPLIES = 1_000
"""Acknowledgements of PING and SETTINGS that may wait to be sent."""

MAX_STRAY_RESETS = 1_000
"""RST_STREAM frames for streams that are over, beside one for each stream that there was."""

MAX_USELESS = 1_048_576
"""Bytes of frames in a row that are of no use to any stream: window updates while nothing is sent, answers to no PING, padding."""

MAX_INFORMATIONAL = 16
"""Informational (1xx) responses that may precede a final one."""

GLITCH_BURST, GLITCH_RATE = 20_000, 2_000
"""Frames that make no sense but are not errors: so many at once, and so many per second after that.

Among them are the answers that are under way when a program cancels its requests, and it may cancel thousands at once."""

MAX_REQUEST_HEAD_SIZE = 1_048_576
"""Bytes of the header fields of a request, before they are compressed."""

INITIAL_MAX_STREAMS = 100
"""Streams at a time that the library sends before the peer has said how many it takes; the pool begins one."""

UNLIMITED_STREAMS = 2**31 - 1
"""Streams at a time if the peer's settings say nothing of it (RFC 9113 section 6.5.2): as many as there are numbers for."""
