"""Requests are serialized so that nothing a caller gives can break out of its line (RFC 9112 section 3)."""

from __future__ import annotations

import pytest

from httpx import LocalProtocolError
from httpx._protocols.http1.serialize import check_target, serialize_chunk, serialize_fields, serialize_head


def test_a_head_is_a_request_line_and_field_lines() -> None:
    fields = serialize_fields([(b"Host", b"example.org"), (b"X-Empty", b"")])
    assert serialize_head("GET", b"/a?b", fields) == b"GET /a?b HTTP/1.1\r\nHost: example.org\r\nX-Empty: \r\n\r\n"


@pytest.mark.parametrize("value", [b"a\r\nInjected: yes", b"a\nb", b"a\rb", b"a\0b", b"a\x0bb", b"a\x7fb"])
def test_values_with_control_characters_are_refused_and_not_shown(value: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="X-A") as caught:
        serialize_fields([(b"X-A", value)])
    assert "Injected" not in str(caught.value)


def test_tabs_and_latin_1_are_allowed_in_values() -> None:
    assert serialize_fields([(b"A", b"a\tb\xe9")]) == b"A: a\tb\xe9\r\n"


@pytest.mark.parametrize("name", [b"", b"X A", b"X:", b"X\r\nB", "é".encode(), b"X\n"])
def test_names_that_are_no_tokens_are_refused(name: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="header name"):
        serialize_fields([(name, b"a")])


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\nInjected: yes\r\nX:", "GET /evil HTTP/1.1 X", "", "GÉT", "GET\n"])
def test_methods_that_are_no_tokens_are_refused(method: str) -> None:
    with pytest.raises(LocalProtocolError, match="method"):
        serialize_head(method, b"/", b"")


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nInjected: yes", b"/\xe9", b""])
def test_targets_with_white_space_or_other_than_ascii_are_refused(target: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="target"):
        check_target(target)


def test_a_chunk_says_its_size_in_hexadecimal() -> None:
    assert serialize_chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
