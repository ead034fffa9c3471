"""A body as people read it: laid out, coloured, and safe to show."""

from __future__ import annotations

import json
import re

from rich.text import Text

_MAX_HIGHLIGHTED = {"json": 500_000}  # characters; more takes longer than anyone wants to wait
_MAX_HIGHLIGHTED_OTHERWISE = 100_000
_MAX_INDENTATION = 1_000_000  # characters: what is nested deeply would be nothing but that
_MARKUP = re.compile(r"(text/html|(application|text|image)/(.*\+)?(xhtml|xml))$")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

# A terminal obeys what it is sent, so nothing that a server sends may reach it but text: control characters (also those
# of Unicode that change the direction of writing) are shown as pictures or as their number.
_CONTROLS: dict[int, str] = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)}
_CONTROLS |= {0x7F: "\u2421"} | {code: f"<{code:02X}>" for code in range(0x80, 0xA0)}
_CONTROLS |= {code: f"<{code:04X}>" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def safe(text: str) -> str:
    """Text that can do nothing to a terminal but appear on it."""
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def is_endless(content_type: str) -> bool:
    """Whether a body of this type is read as it comes, event by event."""
    return content_type.partition(";")[0].strip().lower() in ("text/event-stream", "application/x-ndjson", "application/jsonl")


def laid_out(text: str, content_type: str) -> Text:
    """A body laid out and coloured, as far as its type is known."""
    kind = content_type.partition(";")[0].strip().lower()
    language = None
    if kind.endswith(("/json", "+json")) or (not kind and text.lstrip()[:1] in ("{", "[")):
        text, language = indent_json(text), "json"
    elif _MARKUP.fullmatch(kind):
        language = "html" if "html" in kind else "xml"
    elif kind.endswith(("javascript", "/css", "yaml", "toml")):
        language = kind.rpartition("/")[2].removeprefix("x-")
    text = safe(text)
    if language is None or len(text) > _MAX_HIGHLIGHTED.get(language, _MAX_HIGHLIGHTED_OTHERWISE):
        return Text(text)
    from rich.syntax import Syntax  # slow to import, and nothing for a pipe

    highlighted = Syntax("", language, theme="ansi_dark", background_color="default").highlight(text)
    highlighted.right_crop(len(highlighted.plain) - len(text.rstrip("\n")))
    return highlighted


def indent_json(text: str) -> str:
    """JSON with a line for each value, and every value spelled as it was: numbers keep their digits, and names their order.

    What is not JSON comes back unchanged, and so does what is nested so deeply that it would be lost in its margin.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    parts: list[str] = []
    tokens = _JSON_TOKEN.findall(text)
    depth = indentation = 0
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in "{[,]}":
            indentation += 4 * depth
            if indentation > _MAX_INDENTATION and indentation > 10 * len(text):
                return text
        if token in "{[":
            depth += 1
            parts.append(token if following in "}]" else f"{token}\n{'    ' * depth}")
        elif token in "}]":
            depth -= 1
            parts.append(token if parts and parts[-1] in ("{", "[") else f"\n{'    ' * depth}{token}")
        elif token == ",":
            parts.append(f",\n{'    ' * depth}")
        else:
            parts.append(": " if token == ":" else token)
    return "".join(parts)
