"""The grammar of WWW-Authenticate (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import contextlib
import time

import pytest

from httpx._auth.challenges import Malformed, parse_challenges


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        (" , ,", []),
        ("Basic", [("basic", {}, None)]),
        ('Basic realm="a, b"', [("basic", {"realm": "a, b"}, None)]),
        ("Negotiate abc+/==", [("negotiate", {}, "abc+/==")]),
        ("Negotiate, Basic realm=x", [("negotiate", {}, None), ("basic", {"realm": "x"}, None)]),
        ('A b=1, c = "2" , D, E f="\\"\\\\"', [("a", {"b": "1", "c": "2"}, None), ("d", {}, None), ("e", {"f": '"\\'}, None)]),
        ("A b=1, b=2", [("a", {"b": "1"}, None)]),
        ('A b=""', [("a", {"b": ""}, None)]),
    ],
)
def test_challenges_are_told_apart(value, found):
    assert [tuple(challenge) for challenge in parse_challenges(value)] == found


@pytest.mark.parametrize("value", ['Basic realm="x', "Basic realm=x y", "=", "Basic realm=x;", 'a b="c"d', "\x00"])
def test_what_breaks_the_grammar_is_malformed(value):
    with pytest.raises(Malformed):
        parse_challenges(value)


def test_challenges_before_the_break_are_kept():
    with pytest.raises(Malformed) as caught:
        parse_challenges('Basic realm="x", Digest realm="y')
    assert [challenge.scheme for challenge in caught.value.challenges] == ["basic"]


@pytest.mark.parametrize(
    "value",
    [
        "Basic " + "," * 60_000,
        "Basic " + "\xa0" * 60_000,
        'Digest realm="' + "\\" * 60_000,
        "a" * 60_000 + "=",
        ", ".join(f'A{number} b="c"' for number in range(10_000)),
        "A " + "b=c, " * 20_000,
        "A " + " " * 60_000 + "x y",
        'A b="' + 'x",' * 20_000,
    ],
)
def test_reading_takes_no_longer_than_the_list_is_long(value):
    started = time.process_time()
    with contextlib.suppress(Malformed):
        parse_challenges(value)
    assert time.process_time() - started < 2  # what is quadratic takes minutes
