"""Reading the challenges of a `WWW-Authenticate` field (RFC 9110 section 11.6.1).

    WWW-Authenticate: Basic realm="here", Digest realm="there", nonce="abc", qop="auth"

A comma separates both challenges and the parameters of one challenge, so that a list is read from left to right, once. It
takes time in proportion to its length, whatever it holds.
"""

from __future__ import annotations

import re
import typing

_MAX_CHALLENGES = 100

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_SEPARATORS = re.compile(r"[ \t,]*+")
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)")
_TOKEN68 = re.compile(r"[ \t]++([A-Za-z0-9._~+/-]++=*+)[ \t]*+(?=,|$)")
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|({_TOKEN}))[ \t]*+(?=,|$)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class Challenge(typing.NamedTuple):
    """One challenge: its scheme and the names of its parameters in lower case."""

    scheme: str
    parameters: dict[str, str]
    token68: str | None = None


class Malformed(ValueError):
    """The list of challenges, or of parameters, breaks the grammar; `challenges` are those before that point."""

    def __init__(self, challenges: list[Challenge]) -> None:
        super().__init__("malformed list of challenges")
        self.challenges = challenges


def parse_challenges(value: str) -> list[Challenge]:
    """The challenges in one field value, at most 100. Raises `Malformed`."""
    found: list[Challenge] = []
    position = _past_separators(value, 0)
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is not None and found:
            _add(found[-1].parameters, parameter)
            position = _past_separators(value, parameter.end())
            continue
        scheme = _SCHEME.match(value, position)
        if scheme is None:
            raise Malformed(found[:-1])
        if len(found) == _MAX_CHALLENGES:
            return found
        position = scheme.end()
        token68 = _TOKEN68.match(value, position)
        if token68 is not None:
            position = token68.end()
        found.append(Challenge(scheme[1].lower(), {}, None if token68 is None else token68[1]))
        position = _past_separators(value, position)
    return found


def parse_parameters(value: str) -> dict[str, str]:
    """The parameters of a list without a scheme, as in `Authentication-Info`. Raises `Malformed`."""
    found: dict[str, str] = {}
    position = _past_separators(value, 0)
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is None:
            raise Malformed([])
        _add(found, parameter)
        position = _past_separators(value, parameter.end())
    return found


def _past_separators(value: str, position: int) -> int:
    found = _SEPARATORS.match(value, position)
    return position if found is None else found.end()


def _add(parameters: dict[str, str], parameter: re.Match[str]) -> None:
    # A name that stands twice is a mistake or an attack: the first one counts.
    quoted, token = parameter[2], parameter[3]
    parameters.setdefault(parameter[1].lower(), token if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted))
