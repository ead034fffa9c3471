"""The public API is complete: every name, parameter and property of tests/public_api.txt exists, as it is said there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import httpx

_SIGNATURE = re.compile(r"(?P<names>[\w ]+?) \((?P<parameters>[^)]*)\)")


class Promise(NamedTuple):
    """That `owner.name` exists; with these parameters, of this base, or of this value, where one is said."""

    owner: str
    name: str
    parameters: str | None = None
    base: str | None = None
    value: int | None = None

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


def _promises() -> Iterator[Promise]:
    owner = ""
    for line in _entries((Path(__file__).parent / "public_api.txt").read_text()):
        kind, _, rest = line.partition(" ")
        if kind == "class":
            owner, _, base = rest.partition(" ")
            yield Promise("", owner, base=base.strip("()") or None)
        elif kind == "exceptions":
            parameters, _, classes = rest.partition("): ")
            for name, base in re.findall(r"(\w+)(?:\((\w+)\))?", classes):
                yield Promise("", name, base=base or None)
                yield Promise(name, "__init__", parameters.strip("("))
                yield Promise(name, "request")
        elif kind in ("values:", "properties:"):
            yield from (Promise(owner, name) for name in rest.split())
        elif kind == "codes:":
            for name, value in re.findall(r"(\w+)=(\d+)", rest):
                yield from (Promise(owner, spelt, value=int(value)) for spelt in (name, name.lower()))
        else:
            signature = _SIGNATURE.fullmatch(line)
            assert signature, line
            for name in signature["names"].split():
                yield Promise(owner, name, signature["parameters"])


def _entries(text: str) -> Iterator[str]:
    # An entry that does not fit on its line goes on at a deeper indentation.
    entry, indent = "", 0
    for line in text.splitlines():
        stripped = line.lstrip()
        depth = len(line) - len(stripped)
        if not stripped or stripped.startswith("#"):
            continue
        if entry and depth > indent and not entry.startswith("class "):
            entry += " " + stripped
            continue
        if entry:
            yield entry
        entry, indent = stripped, depth
    yield entry


PROMISES = list(_promises())


@pytest.mark.parametrize("promise", PROMISES, ids=str)
def test_what_is_promised_is_there(promise: Promise):
    owner: Any = getattr(httpx, promise.owner) if promise.owner else httpx
    thing = getattr(owner, promise.name)
    if not promise.owner and not promise.name.startswith("__"):
        assert promise.name in httpx.__all__
    if promise.base is not None:
        assert issubclass(thing, getattr(httpx, promise.base))
    if promise.value is not None:
        assert int(thing) == promise.value
    if promise.parameters:
        _check_parameters(owner if promise.name == "__init__" else thing, promise.parameters)


def _check_parameters(function: Any, promised: str) -> None:
    parameters = inspect.signature(function).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    by_keyword_only = False
    for name in promised.split(", "):
        if name.startswith("*"):
            by_keyword_only = True
            continue
        parameter = parameters.get(name.rstrip("="))
        if parameter is None:
            assert takes_any, f"no parameter {name.rstrip('=')}"
            continue
        assert not name.endswith("=") or parameter.default is not parameter.empty, f"{name} is not optional"
        assert by_keyword_only or parameter.kind is not parameter.KEYWORD_ONLY, f"{name} is not taken by position"


def test_every_public_name_is_a_public_thing():
    assert sorted(httpx.__all__) == sorted(set(httpx.__all__))
    for name in httpx.__all__:
        assert hasattr(httpx, name), name
