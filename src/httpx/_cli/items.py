"""Parts of a request as people write them in a shell.

    name:value      a header field        name:      none of that name       name;    an empty one
    name==value     a query parameter
    name=value      a field of the content, as text
    name:=json      a field of the content, as JSON
    name=@path      a field of the content, from a file (text); name:=@path is one of JSON
    name@path       a file to upload; name@path;type=image/png says what it is
    @path           the whole content, from a file; @- from standard input

The first separator in the word counts; a backslash before a character takes its meaning away.
"""

from __future__ import annotations

import dataclasses
import json
import typing

SEPARATORS = (":=@", "=@", ":=", "==", "=", ":", "@")  # the longest first: they share their beginnings


class BadItem(ValueError):
    """A word that is no part of a request, or says something impossible."""


@dataclasses.dataclass(slots=True)
class Items:
    """What the words say, by kind, in the order in which they were given."""

    headers: list[tuple[str, str | None]] = dataclasses.field(default_factory=list)
    """None for a field that is not to be sent."""
    params: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    fields: list[tuple[str, typing.Any]] = dataclasses.field(default_factory=list)
    files: list[tuple[str, str, str | None]] = dataclasses.field(default_factory=list)
    """Name, path, and content type if one is given."""
    body: str | None = None
    """The path of the whole content."""


def parse_items(words: typing.Iterable[str]) -> Items:
    """Sort words by what they say. Raises `BadItem`, and `OSError` for files that cannot be read."""
    items = Items()
    for word in words:
        _add(items, word)
    if items.body is not None and (items.fields or items.files):
        raise BadItem(f"'@{items.body}' is the whole content: there cannot be fields or files beside it.")
    return items


def _add(items: Items, word: str) -> None:
    name, separator, value = split(word)
    match separator:
        case "@" if not name:
            if items.body is not None:
                raise BadItem(f"'{word}' is a second content; there can be one.")
            items.body = value
        case _ if not name:
            raise BadItem(f"'{word}' begins with '{separator}': a name must come before it.")
        case ":" if value.startswith("//"):
            raise BadItem(f"'{word}' looks like a second URL; there can be one. As a header field it is written '{name}: {value}'.")
        case ":":
            items.headers.append((name, value.strip() or None))
        case ";":
            items.headers.append((name, ""))
        case "==":
            items.params.append((name, value))
        case "=":
            items.fields.append((name, value))
        case "=@":
            items.fields.append((name, _read_text(value, word)))
        case ":=":
            items.fields.append((name, parse_json(value, word)))
        case ":=@":
            items.fields.append((name, parse_json(_read_text(value, word), word)))
        case "@":
            path, _, content_type = value.partition(";type=")
            items.files.append((name, path, content_type or None))
        case _:
            raise BadItem(
                f"'{word}' is no part of a request. Write name=value (content), name==value (query), name:value (header) "
                "or name@file (upload)."
            )


def split(word: str) -> tuple[str, str, str]:
    """The name, the first separator (empty if there is none) and the value; without the backslashes that escape."""
    name = ""
    at = 0
    while at < len(word):
        if word[at] == "\\" and at + 1 < len(word):
            name += word[at + 1]
            at += 2
            continue
        for separator in SEPARATORS:
            if word.startswith(separator, at):
                return name, separator, word[at + len(separator) :]
        if word[at] == ";" and at == len(word) - 1:
            return name, ";", ""
        name += word[at]
        at += 1
    return name, "", ""


def parse_json(text: str, said: str) -> typing.Any:
    """The value of JSON that was `said` on the command line. Raises `BadItem`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadItem(f"'{said}' is not JSON: {error}.") from None


def _read_text(path: str, word: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise BadItem(f"'{word}': {path} is not text in UTF-8. Upload it with name@file.") from None
