"""What people see: on a terminal heads and readable bodies; into a pipe the bare body, and messages beside it on stderr."""

from __future__ import annotations

import io
import os
import sys
import typing

from rich.console import Console
from rich.text import Text

from .._content.text import is_text
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .body import is_endless, laid_out, safe
from .failures import describe

_CLASSES = {1: "cyan", 2: "green", 3: "yellow", 4: "red", 5: "red"}


def stdout() -> Console:
    """The console of results."""
    return _console(sys.stdout)


def stderr() -> Console:
    """The console of messages, progress and drawings."""
    return _console(sys.stderr)


def _console(file: typing.TextIO) -> Console:
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="backslashreplace")  # what the terminal has no character for is no reason to fail
    return Console(file=file, highlight=False, markup=False, emoji=False, legacy_windows=False)


def human_size(count: float) -> str:
    """A number of bytes in a unit that is easy to read: `1.2 MB`."""
    if count < 1000:
        return f"{count:.0f} bytes" if count != 1 else "1 byte"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


class Screen:
    """Where the parts of an exchange are shown, and how.

    * `shows_head`: the head of the response, before its body.
    * `shows_all`: every request, and the head of every response, redirects included.
    * `lays_out`: whether bodies are laid out and coloured; None for "on a terminal".
    * `is_quiet`: nothing is shown but a body that goes into a pipe, and what fails.
    """

    def __init__(
        self, *, shows_head: bool | None = None, shows_all: bool = False, lays_out: bool | None = None, is_quiet: bool = False
    ) -> None:
        self.out = stdout()
        self.err = stderr()
        self.is_terminal = sys.stdout.isatty()
        self._shows_head = (self.is_terminal if shows_head is None else shows_head) and not is_quiet
        self._shows_all = shows_all and not is_quiet
        self._lays_out = self.is_terminal if lays_out is None else lays_out
        self.is_quiet = is_quiet
        # A pipe gets no heads unless it was asked for them.
        self._heads = self.out if self.is_terminal or shows_head else self.err

    def request(self, request: Request) -> None:
        """Show a request, if every request is shown."""
        if not self._shows_all:
            return
        target = request.url.raw_path.decode("ascii", "replace")
        self._head(Text.assemble((safe(request.method), "bold"), f" {safe(target)}"), request.headers)
        content = getattr(request, "_content", None)
        if content:
            self._heads.print(self._readable(content, request.headers.get("content-type", "")), soft_wrap=True)
            self._heads.print()

    def head(self, response: Response, *, is_last: bool) -> None:
        """Show the head of a response: of the last one, or of all."""
        if not (self._shows_all or (self._shows_head and is_last)):
            return
        status = f"{response.status_code} {response.reason_phrase}".rstrip()
        color = _CLASSES.get(response.status_code // 100, "")
        self._head(Text.assemble(f"{response.http_version} ", (safe(status), f"bold {color}")), response.headers)

    def status(self, response: Response) -> None:
        """Say on stderr what status it was, where that is no success and the head was not shown."""
        if response.is_success or self._shows_head or self._shows_all:
            return
        leads = f" It leads to {response.headers['location']}; -L follows." if response.has_redirect_location else ""
        self.note(f"{response.status_code} {response.reason_phrase}".rstrip() + "." + leads)

    def _head(self, first: Text, headers: Headers) -> None:
        self._heads.print(first, soft_wrap=True)
        for name, value in headers.raw:
            line = Text.assemble((safe(name.decode("latin-1")), "cyan"), f": {safe(value.decode('utf-8', 'replace'))}")
            self._heads.print(line, soft_wrap=True)
        self._heads.print()

    def body(self, response: Response) -> None:
        """Show the body of a response: bytes as they arrive into a pipe, readable text on a terminal."""
        if self.is_quiet and self.is_terminal:
            response.read()
        elif not self.is_terminal and not self._lays_out:
            self.copy(response)
        elif is_endless(response.headers.get("content-type", "")):
            for text in response.iter_text():
                self.out.print(Text(safe(text)), soft_wrap=True, end="")
        else:
            content = response.read()
            if content:
                readable = self._readable(content, response.headers.get("content-type", ""), response.encoding)
                if readable.spans or readable.style:
                    self.out.print(readable, soft_wrap=True)
                else:
                    self.out.file.write(f"{readable.plain}\n")  # rich would take its time over every line

    def copy(self, response: Response) -> None:
        """Write the bytes of a body to standard output, each piece when it arrives."""
        self.out.file.flush()
        output = sys.stdout.buffer
        for part in response.iter_bytes():
            output.write(part)
            output.flush()

    def _readable(self, content: bytes, content_type: str, encoding: str | None = None) -> Text:
        if not is_text(content_type, content):
            kind = content_type.partition(";")[0] or "an unknown type"
            return Text(f"({human_size(len(content))} of {safe(kind)}, not shown; -O saves it, -o - writes it here)", style="dim")
        text = content.decode(encoding or "utf-8", "replace")
        return laid_out(text, content_type) if self._lays_out else Text(safe(text))

    def failure(self, error: BaseException) -> None:
        """Say on stderr what failed, and what can be done."""
        name, message, notes = describe(error)
        self.err.print(Text.assemble((f"{name}: ", "bold red"), safe(message)), soft_wrap=True)
        for note in notes:
            self.err.print(Text(safe(note)), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something on stderr that is no failure."""
        if not self.is_quiet:
            self.err.print(Text(safe(text)), soft_wrap=True)


def open_closed_streams() -> None:
    """Of the standard streams, those that are closed (`>&-`) lead nowhere from here on: they are no reason to fail."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(descriptor, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def silence_stdout() -> None:
    """Nobody reads standard output any more: let the interpreter not stumble over that when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
