"""Certificates are read as another implementation reads them, and hostile ones raise `ValueError` and nothing else."""

from __future__ import annotations

import contextlib
import random
import re
import ssl
import warnings

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from httpx._tls import der
from httpx._tls.certificate import key_pin_of, parse_certificate, parse_chain
from tests.support.issuing import Issuer, self_signed

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def _bundle():
    with open(certifi.where(), encoding="utf-8") as file:
        return [ssl.PEM_cert_to_DER_cert(pem) for pem in _PEM.findall(file.read())]


BUNDLE = _bundle()
ROOT = Issuer("Root")
SAMPLES = [
    ROOT.certificate.public_bytes(Encoding.DER),
    *(
        identity.certificate.public_bytes(Encoding.DER)
        for identity in (
            ROOT.issue("a.test", "*.b.test", "192.0.2.1", "2001:db8::1", issuer_url="http://pki.test/root.der"),
            ROOT.issue("a.test", key="ed25519", common_name="ünïcode"),
            self_signed("a.test", key="rsa2048"),
        )
    ),
]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_every_authority_of_certifi_is_read_like_by_cryptography():
    for data in BUNDLE:
        ours, theirs = parse_certificate(data), x509.load_der_x509_certificate(data)
        assert ours.not_before == theirs.not_valid_before_utc
        assert ours.not_after == theirs.not_valid_after_utc
        assert ours.serial_number == theirs.serial_number
        assert bytes.fromhex(ours.fingerprint) == theirs.fingerprint(hashes.SHA256())
        assert ours.subject_name == theirs.subject.public_bytes()
        assert ours.issuer_name == theirs.issuer.public_bytes()
        assert ours.is_authority
        assert ours.is_self_issued
        assert ours.may_be_issued_by(ours)
        assert ssl.PEM_cert_to_DER_cert(ours.as_pem()) == data
        assert ours.key_pin == key_pin_of(data)
        assert re.fullmatch(r"RSA \d{4}|P-\d{3}", ours.key)
        for attribute in theirs.subject:
            assert str(attribute.value)[:100] in ours.subject


def test_what_a_certificate_says():
    leaf = parse_certificate(SAMPLES[1])
    assert leaf.names == ("a.test", "*.b.test", "192.0.2.1", "2001:db8::1")
    assert leaf.issuer == "CN=Root, O=Tests"
    assert leaf.issuer_urls == ("http://pki.test/root.der",)
    assert (leaf.key, leaf.signature, leaf.is_authority) == ("P-256", "SHA-256 with ECDSA", False)
    assert leaf.may_be_issued_by(parse_certificate(SAMPLES[0]))
    assert not leaf.may_be_issued_by(parse_certificate(SAMPLES[3]))
    assert parse_certificate(SAMPLES[2]).subject == "CN=ünïcode"
    assert parse_certificate(SAMPLES[2]).key == "Ed25519"
    assert parse_certificate(SAMPLES[3]).key == "RSA 2048"


def test_what_cannot_be_read_is_left_out_of_a_chain():
    assert len(parse_chain([SAMPLES[0], b"nonsense", SAMPLES[1]])) == 2


@pytest.mark.parametrize("seed", range(20))
def test_damaged_certificates_raise_value_error_or_nothing(seed):
    chance = random.Random(seed)
    for _ in range(200):
        data = bytearray(chance.choice([*SAMPLES, *BUNDLE[:10]]))
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            certificate = parse_certificate(bytes(data))
        except ValueError:
            continue
        assert str(certificate.as_dict()).isprintable()
        repr(certificate)


@given(st.binary(max_size=200))
def test_any_bytes_raise_value_error_or_nothing(data):
    for read in (parse_certificate, key_pin_of, der.read_element, der.elements, der.read_oid, der.read_bits, der.read_integer):
        with contextlib.suppress(ValueError):
            read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",  # of indefinite length
        b"\x30\x85\x00\x00\x00\x00\x01\x00",  # a length of five octets
        b"\x30\x84\xff\xff\xff\xff",
        b"\x3f\x81\x01\x00",  # a tag of two octets
        b"\x30\x00\x30\x00",
        bytes(der.MAX_SIZE + 1),
    ],
)
def test_bad_encodings_are_refused(data):
    with pytest.raises(ValueError, match="DER"):
        der.read_element(data)


def test_deep_nesting_is_no_recursion():
    data = b""
    for _ in range(5_000):
        size = len(data)
        data = b"\x30" + (bytes([size]) if size < 128 else b"\x83" + size.to_bytes(3, "big")) + data
    with pytest.raises(ValueError, match="without all of its parts"):
        parse_certificate(data)


@pytest.mark.parametrize(
    ("whole", "text"),
    [
        (b"\x0c\x03caf", "caf"),
        (b"\x0c\x05caf\xc3\xa9", "café"),
        (b"\x0c\x01\xff", r"\xff"),
        (b"\x13\x02a\n", r"a\n"),
        (b"\x16\x01\xe9", r"\xe9"),
        (b"\x14\x01\xe9", "é"),
        (b"\x1e\x04\x00a\x20\xac", "a€"),
        (b"\x1e\x02\x20\x2e", r"\u202e"),
        (b"\x04\x01a", "#040161"),
    ],
)
def test_strings_of_every_kind_become_text_that_prints(whole, text):
    assert der.read_string(der.read_element(whole)) == text


def test_numbers_and_identifiers():
    assert der.read_oid(bytes.fromhex("2a864886f70d01010b")) == "1.2.840.113549.1.1.11"
    assert der.read_oid(b"\x88\x37") == "2.999"
    assert der.read_integer(b"\xff") == -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bad in (b"", b"\x80", b"\x81" * 65):
            with pytest.raises(ValueError, match="object identifier"):
                der.read_oid(bad)
