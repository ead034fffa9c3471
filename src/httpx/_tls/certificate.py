"""What a certificate says (RFC 5280), read for people: nothing here decides whether to trust it; OpenSSL does."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import ipaddress
import re
import typing

from .._printable import printable
from . import der

_MAX_TEXT = 200  # characters of a name's part that are kept; nobody reads more

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_CURVES = {"1.2.840.10045.3.1.7": ("P-256", 256), "1.3.132.0.34": ("P-384", 384), "1.3.132.0.35": ("P-521", 521)}
_CURVES["1.3.132.0.10"] = ("secp256k1", 256)
_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_KEYS = {
    "1.3.101.112": ("Ed25519", 256),
    "1.3.101.113": ("Ed448", 456),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", 10_496),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", 15_616),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", 20_736),
}
_SIGNATURES = {
    "1.2.840.113549.1.1.2": "MD2 with RSA",
    "1.2.840.113549.1.1.4": "MD5 with RSA",
    "1.2.840.113549.1.1.5": "SHA-1 with RSA",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.11": "SHA-256 with RSA",
    "1.2.840.113549.1.1.12": "SHA-384 with RSA",
    "1.2.840.113549.1.1.13": "SHA-512 with RSA",
    "1.2.840.10045.4.1": "SHA-1 with ECDSA",
    "1.2.840.10045.4.3.2": "SHA-256 with ECDSA",
    "1.2.840.10045.4.3.3": "SHA-384 with ECDSA",
    "1.2.840.10045.4.3.4": "SHA-512 with ECDSA",
    **{oid: name for oid, (name, _) in _KEYS.items()},
}
_SUBJECT_KEY_ID, _SUBJECT_ALT_NAME, _BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.17", "2.5.29.19"
_AUTHORITY_KEY_ID, _AUTHORITY_INFORMATION = "2.5.29.35", "1.3.6.1.5.5.7.1.1"
_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
_TIMES = {
    der.UTC_TIME: re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
    der.GENERALIZED_TIME: re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, as it describes itself."""

    subject: str
    """Whom it is for, most specific part first: `CN=example.org, O=Example`."""
    issuer: str
    """The authority that signed it."""
    names: tuple[str, ...]
    """The host names and IP addresses that it is for; a host name that looks like an address, and is none, as `DNS:192.0.2.1`."""
    not_before: datetime.datetime
    """When it becomes valid, in UTC."""
    not_after: datetime.datetime
    """When it expires, in UTC."""
    key: str
    """Its public key: `RSA 2048`, `P-256`, `Ed25519`."""
    signature: str
    """How its issuer signed it: `SHA-256 with RSA`."""
    serial_number: int
    """The number that its issuer gave it."""
    is_authority: bool
    """Whether it may issue certificates."""
    fingerprint: str
    """The SHA-256 of all of it, in hexadecimal."""
    key_pin: str
    """The SHA-256 of its public key, as `pins=` takes it: `sha256/` and base64 (RFC 7469 section 2.4)."""
    issuer_urls: tuple[str, ...]
    """Where it says that its issuer's certificate can be had."""
    der: bytes = dataclasses.field(repr=False)
    """The certificate itself."""
    subject_name: bytes = dataclasses.field(repr=False)
    """The subject in DER, which is what identifies an issuer."""
    issuer_name: bytes = dataclasses.field(repr=False)
    """The issuer in DER."""
    key_id: bytes | None = dataclasses.field(repr=False)
    """The identifier of its key, if it gives one."""
    issuer_key_id: bytes | None = dataclasses.field(repr=False)
    """The identifier of its issuer's key, if it gives one."""

    @property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject are the same, as in root certificates."""
        return self.subject_name == self.issuer_name

    @property
    def has_weak_signature(self) -> bool:
        """Whether it is signed over MD2, MD5 or SHA-1, which no longer prove anything."""
        return self.signature.startswith(("MD", "SHA-1 "))

    def may_be_issued_by(self, other: Certificate) -> bool:
        """Whether `other` is its issuer by name, and by key where both say so. The signature is not checked."""
        if other.subject_name != self.issuer_name:
            return False
        return None in (self.issuer_key_id, other.key_id) or self.issuer_key_id == other.key_id

    def as_pem(self) -> str:
        """The certificate in PEM form, as `verify=` takes it."""
        lines = base64.encodebytes(self.der).decode("ascii").replace("\n", "")
        body = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
        return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"

    def as_dict(self) -> dict[str, typing.Any]:
        """What it says, in the types of JSON."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "names": list(self.names),
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "key": self.key,
            "signature": self.signature,
            "serial_number": f"{self.serial_number:x}",
            "is_authority": self.is_authority,
            "fingerprint": self.fingerprint,
            "key_pin": self.key_pin,
            "issuer_urls": list(self.issuer_urls),
        }


