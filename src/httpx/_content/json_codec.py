"""JSON as the standard library's `json` has it, for less: the same values, the same bytes, the same errors.

Around its parser and its writer, which are in C, `json` does the same things for every document. They are done once here. With the
package jiter (the extra `speed`) documents are read by that. Whatever it, or what is below, does not take goes to `json` itself.
"""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable

Reader = Callable[[bytes], typing.Any]

_MAX_DIGITS = 4300  # of an integer; what jiter has built in, and what Python has unless a program says otherwise


def decode(content: bytes) -> typing.Any:
    """What `json.loads(content)` gives, or raises."""
    try:
        return (fast_reader() if sys.get_int_max_str_digits() == _MAX_DIGITS else plain_reader())(content)
    except Exception:  # `json` knows more encodings, and what to say of that which is none of JSON's
        pass
    from json import loads

    return loads(content)


@functools.cache
def fast_reader() -> Reader:
    """jiter, if it is installed. It takes less than `json` does, and what it takes has the same value."""
    try:
        from jiter import from_json
    except ImportError:
        return plain_reader()
    return functools.partial(from_json, cache_mode="keys")  # values may be secrets, and this cache is for ever


@functools.cache
def plain_reader() -> Reader:
    """The parser of `json`, for documents in UTF-8 that begin with their value."""
    from json import JSONDecoder

    scan: Callable[[str, int], tuple[typing.Any, int]] = JSONDecoder().scan_once  # type: ignore[attr-defined]

    def read(content: bytes) -> typing.Any:
        text = content.decode("utf-8")
        value, end = scan(text, 0)
        if end < len(text) and text[end:].strip(" \t\n\r"):
            raise ValueError("There is more than one value.")
        return value

    return read


def encode(value: typing.Any) -> bytes:
    """What `json.dumps` makes of a value, in UTF-8, without spaces. Raises `ValueError` for NaN and infinities: JSON has none."""
    plain, make, quote = _writer()
    if make is None:
        return str(plain.encode(value)).encode("utf-8")
    # What `plain.encode` does, without the steps in between. The dictionary is where the writer notes what it is within.
    write = make({}, plain.default, quote, None, ":", ",", False, False, False)
    return "".join(write(value, 0)).encode("utf-8")


@functools.cache
def _writer() -> tuple[typing.Any, typing.Any, typing.Any]:
    # The encoder that HTTPX has always had, and how it makes a writer: that is not documented, so it may be another one some day.
    from json import JSONEncoder, encoder

    plain = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    make, quote = getattr(encoder, "c_make_encoder", None), getattr(encoder, "encode_basestring", None)
    try:
        written = make({}, plain.default, quote, None, ":", ",", False, False, False)({"a": [1.5, "é", None]}, 0)  # type: ignore[misc]
        return plain, make if "".join(written) == '{"a":[1.5,"é",null]}' else None, quote
    except Exception:
        return plain, None, quote
