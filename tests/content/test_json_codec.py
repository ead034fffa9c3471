"""JSON is what `json` makes of it, whoever reads and writes it."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import json
import math
import struct
import sys
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import httpx
from httpx._content import json_codec
from httpx._content.json_codec import decode, encode

try:
    import jiter
except ImportError:  # a platform that it does not come for
    jiter = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def forget_choices():
    yield
    json_codec.fast_reader.cache_clear()
    json_codec._writer.cache_clear()


def outcome(function, *arguments):
    """What a function gives or raises, in a form that differs where anything about it does: types, signs of zero, order, words."""
    try:
        return exactly(function(*arguments))
    except Exception as error:
        return type(error), str(error), getattr(error, "pos", None)


def exactly(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("d", value)
    if isinstance(value, dict):
        return [(exactly(key), exactly(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [exactly(item) for item in value], list
    return value, type(value)


def check_reading(document: bytes) -> None:
    """`decode` does as `json.loads` does, with and without jiter."""
    expected = outcome(json.loads, document)
    for package in (None, jiter):
        with mock.patch.dict(sys.modules, jiter=package):
            json_codec.fast_reader.cache_clear()
            assert outcome(decode, document) == expected, f"with {package}"


# What parsers differ in, after the collection of Nicolas Seriot, "Parsing JSON is a minefield".
NUMBERS = (
    *("0", "-0", "0.0", "-0.0", "-0e0", "1E5", "1e+05", "0.1", "1e400", "-1e400", "1e-400", "0e999999999999", "1e" + "9" * 30),
    *("5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "0." + "0" * 400 + "1"),
    *("1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993", "9007199254740993.0", "123456789012345678901234567890.5"),
    *("18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "1" * 5000 + ".0"),
    *(sign + "1" * count for sign in ("", "-") for count in (100, 4299, 4300, 4301, 5000)),
    *("NaN", "Infinity", "-Infinity", "-NaN", "nan", "Inf", "+1", "01", "-01", "-", "--1", "1.", ".5", "1.e3", "1e", "1e+", "0x1", "1_0"),
)
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
ESCAPES = r"\ud800 \udc00 \ud800\udc00 \ud83d\u0041 \uD83D\uDE00 \u0000 \x \u12 \u+123 \u12_3 \/ \' \b\f\n\r\t \""
IN_STRINGS = (b"\xed\xa0\x80", b"\xff", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x00", b"\x1f", b"\x7f", b"\n", b"\t", "é😀\u2028".encode())
DOCUMENTS = [
    *(number.encode() for number in NUMBERS),
    *(text.encode(encoding) for text in ("[1, {}]", "1") for encoding in ENCODINGS),
    *(b'"%b"' % text for text in (*ESCAPES.encode().split(), *IN_STRINGS)),
    *(b'{"a": 1, "b": 2, "a": 3}', b'{"b": {"a": []}, "a": {"b": {}}}', b'{"": 1}', rb'{"\ud800": 1}', rb'{"a\u0000": 1}'),
    *(b" 1", b"1\n", b"\t[1 ,\r\n2 ]\r\n", b"\x0b1", b"1\x0c", b"\xc2\xa01", b"[1]\xc2\xa0", b"1\x00", b"1 2", b"{}{}", b"[]]"),
    *(b"", b" ", b"nul", b"nulls", b"null", b"true ", b"False", b"[1,]", b"[,1]", b"[1 2]", b'{"a":1,}', b'{"a"}', b"{a:1}", b"{1:1}"),
    *(b"'a'", b'"abc', b'["abc"', b'{"a":', b"[", b"]", b"{", b"}", b"//\n1", b"/**/1", b"# 1\n1"),
    *(b"[" * depth + b"]" * depth for depth in (150, 199, 200, 201, 250, 500)),
    b'{"a":' * 250 + b"1" + b"}" * 250,
    b'["' + b"a" * 100_000 + b'", "' + rb"\u00e9" * 1000 + b'"]',
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: repr(document[:24]))
def test_a_document_has_the_value_or_the_error_that_json_gives(document):
    check_reading(document)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(max_codepoint=0x7F)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)
spaces = st.text(" \t\n\r", max_size=2)
octets = st.sampled_from(list(b'{}[]:,"\\0123456789.-+eEu \x00\xff\xed'))


@given(values, st.booleans(), spaces, spaces)
def test_any_document_has_the_value_that_json_gives(value, ascii_only, before, after):
    check_reading((before + json.dumps(value, ensure_ascii=ascii_only) + after).encode("utf-8", "surrogatepass"))


@given(values, st.lists(st.tuples(st.integers(0), st.booleans(), octets), min_size=1, max_size=3))
def test_any_document_that_was_damaged_has_the_outcome_that_json_gives(value, damages):
    document = bytearray(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for place, in_place, octet in damages:
        start = place % (len(document) + 1)
        document[start : start + in_place] = bytes([octet])
    check_reading(bytes(document))


@given(st.from_regex(rb"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", fullmatch=True))
def test_any_number_is_the_one_that_json_gives(number):
    check_reading(number)


@pytest.mark.parametrize("limit", [640, 10_000, 0])
def test_a_program_decides_how_many_digits_an_integer_may_have(limit):
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        for digits in (640, 641, 4301, 10_001):
            check_reading(b"1" * digits)
    finally:
        sys.set_int_max_str_digits(before)


def test_a_response_is_read_by_json_if_the_caller_has_wishes():
    response = httpx.Response(200, content=b'{"price": 1.10, "n": [1]}')
    assert response.json() == {"price": 1.1, "n": [1]}
    assert response.json(parse_float=decimal.Decimal)["price"] == decimal.Decimal("1.10")
    assert type(response.json(object_pairs_hook=collections.OrderedDict)) is collections.OrderedDict


def test_what_is_no_json_is_an_error_of_json_alone():
    with pytest.raises(json.JSONDecodeError, match="Expecting value: line 1 column 2") as caught:
        httpx.Response(200, content=b" <html>").json()
    assert type(caught.value.__context__) is StopIteration  # that of `json` itself
    assert caught.value.__context__.__context__ is None


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Words(str):
    pass


class Mapping(dict):  # type: ignore[type-arg]
    pass


def dumped(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


circle: list[Any] = [1]
circle.append({"within": circle})

VALUES = [
    *(None, True, "text", "", 'é😀\u2028\x7f"\\/\b\f\n\r\t\x00\x1f', "\ud800"),
    *(0, -1, 2**70, 10**5000, 1.5, -0.0, 1e16, 1e-5, 1e300, 5e-324, 123456789012345680.0, math.nan, math.inf, [-math.inf]),
    *([], {}, [[], {}], (1, (2,)), {"a": {"b": [None, True, False]}}, {1: 2, 1.5: 3, None: 4, False: 5}, {"a": math.nan}, {math.nan: 1}),
    *(Mapping(a=1), collections.OrderedDict(b=1), Words("w"), {Words("k"): Words("v")}, Number.ONE, {"a": Number.ONE}),
    *(b"bytes", {1, 2}, object, Colour.RED, {Colour.RED: 1}, {(1, 2): 3}, {"a": [1, {"b": b"c"}]}),
    *(datetime.date(2026, 1, 1), decimal.Decimal(1), circle),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_written_as_json_writes_it(value):
    assert outcome(encode, value) == outcome(dumped, value)


@pytest.mark.parametrize("maker", [None, lambda *arguments: None, lambda *arguments: lambda value, level: ["{}"]])
def test_values_are_written_where_the_standard_library_lacks_what_is_used_of_it(maker, monkeypatch):
    json_codec._writer.cache_clear()
    plain = json.encoder.c_make_encoder
    monkeypatch.setattr("json.encoder.c_make_encoder", maker)
    _, make, _ = json_codec._writer()
    assert make is None
    monkeypatch.setattr("json.encoder.c_make_encoder", plain)
    assert encode({"a": [1.5, "é"]}) == '{"a":[1.5,"é"]}'.encode()


@given(values)
def test_any_value_is_written_as_json_writes_it(value):
    assert outcome(encode, value) == outcome(dumped, value)


def test_a_type_that_a_program_teaches_json_is_written(monkeypatch):
    assert httpx.Request("POST", "http://a", json={"a": 1}).content == b'{"a":1}'
    monkeypatch.setattr(json.JSONEncoder, "default", lambda self, value: str(value))
    assert httpx.Request("POST", "http://a", json=[datetime.date(2026, 1, 2)]).content == b'["2026-01-02"]'
