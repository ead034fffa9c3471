"""The parts of a request as people write them: `name=value` and the like."""

from __future__ import annotations

import pytest

from httpx._cli.items import BadItem, parse_items, split


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("name=value", ("name", "=", "value")),
        ("name=", ("name", "=", "")),
        ("name==value", ("name", "==", "value")),
        ("name:value", ("name", ":", "value")),
        ("name:=1", ("name", ":=", "1")),
        ("name:=@data.json", ("name", ":=@", "data.json")),
        ("name=@text.txt", ("name", "=@", "text.txt")),
        ("name@file.png", ("name", "@", "file.png")),
        ("@body.json", ("", "@", "body.json")),
        ("name;", ("name", ";", "")),
        # The first separator counts, whatever follows it.
        ("mail=me@example.org", ("mail", "=", "me@example.org")),
        ("X-Time:12:30=noon", ("X-Time", ":", "12:30=noon")),
        ("sum=1=1", ("sum", "=", "1=1")),
        ("a;b=c", ("a;b", "=", "c")),
        # A backslash makes it an ordinary character.
        (r"a\=b=c", ("a=b", "=", "c")),
        (r"a\:b:c", ("a:b", ":", "c")),
        (r"a\\=c", ("a\\", "=", "c")),
        ("nothing", ("nothing", "", "")),
    ],
)
def test_a_word_is_split_at_its_first_separator(word, parts):
    assert split(word) == parts


def test_items_are_sorted_by_what_they_say(tmp_path):
    (tmp_path / "note.txt").write_text("a note")
    (tmp_path / "list.json").write_text("[1, 2]")
    items = parse_items(
        [
            "X-Tag:a",
            "Accept:",
            "X-Empty;",
            "q==red",
            "q==blue",
            "name=pen",
            "price:=2.50",
            f"note=@{tmp_path}/note.txt",
            f"sizes:=@{tmp_path}/list.json",
            "photo@a.png;type=image/png",
        ]
    )
    assert items.headers == [("X-Tag", "a"), ("Accept", None), ("X-Empty", "")]
    assert items.params == [("q", "red"), ("q", "blue")]
    assert items.fields == [("name", "pen"), ("price", 2.5), ("note", "a note"), ("sizes", [1, 2])]
    assert items.files == [("photo", "a.png", "image/png")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing"], "no part of a request"),
        (["=value"], "a name must come before it"),
        (["a:=nope"], "is not JSON"),
        (["http://example.org"], "second URL"),
        (["@a", "@b"], "second content"),
        (["@a", "b=c"], "whole content"),
    ],
)
def test_what_makes_no_sense_is_told(words, told):
    with pytest.raises(BadItem, match=told):
        parse_items(words)


def test_a_file_that_is_not_text_cannot_be_a_field(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(BadItem, match="not text in UTF-8"):
        parse_items([f"photo=@{tmp_path}/a.png"])