def parse_certificate(data: bytes) -> Certificate:
    """Read a certificate in DER. Raises `ValueError` if it is malformed; whoever wrote it may have meant harm."""
    tbs = _parts(data)
    serial, signature, issuer, validity, subject, key = tbs[:6]
    extensions = _read_extensions(next((part.content for part in tbs[6:] if part.tag == 0xA3), b""))
    not_before, not_after = (_read_time(part) for part in _pair(validity.content))
    return Certificate(
        subject=_read_name(subject.content),
        issuer=_read_name(issuer.content),
        names=_read_names(extensions.get(_SUBJECT_ALT_NAME)),
        not_before=not_before,
        not_after=not_after,
        key=_describe_key(key.content),
        signature=_describe_signature(signature.content),
        serial_number=der.read_integer(der.expect(serial, der.INTEGER).content[:64]),  # RFC 5280 allows 20 octets
        is_authority=_is_authority(extensions.get(_BASIC_CONSTRAINTS)),
        fingerprint=hashlib.sha256(data).hexdigest(),
        key_pin=_pin(key.whole),
        issuer_urls=_read_issuer_urls(extensions.get(_AUTHORITY_INFORMATION)),
        der=bytes(data),
        subject_name=subject.whole,
        issuer_name=issuer.whole,
        key_id=_read_key_id(extensions.get(_SUBJECT_KEY_ID)),
        issuer_key_id=_read_issuer_key_id(extensions.get(_AUTHORITY_KEY_ID)),
    )


def key_pin_of(data: bytes) -> str:
    """The pin of a certificate's public key, without reading the rest of it. Raises `ValueError`."""
    return _pin(_parts(data)[5].whole)


def covers(names: typing.Iterable[str], host: str) -> bool:
    """Whether one of a certificate's names is that of `host` (RFC 9525 section 6.3). For explanations; OpenSSL is who decides."""
    host = host.lower().rstrip(".")
    wildcard = f"*.{host.partition('.')[2]}" if host.count(".") > 1 and not is_address(host) else "*"
    return any(name.lower() in (host, wildcard) for name in names if name != "*")


