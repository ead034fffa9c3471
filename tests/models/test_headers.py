"""Header fields: a multi-dict that keeps order and case, and gives names to those who ask in any."""

from __future__ import annotations

import copy
import pickle

import pytest

import httpx

FIELDS = [("A", "1"), ("a", "2"), ("B", "3, 4")]


@pytest.mark.parametrize(
    ("source", "raw"),
    [
        (None, []),
        ({}, []),
        ({"A": "1"}, [(b"A", b"1")]),
        ({b"A": b"1"}, [(b"A", b"1")]),
        (FIELDS, [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]),
        (tuple(FIELDS), [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]),
        (httpx.Headers(FIELDS), [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]),
    ],
)
def test_headers_are_made_from_mappings_and_pairs(source, raw):
    assert httpx.Headers(source).raw == raw


@pytest.mark.parametrize("source", [{"a": 1}, {"a": None}, {"a": ["1"]}, {1: "a"}, {None: "a"}])
def test_names_and_values_are_text_or_bytes(source):
    with pytest.raises(TypeError, match="str or bytes"):
        httpx.Headers(source)
    with pytest.raises(TypeError):
        httpx.Headers()["a"] = 1


def test_names_are_looked_up_in_any_case():
    headers = httpx.Headers(FIELDS)
    assert headers["a"] == headers["A"] == "1, 2"
    assert "B" in headers
    assert "b" in headers
    assert "c" not in headers
    assert 3 not in headers
    with pytest.raises(KeyError, match="'C'"):
        headers["C"]


def test_values_of_one_name_are_joined_or_told_apart():
    headers = httpx.Headers(FIELDS)
    assert (list(headers), list(headers.keys()), dict(headers)) == (["a", "b"], ["a", "b"], {"a": "1, 2", "b": "3, 4"})
    assert (list(headers.values()), list(headers.items())) == (["1, 2", "3, 4"], [("a", "1, 2"), ("b", "3, 4")])
    assert headers.multi_items() == [("a", "1"), ("a", "2"), ("b", "3, 4")]
    assert (headers.get_list("a"), headers.get_list("B"), headers.get_list("c")) == (["1", "2"], ["3, 4"], [])
    assert headers.get_list("b", split_commas=True) == ["3", "4"]
    assert (headers.get("A"), headers.get("c"), headers.get("c", "?"), len(headers)) == ("1, 2", None, "?", 3)


def change(headers, how):
    how(headers)
    return headers.raw


@pytest.mark.parametrize(
    ("how", "raw"),
    [
        (lambda headers: headers.__setitem__("a", "9"), [(b"a", b"9"), (b"B", b"3, 4")]),
        (lambda headers: headers.__setitem__("C", "9"), [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4"), (b"C", b"9")]),
        (lambda headers: headers.__delitem__("a"), [(b"B", b"3, 4")]),
        (lambda headers: headers.update({"A": "7", "D": "8"}), [(b"B", b"3, 4"), (b"A", b"7"), (b"D", b"8")]),
        (lambda headers: headers.update([("b", "7"), ("B", "8")]), [(b"A", b"1"), (b"a", b"2"), (b"b", b"7"), (b"B", b"8")]),
        (lambda headers: headers.update(None), [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]),
        (lambda headers: headers.pop("a"), [(b"B", b"3, 4")]),
        (lambda headers: headers.setdefault("a", "9"), [(b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]),
        (lambda headers: headers.clear(), []),
    ],
)
def test_fields_are_changed_in_place(how, raw):
    assert change(httpx.Headers(FIELDS), how) == raw


def test_what_is_not_there_cannot_be_deleted():
    with pytest.raises(KeyError, match="'c'"):
        del httpx.Headers(FIELDS)["c"]


def test_headers_are_equal_by_name_and_value():
    headers = httpx.Headers(FIELDS)
    assert headers == httpx.Headers([("b", "3, 4"), ("A", "1"), ("A", "2")]) == FIELDS
    assert headers != {"a": "1, 2", "b": "3, 4"}
    assert headers != httpx.Headers(FIELDS[:2])
    assert headers != 3
    with pytest.raises(TypeError):
        hash(headers)


def test_a_merge_takes_the_values_of_the_right_side():
    headers = httpx.Headers(FIELDS)
    assert (headers | {"A": "9"}).raw == [(b"B", b"3, 4"), (b"A", b"9")]
    assert ({"A": "9", "C": "1"} | headers).raw == [(b"C", b"1"), (b"A", b"1"), (b"a", b"2"), (b"B", b"3, 4")]
    assert headers.raw == httpx.Headers(FIELDS).raw
    same = headers
    headers |= [("b", "5")]
    assert same is headers
    assert headers["b"] == "5"
    for other in (3, "a"):
        with pytest.raises(TypeError):
            headers | other
        with pytest.raises(TypeError):
            other | headers
        with pytest.raises(TypeError):
            headers |= other


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, httpx.Headers.copy, httpx.Headers, lambda h: pickle.loads(pickle.dumps(h))]
)
def test_a_copy_is_independent(duplicate):
    headers = httpx.Headers(FIELDS)
    copied = duplicate(headers)
    assert copied.raw == headers.raw
    copied["a"] = "9"
    assert headers["a"] == "1, 2"


@pytest.mark.parametrize(
    ("value", "encoding"), [(b"a", "ascii"), ("é".encode(), "utf-8"), (b"\xe9", "iso-8859-1")]
)  # fmt: skip
def test_bytes_are_read_as_what_they_can_be(value, encoding):
    headers = httpx.Headers({b"A": value})
    assert headers.encoding == encoding
    assert headers["a"] == value.decode(encoding)
    assert (f"encoding={encoding!r}" in repr(headers)) == (encoding != "ascii")


def test_the_encoding_can_be_given_and_changed():
    headers = httpx.Headers({"a": "é"}, encoding="utf-8")
    assert headers.raw == [(b"a", b"\xc3\xa9")]
    headers.encoding = "iso-8859-1"
    assert headers["a"] == "Ã©"
    with pytest.raises(UnicodeEncodeError):
        httpx.Headers({"a": "é"})


def test_secrets_are_not_shown():  # X4
    names = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token"]
    shown = repr(httpx.Headers([*((name, "SECRET") for name in names), ("Accept", "*/*")]))
    assert "SECRET" not in shown
    assert "'accept': '*/*'" in shown
    assert "SECRET" not in repr(httpx.Headers([("Set-Cookie", "a=SECRET1"), ("Set-Cookie", "b=SECRET2")]))


@pytest.mark.parametrize(
    ("headers", "hint"),
    [({"X-Name": "Zoë"}, "the value of 'X-Name' as bytes"), ([("Zoë", "x")], "Header names are ASCII")],
    ids=["value", "name"],
)
def test_text_beyond_ascii_is_refused_with_what_to_do_about_it(headers, hint):
    with pytest.raises(UnicodeEncodeError, match=f"ordinal not in range\\(128\\).*{hint}"):
        httpx.Headers(headers)
