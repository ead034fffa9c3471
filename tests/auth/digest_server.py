"""A server's side of Digest authentication (RFC 7616), written from the other end: it computes what it expects."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from tests.support.servers import Connection, Request, respond

HASHES: dict[str, Callable[[bytes], str]] = {
    name: (lambda data, name=hashname: hashlib.new(name, data).hexdigest())  # type: ignore[misc]
    for name, hashname in [("MD5", "md5"), ("SHA", "sha1"), ("SHA-256", "sha256"), ("SHA-512-256", "sha512_256")]
}
FIELD = re.compile(r'([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))(?:, |$)')


def fields_of(authorization: str) -> dict[str, str]:
    """The fields of a Digest `Authorization`; it must consist of nothing else, and hold none twice."""
    assert authorization.startswith("Digest ")
    found = list(FIELD.finditer(authorization, len("Digest ")))
    assert "".join(match[0] for match in found) == authorization[len("Digest ") :], authorization
    names = [match[1] for match in found]
    assert len(names) == len(set(names)), authorization
    return {match[1]: match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2]) for match in found}


def expected_response(fields: dict[str, str], request: Request, username: str, password: str) -> str:
    algorithm = fields.get("algorithm", "MD5").upper()
    h = HASHES[algorithm.removesuffix("-SESS")]
    key = h(f"{username}:{fields['realm']}:{password}".encode())
    if algorithm.endswith("-SESS"):
        key = h(f"{key}:{fields['nonce']}:{fields['cnonce']}".encode())
    a2 = f"{request.method}:{request.target}".encode()
    if fields.get("qop") == "auth-int":
        a2 += b":" + h(request.body).encode()
    if "qop" not in fields:
        return h(f"{key}:{fields['nonce']}:{h(a2)}".encode())
    return h(f"{key}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{h(a2)}".encode())


class DigestServer:
    """A script for `scripted()`: lets in who answers the present nonce's challenge, which `challenge(nonce)` words."""

    def __init__(self, *challenges: str, username: str = "user", password: str = "pässword", uses: int = 1_000_000) -> None:
        self.challenges = challenges or ('Digest realm="r", nonce="{nonce}", qop="auth"',)
        self.username, self.password = username, password
        self.uses = uses  # of one nonce
        self.nonces: Iterator[str] = (f"nonce{number}" for number in range(1, 1_000))
        self.nonce = next(self.nonces)
        self.counts: list[str] = []

    def __call__(self, conn: Connection) -> None:
        while True:
            request = conn.read_request()
            authorization = request.headers.get("authorization")
            told = self.judge(request, authorization) if authorization else ""
            if told == "ok":
                conn.send(respond(b"welcome"))
            else:
                lines = [("WWW-Authenticate", challenge.format(nonce=self.nonce) + told) for challenge in self.challenges]
                conn.send(respond(b"who are you?", 401, lines))

    def judge(self, request: Request, authorization: str) -> str:
        fields = fields_of(authorization)
        if fields["nonce"] != self.nonce:
            return ", stale=true"
        self.counts.append(fields.get("nc", ""))
        if self.uses == 0:
            self.nonce, self.uses = next(self.nonces), 1_000_000
            return ", stale=TRUE"
        self.uses -= 1
        assert fields["uri"] == request.target
        assert fields["response"] == expected_response(fields, request, self.username, self.password)
        return "ok"
