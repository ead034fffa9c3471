"""The help page: what the command is for, by example, and then every option in its section."""

from __future__ import annotations

import textwrap
import typing

import click
from rich.console import Console
from rich.text import Text

from .failures import STATUSES
from .options import OPTIONS, OTHER, Section

_INTRODUCTION = (
    "An HTTP client for the command line. On a terminal it shows the head of the response and its body, readable; into a pipe "
    "goes the body alone, as it is."
)
_NAME_COLUMN = 28

EXAMPLES = [
    ("httpx example.org", "GET https://example.org; head and body"),
    ("httpx -L example.org -o page.html", "follow redirects, save what is there"),
    ("httpx example.org/items q==red limit==5", "with a query: ?q=red&limit=5"),
    ("httpx POST example.org/items name=pen price:=2", 'JSON: {"name": "pen", "price": 2}'),
    ("httpx --form example.org/login user=me", "a form"),
    ("httpx example.org/files report@a.pdf", "upload a file"),
    ("httpx PUT example.org/doc @doc.json X-Tag:a", "content from a file, and a header field"),
    ("httpx -u me example.org", "sign in; the password is asked for"),
    ("httpx :8000/health", "http://localhost:8000/health"),
    ("httpx example.org/items | jq .", "into a pipe goes the body alone"),
    ("httpx -L --timing example.org", "where the time goes"),
    ("httpx doctor example.org", "examine a server's TLS and certificates"),
]

_ITEMS = [
    ("name:value", "a header field; name: leaves it out, name; sends it empty"),
    ("name==value", "a query parameter"),
    ("name=value", "a field of the content, which is JSON, or a form with --form"),
    ("name:=json", "a field that is not text: 5, true, [1, 2]"),
    ("name=@path", "a field from a file; name:=@path for JSON"),
    ("name@path", "upload a file"),
    ("@path", "the whole content from a file; @- from standard input"),
]


def print_help(console: Console) -> None:
    """Print the page, as wide as the console, at most 100 columns."""
    width = min(console.width, 100)
    console.print(Text.assemble(("Usage: ", "bold"), "httpx [OPTIONS] [METHOD] URL [ITEM]..."))
    console.print("       httpx doctor HOST[:PORT]\n")
    for line in textwrap.wrap(_INTRODUCTION, width):
        console.print(line)
    _section(console, width, "Examples", EXAMPLES, "green", 48)
    _section(console, width, "Items", _ITEMS, "cyan")
    for section in dict.fromkeys(option.section for option in OPTIONS):
        rows = [(_names(option), option.help or "") for option in OPTIONS if option.section == section]
        _section(console, width, section, [*rows, ("--help", "Print this page.")] if section == OTHER else rows, "cyan")
    _section(console, width, "Exit status", [(str(status), meaning) for status, meaning in STATUSES.items()], "cyan", 5)


def _names(option: Section) -> str:
    either = ", ".join(sorted(option.opts, key=lambda name: name.startswith("--")))
    otherwise = ", ".join(sorted(option.secondary_opts, key=lambda name: name.startswith("--")))
    names = f"{either} / {otherwise}" if otherwise else either
    return names if option.is_flag or not option.metavar else f"{names} {option.metavar}"


def _section(
    console: Console, width: int, title: str, rows: typing.Sequence[tuple[str, str]], style: str, column: int = _NAME_COLUMN
) -> None:
    # The meaning stands beside the name, or below it where that is too long.
    column = min(column, width // 2)
    console.print(Text(f"\n{title}:", style="bold"))
    for name, meaning in rows:
        lines = textwrap.wrap(meaning, width - column - 2)
        fits = len(name) <= column - 2
        first = lines.pop(0) if fits else ""
        console.print(Text.assemble("  ", (f"{name:<{column}}" if fits else name, style), first), soft_wrap=True)
        for line in lines:
            console.print(" " * (column + 2) + line)


class Manual(click.Command):
    """A command whose help page is ours."""

    def get_help(self, ctx: click.Context) -> str:
        from .screen import stdout

        console = stdout()
        with console.capture() as captured:
            print_help(console)
        return captured.get().rstrip("\n")