def is_address(host: str) -> bool:
    """Whether this is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parse_chain(chain: typing.Iterable[bytes]) -> tuple[Certificate, ...]:
    """The certificates of a chain, without those that cannot be read."""
    found = []
    for data in chain:
        try:
            found.append(parse_certificate(data))
        except ValueError:
            continue
    return tuple(found)


def _parts(data: bytes) -> list[der.Element]:
    # Of the TBSCertificate, without the version, which is left out of certificates of version 1.
    outer = der.elements(der.read_element(data, der.SEQUENCE).content)
    tbs = der.elements(outer[0].content) if outer else []
    if tbs and tbs[0].tag == 0xA0:
        tbs = tbs[1:]
    if len(tbs) < 6:
        raise ValueError("A certificate without all of its parts.")
    return tbs


def _pin(key: bytes) -> str:
    return "sha256/" + base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")


def _pair(content: bytes) -> tuple[der.Element, der.Element]:
    parts = der.elements(content)
    if len(parts) != 2:
        raise ValueError("DER: not a pair")
    return parts[0], parts[1]


def _read_time(element: der.Element) -> datetime.datetime:
    pattern = _TIMES.get(element.tag)
    match = None if pattern is None else pattern.fullmatch(element.content)
    if match is None:
        raise ValueError("A time that is none.")
    year, month, day, hour, minute, second = map(int, match.groups())
    if element.tag == der.UTC_TIME:
        year += 1900 if year >= 50 else 2000  # RFC 5280 section 4.1.2.5.1
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)


def _read_name(content: bytes) -> str:
    parts = []
    for rdn in reversed(der.elements(content)):
        for attribute in der.elements(der.expect(rdn, der.SET).content):
            kind, value = _pair(attribute.content)
            oid = der.read_oid(der.expect(kind, der.OBJECT_IDENTIFIER).content)
            text = der.read_string(value)
            parts.append(f"{_ATTRIBUTES.get(oid, oid)}={_cut(text)}")
    return ", ".join(parts[:20])


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "..."


def _describe_key(content: bytes) -> str:
    algorithm, bits = _pair(content)
    kind = der.elements(algorithm.content)
    oid = der.read_oid(der.expect(kind[0], der.OBJECT_IDENTIFIER).content) if kind else ""
    if oid == _RSA:
        modulus = _pair(der.read_element(der.read_bits(bits.content), der.SEQUENCE).content)[0]
        return f"RSA {der.read_integer(modulus.content).bit_length()}"
    if oid == _EC:
        curve = der.read_oid(kind[1].content) if len(kind) > 1 and kind[1].tag == der.OBJECT_IDENTIFIER else "explicit parameters"
        return _CURVES[curve][0] if curve in _CURVES else f"EC ({curve})"
    return _KEYS[oid][0] if oid in _KEYS else f"key of type {oid}"


def _describe_signature(content: bytes) -> str:
    kind = der.elements(content)
    oid = der.read_oid(kind[0].content) if kind else ""
    return _SIGNATURES.get(oid, oid)


def _read_extensions(content: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    if not content:
        return found
    for extension in der.elements(der.read_element(content, der.SEQUENCE).content):
        parts = der.elements(extension.content)
        if len(parts) >= 2:
            found[der.read_oid(parts[0].content)] = der.expect(parts[-1], der.OCTET_STRING).content
    return found


def _read_names(content: bytes | None) -> tuple[str, ...]:
    if content is None:
        return ()
    names = []
    for name in der.elements(der.read_element(content, der.SEQUENCE).content):
        if name.tag == 0x82:
            host = _cut(printable(name.content.decode("ascii", "backslashreplace")))
            names.append(f"DNS:{host}" if is_address(host) else host)
        elif name.tag == 0x87 and len(name.content) in (4, 16):
            names.append(str(ipaddress.ip_address(name.content)))
    return tuple(names)


def _is_authority(content: bytes | None) -> bool:
    if content is None:
        return False
    parts = der.elements(der.read_element(content, der.SEQUENCE).content)
    return bool(parts) and parts[0].tag == der.BOOLEAN and parts[0].content != b"\0"


def _read_key_id(content: bytes | None) -> bytes | None:
    return None if content is None else der.read_element(content, der.OCTET_STRING).content


def _read_issuer_key_id(content: bytes | None) -> bytes | None:
    if content is None:
        return None
    parts = der.elements(der.read_element(content, der.SEQUENCE).content)
    return next((part.content for part in parts if part.tag == 0x80), None)


def _read_issuer_urls(content: bytes | None) -> tuple[str, ...]:
    if content is None:
        return ()
    urls = []
    for description in der.elements(der.read_element(content, der.SEQUENCE).content):
        method, location = _pair(description.content)
        if location.tag == 0x86 and der.read_oid(method.content) == _CA_ISSUERS:
            urls.append(_cut(printable(location.content.decode("ascii", "backslashreplace"))))
    return tuple(urls)
