"""The command line, called within the tests' own process, with streams that are a terminal or a pipe."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import httpx

WIDTH = 80
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Outcome(NamedTuple):
    """What came of a call: its exit status and what it wrote."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def plain(self) -> str:
        """Standard output without colours."""
        return _ESCAPES.sub("", self.text)


class _Stream(io.TextIOWrapper):
    def __init__(self, is_terminal: bool, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8", newline="\n", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def fileno(self) -> int:
        raise OSError("a stream of a test has no file descriptor")

    def written(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


class Command:
    """`command("POST", url, "name=value", terminal=True)` calls `httpx.main` and returns what came of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(folder)
        for name in [name for name in os.environ if name in ("NO_COLOR", "FORCE_COLOR") or name.upper().endswith("_PROXY")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("COLUMNS", str(WIDTH))

    def __call__(self, *arguments: object, terminal: bool = False, stdin: bytes = b"", term: str = "xterm-256color") -> Outcome:
        streams = [_Stream(False, stdin), _Stream(terminal), _Stream(terminal)]
        with self._monkeypatch.context() as patched:
            patched.setenv("TERM", term)
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patched.setattr(sys, name, stream)
            try:
                httpx.main([str(argument) for argument in arguments], prog_name="httpx")
            except SystemExit as end:
                status = end.code
        assert isinstance(status, int)
        return Outcome(status, streams[1].written(), streams[2].written().decode())


def check_screen(path: Path, text: str) -> None:
    """Compare with the screen that is kept; with UPDATE_SCREENS=1 in the environment, keep this one instead."""
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    if os.environ.get("UPDATE_SCREENS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"the screen {path.name} has changed; if it should have: UPDATE_SCREENS=1 scripts/test"
