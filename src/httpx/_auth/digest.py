"""Digest authentication (RFC 7616): the password is never sent, only that it is known.

    client                                server
    GET /                            →
                                     ←    401, WWW-Authenticate: Digest realm=..., nonce=..., qop="auth"
    GET /, Authorization: Digest ... →
                                     ←    200

The answer to a challenge is good for more than one request: the nonce is used again, with a count, until the server says that
it is stale. What is known of one origin is never told to another.
"""

from __future__ import annotations

import itertools
import os
import typing
from collections.abc import Callable, Generator

from .._exceptions import LocalProtocolError, RemoteProtocolError
from .._models.request import Request
from .._models.response import Response
from .base import Auth
from .basic import to_bytes
from .challenges import Challenge, Malformed, parse_challenges, parse_parameters

Hash = Callable[[bytes], bytes]
Origin = tuple[str, str, int | None]

# Algorithms by name, the strongest first (RFC 7616 section 3.7: the client chooses the one it prefers), and what hashlib calls them.
_ALGORITHMS = {"SHA-512-256": "sha512_256", "SHA-512": "sha512", "SHA-256": "sha256", "SHA": "sha1", "MD5": "md5"}
_STRENGTH = {name: strength for strength, name in enumerate(reversed(_ALGORITHMS))}

_MAX_ORIGINS = 64  # whose nonces are kept
_MAX_ECHO = 8_190  # characters of a challenge that go back to the server, with each further request too: more than servers take
_MAX_ANSWERS = 2  # to challenges, for one request: the second one only if the nonce had become stale


