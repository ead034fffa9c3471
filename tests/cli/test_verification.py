"""Whom the command line trusts, and what `httpx doctor` says of a server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.certificates import PASSWORD, Authority
from tests.support.commands import check_screen

SCREENS = Path(__file__).parent / "screens"


@pytest.fixture
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(app_server, authority):
    return app_server(ssl_context=authority.server())


def test_a_server_is_verified_unless_told_otherwise(command, secure, authority):
    refused = command(secure.url)
    assert refused.status == 8
    assert "--cacert FILE, --system-ca and --no-verify" in refused.stderr
    assert secure.requests == []
    for arguments in (["--cacert", authority.pem], ["--no-verify"], ["-k"]):
        assert command(secure.url, *arguments) == (0, b"Hello, world!", "")
    assert command(secure.url, "--verify").status == 8


def test_what_the_operating_system_trusts(command, secure, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))  # where OpenSSL finds it on this occasion
    assert command(secure.url, "--system-ca").status == 0
    assert command(secure.url).status == 8


@pytest.mark.parametrize("form", ["combined", "pair", "encrypted"])
def test_a_client_certificate(command, app_server, authority, monkeypatch, form):
    server = app_server(ssl_context=authority.server(demands_client=True))
    files = authority.client()
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or PASSWORD)
    arguments = {
        "combined": ["--cert", files.combined],
        "pair": ["--cert", files.certificate, "--key", files.key],
        "encrypted": ["--cert", files.certificate, "--key", files.encrypted_key],
    }[form]
    assert command(server.url, "--cacert", authority.pem, *arguments).status == 0
    assert asked == ([f"Password for {files.encrypted_key}: "] if form == "encrypted" else [])


@pytest.mark.parametrize("trust", ["--cacert", "--system-ca"])
def test_an_unusable_client_certificate(command, authority, trust):
    files = authority.client()
    trusting = [trust, authority.pem] if trust == "--cacert" else [trust]
    outcome = command("https://localhost:1", *trusting, "--cert", files.certificate)
    assert outcome.status == 9
    assert f"{str(files.certificate)!r} holds no private key: give the key's file too" in outcome.stderr


def test_a_password_is_not_asked_for_where_there_is_no_terminal(authority):
    files = authority.client()
    for arguments in (["--cert", files.certificate, "--key", files.encrypted_key], ["-u", "me"]):
        command = [sys.executable, "-m", "httpx", "https://localhost:1", *map(str, arguments)]
        outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, check=False)
        assert outcome.returncode == 2
        assert f"Password for {arguments[-1]} is missing, and there is no terminal to ask for it on." in outcome.stderr
        assert "Warning" not in outcome.stderr
        assert "Aborted" not in outcome.stderr


def anonymous(text: str, server) -> str:
    text = re.sub(r"'/.*/ca\.pem'", "'ca.pem'", text.replace(f":{server.port}:", ":8443:"))
    text = re.sub(r"\b[0-9a-f]{64}\b", "(fingerprint)", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "(date)", text)
    text = re.sub(r"Testing CA #\S+|trustme v[\d.]+|Testing cert #\S+", "(name)", text)
    return re.sub(r"TLS_\w+|TLSv1\.\d", "(tls)", text)


def test_doctor_on_a_healthy_server(command, secure, authority):
    outcome = command("doctor", f"localhost:{secure.port}", "--cacert", authority.pem)
    assert outcome.status == 0
    check_screen(SCREENS / "doctor-healthy.txt", anonymous(outcome.text, secure))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_doctor_is_coloured_on_a_good_terminal_only(command, secure, authority, is_terminal):
    outcome = command("doctor", f"localhost:{secure.port}", "--cacert", authority.pem, terminal=is_terminal)
    assert ("\x1b[" in outcome.text) is is_terminal


def test_doctor_on_an_expired_certificate(command, app_server, authority):
    server = app_server(ssl_context=authority.server(expired=True))
    outcome = command("doctor", f"https://localhost:{server.port}/path", "--cacert", authority.pem)
    assert outcome.status == 8
    assert outcome.text.startswith(f"localhost:{server.port}: certificate-expired\n")
    assert "The server's operator must renew it" in outcome.text
    assert "--cacert FILE, --system-ca and --no-verify" in outcome.text
    assert server.requests == []


def test_doctor_warns_of_a_certificate_that_is_about_to_expire(command, authority, app_server, monkeypatch):
    monkeypatch.setattr("httpx._cli.doctor._SOON", 30)
    server = app_server(ssl_context=authority.server())
    outcome = command("doctor", f"localhost:{server.port}", "--cacert", authority.pem)
    assert outcome.status == 0
    assert "should be renewed: it is valid for 29 more days" in outcome.text


def test_a_client_certificate_that_is_missing_is_asked_for_in_options(command, app_server, authority):
    server = app_server(ssl_context=authority.server(demands_client=True))
    for arguments in (["doctor", f"localhost:{server.port}"], [f"https://localhost:{server.port}"]):
        outcome = command(*arguments, "--cacert", authority.pem)
        assert outcome.status == 8
        assert "client-certificate-required" in outcome.text + outcome.stderr
        assert "--cert FILE and --key FILE" in outcome.text + outcome.stderr


def test_doctor_may_look_without_judging(command, app_server, authority):
    server = app_server(ssl_context=authority.server(expired=True))
    outcome = command("doctor", f"localhost:{server.port}", "--no-verify")
    assert outcome.status == 0
    assert "not verified" in outcome.text


def test_doctor_may_ask_for_another_name(command, app_server, authority):
    server = app_server(ssl_context=authority.server("www.example.org"))
    assert command("doctor", f"localhost:{server.port}", "--cacert", authority.pem).status == 8
    assert command("doctor", f"localhost:{server.port}", "--cacert", authority.pem, "--server-name", "www.example.org").status == 0


def test_doctor_for_programs(command, secure, authority):
    healthy = json.loads(command("doctor", f"localhost:{secure.port}", "--cacert", authority.pem, "--json").stdout)
    assert (healthy["host"], healthy["cause"]) == ("localhost", None)
    assert healthy["chain"][0]["names"] == ["localhost", "127.0.0.1"]
    ill = json.loads(command("doctor", f"localhost:{secure.port}", "--json").stdout)
    assert ill["cause"] == "unknown-authority"
    assert ill["remedy"]


def test_doctor_without_a_connection(command, local_hosts):
    assert command("doctor", "no-such-name.invalid").status == 6
    assert command("doctor", "127.0.0.1:1").status == 6
    assert command("doctor", "localhost", "--cacert", "no-such-file").status == 9
    assert command("doctor").status == 2


@pytest.mark.parametrize("address", ["localhost:http", "local host", "localhost:99999", "[::1"])
def test_doctor_with_an_address_that_is_none(command, address):
    outcome = command("doctor", address)
    assert outcome.status == command(f"https://{address}").status == 2
    assert "InvalidURL" in outcome.stderr