class DigestAuth(Auth):
    """Answers Digest challenges with user name and password, by the strongest algorithm that the server offers.

    MD5, SHA-256, SHA-512-256 and their `-sess` variants, `auth` and, for content in memory, `auth-int`. Challenges of another
    scheme are left alone: nothing but Digest is ever sent. Raises `RemoteProtocolError` for a challenge that is malformed, and
    `LocalProtocolError` for one whose algorithm this Python has not (MD5, where FIPS 140 is enforced); one that asks for something
    unknown is not answered, and the 401 response returned.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._username = to_bytes(username)
        self._password = to_bytes(password)
        self._sessions: dict[Origin, _Session] = {}

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        origin = request.url._origin
        session = self._sessions.get(origin)
        if session is not None:
            self._authorize(request, session)
        response = yield request
        for answers in range(_MAX_ANSWERS):
            # After redirects it may be another request that was challenged, or another server that has no business with us.
            request = response._request or request
            if response.status_code != 401 or request.url._origin != origin:
                break
            challenge = _choose(response)
            if challenge is None or (answers and not challenge.is_stale):
                self._sessions.pop(origin, None)
                return
            session = self._remember(origin, challenge)
            if not self._authorize(request, session):
                return
            response = yield request
        if session is not None and "authentication-info" in response.headers and request.url._origin == origin:
            self._take_next_nonce(origin, session, response.headers["authentication-info"])

    def _remember(self, origin: Origin, challenge: _DigestChallenge) -> _Session:
        if len(self._sessions) >= _MAX_ORIGINS:
            self._sessions.pop(list(self._sessions)[0], None)  # noqa: RUF015 - in one step, as other threads may add to it
        session = self._sessions[origin] = _Session(challenge)
        return session

    def _take_next_nonce(self, origin: Origin, session: _Session, info: str) -> None:
        try:
            nonce = parse_parameters(info).get("nextnonce")
        except Malformed:
            return
        if nonce and len(nonce) <= _MAX_ECHO:
            self._remember(origin, session.challenge._replace(nonce=nonce))

    def _get_client_nonce(self, nonce_count: int, nonce: bytes) -> bytes:
        # Named and called as in HTTPX 0.28, where tests replace it to know the outcome beforehand.
        return os.urandom(16).hex().encode("ascii")

    def _authorize(self, request: Request, session: _Session) -> bool:
        # False if this request cannot be authorized: auth-int covers content, which a stream does not show beforehand.
        challenge = session.challenge
        content = b""
        if challenge.qop == "auth-int":
            if not hasattr(request, "_content"):
                return False
            content = request.content
        count = next(session.counter)
        cnonce = session.cnonce or self._get_client_nonce(count, to_bytes(challenge.nonce))
        if challenge.is_session:
            session.cnonce = cnonce  # the key was made with it
        target = request.extensions.get("target") or request.url.raw_path
        fields = _credentials(challenge, self._username, self._password, request.method, target, content, count, cnonce)
        request.headers["Authorization"] = "Digest " + ", ".join(f"{name}={value}" for name, value in fields)
        return True


class _DigestChallenge(typing.NamedTuple):
    """A challenge that can be answered."""

    realm: str
    nonce: str
    algorithm: str  # as the server spelled it, to be repeated
    name: str  # in _ALGORITHMS
    is_session: bool
    qop: str | None  # "auth", "auth-int", or None for RFC 2069
    opaque: str | None
    is_stale: bool
    hashes_username: bool


class _Session:
    # A challenge, and how often its nonce has been used. Threads may share it: counting is one step.
    __slots__ = ("challenge", "cnonce", "counter")

    def __init__(self, challenge: _DigestChallenge) -> None:
        self.challenge = challenge
        self.counter = itertools.count(1)
        self.cnonce: bytes | None = None


def _choose(response: Response) -> _DigestChallenge | None:
    """The strongest challenge that can be answered. Raises `ProtocolError` if the only ones are malformed or out of reach here."""
    challenges: list[Challenge] = []
    is_malformed = False
    missing = ""
    for value in response.headers.get_list("www-authenticate"):
        try:
            challenges += parse_challenges(value)
        except Malformed as error:
            challenges += error.challenges
            is_malformed = is_malformed or "digest" in value.lower()
    answerable: list[_DigestChallenge] = []
    for challenge in challenges:
        if challenge.scheme == "digest":
            understood = _understand(challenge.parameters)
            is_malformed = is_malformed or understood == "malformed"
            if isinstance(understood, _DigestChallenge):
                answerable.append(understood)
            elif understood == "missing":
                missing = challenge.parameters.get("algorithm", "MD5")
    if not answerable and is_malformed:
        raise RemoteProtocolError("The server's Digest challenge is malformed (RFC 7616 section 3.3).", request=response._request)
    if not answerable and missing:
        raise LocalProtocolError(
            f"The server's Digest challenge needs {missing}, which this Python does not have (as where FIPS 140 is enforced).",
            request=response._request,
        )
    return max(answerable, key=lambda challenge: _STRENGTH[challenge.name], default=None)


def _understand(parameters: dict[str, str]) -> _DigestChallenge | typing.Literal["malformed", "unknown", "missing"]:
    if "realm" not in parameters or not parameters.get("nonce"):
        return "malformed"
    if sum(len(parameters.get(name, "")) for name in ("realm", "nonce", "opaque")) > _MAX_ECHO:
        return "unknown"
    algorithm = parameters.get("algorithm", "MD5")
    name = algorithm.upper()
    is_session = name.endswith("-SESS")
    name = name.removesuffix("-SESS")
    if _hash(name) is None:
        return "missing" if name in _ALGORITHMS else "unknown"
    qop: str | None = None
    if "qop" in parameters:
        offered = [option.strip().lower() for option in parameters["qop"].split(",")]
        qop = next((option for option in ("auth", "auth-int") if option in offered), None)
        if qop is None:
            return "malformed"
    return _DigestChallenge(
        realm=parameters["realm"],
        nonce=parameters["nonce"],
        algorithm=algorithm,
        name=name,
        is_session=is_session,
        qop=qop,
        opaque=parameters.get("opaque"),
        is_stale=parameters.get("stale", "").lower() == "true",
        hashes_username=parameters.get("userhash", "").lower() == "true",
    )


def _credentials(
    challenge: _DigestChallenge,
    username: bytes,
    password: bytes,
    method: str,
    target: bytes,
    content: bytes,
    count: int,
    cnonce: bytes,
) -> list[tuple[str, str]]:
    # RFC 7616 section 3.4.1 to 3.4.4, with its names.
    h = _hash(challenge.name)
    assert h is not None
    realm, nonce = to_bytes(challenge.realm), to_bytes(challenge.nonce)
    a1 = b":".join((username, realm, password))
    a2 = b":".join((method.encode(), target))
    if challenge.qop == "auth-int":
        a2 += b":" + h(content)
    key = h(a1)
    if challenge.is_session:
        key = h(b":".join((key, nonce, cnonce)))
    nc = b"%08x" % count
    middle = (nonce,) if challenge.qop is None else (nonce, nc, cnonce, challenge.qop.encode())
    response = h(b":".join((key, *middle, h(a2))))
    name = h(username + b":" + realm) if challenge.hashes_username else username
    fields = [
        ("username", _quote(name.decode("utf-8", "surrogateescape"))),
        ("realm", _quote(challenge.realm)),
        ("nonce", _quote(challenge.nonce)),
        ("uri", _quote(target.decode("ascii", "surrogateescape"))),
        ("response", _quote(response.decode("ascii"))),
        ("algorithm", challenge.algorithm),
    ]
    if challenge.opaque is not None:
        fields.append(("opaque", _quote(challenge.opaque)))
    if challenge.qop is not None:
        fields += [("qop", challenge.qop), ("nc", nc.decode("ascii")), ("cnonce", _quote(cnonce.decode("ascii")))]
    if challenge.hashes_username:
        fields.append(("userhash", "true"))
    return fields


def _quote(value: str) -> str:
    # What came out of quotes goes back into them; else the server could add parameters of its own choice.
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _hash(name: str) -> Hash | None:
    # None for an algorithm that is unknown, or that this Python does not have: MD5 is missing where FIPS 140 is enforced.
    import hashlib

    try:
        hashlib.new(_ALGORITHMS[name], usedforsecurity=False)
    except (KeyError, ValueError):
        return None
    return lambda data: hashlib.new(_ALGORITHMS[name], data, usedforsecurity=False).hexdigest().encode("ascii")
