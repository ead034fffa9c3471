"""What arrives at the server for what was typed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.support.servers import keep_alive, respond, respond_json


def received(command, app, *arguments, **settings):
    outcome = command(*arguments, **settings)
    assert outcome.status == 0, outcome.stderr
    return app.requests[-1]


@pytest.mark.parametrize(
    ("arguments", "method", "target"),
    [
        (["URL/echo"], "GET", "/echo"),
        (["DELETE", "URL/echo"], "DELETE", "/echo"),
        (["delete", "URL/echo"], "DELETE", "/echo"),
        (["PURGE", "URL/echo"], "PURGE", "/echo"),
        (["-m", "PUT", "URL/echo"], "PUT", "/echo"),
        (["-X", "PATCH", "URL/echo"], "PATCH", "/echo"),
        (["-I", "URL/echo"], "HEAD", "/echo"),
        (["URL/echo", "a=b"], "POST", "/echo"),
        (["PUT", "URL/echo", "a=b"], "PUT", "/echo"),
        (["URL/echo?a=1", "b==2 3", "-p", "c", "4"], "GET", "/echo?a=1&c=4&b=2+3"),
    ],
)
def test_method_and_target(command, app, arguments, method, target):
    request = received(command, app, *(word.replace("URL", app.url) for word in arguments))
    assert (request.method, request.target.replace("%20", "+")) == (method, target)


@pytest.mark.parametrize(
    ("arguments", "content_type", "body"),
    [
        (["-c", "text"], None, "text"),
        (["-j", '{"b": 1.50, "a": 2}'], "application/json", '{"b": 1.50, "a": 2}'),
        (["-d", "a", "1", "-d", "a", "2"], "application/x-www-form-urlencoded", "a=1&a=2"),
        (["a=1", "b:=[2, null]"], "application/json", '{"a":"1","b":[2,null]}'),
        (["--form", "a=1", "a=2", "b:=3"], "application/x-www-form-urlencoded", "a=1&a=2&b=3"),
        (["@body.json"], "application/json", '{"in": "a file"}'),
        (["@-"], "application/octet-stream", "typed in"),
        (["@-", "Content-Type:text/plain"], "text/plain", "typed in"),
    ],
)
def test_content(command, app, tmp_path, arguments, content_type, body):
    (tmp_path / "body.json").write_text('{"in": "a file"}')
    request = received(command, app, app.url + "/echo", *arguments, stdin=b"typed in")
    assert request.method == "POST"
    assert request.headers.get("content-type") == content_type
    assert request.body.decode() == body


@pytest.mark.parametrize("arguments", [["-f", "up", "a.txt", "-d", "name", "pen"], ["up@a.txt", "name=pen"]])
def test_uploads(command, app, tmp_path, arguments):
    (tmp_path / "a.txt").write_text("the file")
    request = received(command, app, app.url + "/echo", *arguments)
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="name"\r\n\r\npen\r\n' in request.body
    assert b'name="up"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nthe file\r\n' in request.body


def test_an_upload_may_say_what_it_is(command, app, tmp_path):
    (tmp_path / "a.txt").write_text("the file")
    assert b"Content-Type: image/png\r\n\r\nthe file" in received(command, app, app.url + "/echo", "up@a.txt;type=image/png").body


def test_header_fields(command, app):
    request = received(command, app, app.url, "-h", "X-A", "1", "-H", "X-B: 2", "X-C:3", "X-D;", "User-Agent:", "--cookies", "c", "4")
    headers = request.headers
    assert (headers["x-a"], headers["x-b"], headers["x-c"], headers["x-d"]) == ("1", "2", "3", "")
    assert headers["cookie"] == "c=4"
    assert "user-agent" not in headers


@pytest.mark.parametrize("arguments", [["-a", "me", "secret"], ["-u", "me:secret"], ["-a", "me", "-"], ["-u", "me"]])
def test_signing_in(command, app, monkeypatch, arguments):
    monkeypatch.setattr("getpass.getpass", lambda prompt: {"Password for me: ": "secret"}[prompt])
    assert received(command, app, app.url, *arguments).headers["authorization"] == "Basic bWU6c2VjcmV0"


def test_a_password_is_asked_for_once(command, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "-")
    assert "--user me:-" in command("--curl", "https://example.org", "-u", "me").text
    assert asked == ["Password for me: "]


def test_digest_authentication(command, scripted):
    def answer(request):
        if "authorization" in request.headers:
            return respond("welcome")
        return respond(status=401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256')])

    server = scripted(keep_alive(answer))
    outcome = command(server.url, "-u", "me:secret", "--digest")
    assert outcome == (0, b"welcome", "")
    assert server.requests[1].headers["authorization"].startswith('Digest username="me"')


def test_credentials_from_netrc(command, app, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert received(command, app, app.url, "--netrc").headers["authorization"] == "Basic bWU6c2VjcmV0"


def test_a_netrc_that_cannot_be_read_is_told(command, app, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert command(app.url, "--netrc").status == 9
    (tmp_path / ".netrc").write_text("nonsense")
    (tmp_path / ".netrc").chmod(0o600)
    outcome = command(app.url, "--netrc")
    assert outcome.status == 2
    assert "--netrc: " in outcome.stderr


def test_redirects_are_followed_when_asked(command, app):
    assert command(app.url + "/redirect/2").status == 3
    assert json.loads(received_body(command(app.url + "/redirect/2", "-L")))["number"] == 42


def received_body(outcome):
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


def test_a_proxy(command, scripted):
    proxy = scripted(keep_alive(lambda request: respond_json({"asked": request.target})))
    outcome = command("http://www.example.org/path", "--proxy", f"127.0.0.1:{proxy.port}")
    assert json.loads(outcome.stdout) == {"asked": "http://www.example.org/path"}


def examples() -> list[str]:
    """Every call of `httpx` on the page of the documentation and on the help page, without what comes after it in a pipe."""
    from httpx._cli.help import EXAMPLES

    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"^```shell\n(.*?)^```", page, re.DOTALL | re.MULTILINE) for line in block.splitlines()]
    calls = [line for line in [*lines, *(call for call, _ in EXAMPLES)] if line.startswith("httpx ")]
    return [re.split(r" [|>] ", call)[0] for call in calls if not call.startswith(("httpx doctor", "httpx --completion"))]


@pytest.mark.parametrize("call", examples())
def test_the_examples_are_right(command, monkeypatch, call):
    """They say what is to be sent, and how; whether that works depends on who is asked."""
    from httpx._cli.building import client_settings, make_plan
    from httpx._cli.command import command as httpx_command
    from httpx._cli.options import Options

    monkeypatch.setattr("getpass.getpass", lambda prompt: "secret")
    context = httpx_command.make_context("httpx", shlex.split(call)[1:])
    options = Options(**context.params)
    assert make_plan(options).url.host in ("example.org", "api.example.org", "localhost")
    assert client_settings(options)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("example.org", "https://example.org"),
        ("example.org:8443/a", "https://example.org:8443/a"),
        ("http://example.org", "http://example.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1/a", "http://127.0.0.1/a"),
        ("[::1]:80", "http://[::1]:80"),
        ("localhost.example.org", "https://localhost.example.org"),
        ("127.0.0.1.example.org", "https://127.0.0.1.example.org"),
        (":8000/a", "http://localhost:8000/a"),
        (":/a", "http://localhost/a"),
    ],
)
def test_urls_as_people_type_them(typed, url):
    from httpx._cli.building import complete_url

    assert complete_url(typed) == url


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Usage: httpx"),
        (["-v"], "Which URL?"),
        (["-o", "URL"], "for the name of a file"),
        (["GET", "URL", "-m", "PUT"], "method is given twice"),
        (["URL", "-c", "a", "b=c"], "here are two"),
        (["URL", "-j", "{"], "is not JSON"),
        (["URL", "a=1", "a=2"], "given twice"),
        (["URL", "-H", "nothing"], "has no colon"),
        (["URL", "-a", "me", "x", "-u", "me:x"], "say the same thing"),
        (["URL", "--digest"], "needs a user"),
        (["URL", "--cacert", "a", "--no-verify"], "give one of them"),
        (["URL", "--key", "a"], "private key of a certificate"),
        (["URL", "--resume"], "are about files"),
        (["URL", "-O", "--checksum", "md9:00"], "no checksum that is known"),
        (["URL", "-O", "--checksum", "sha256:00"], "hexadecimal digits"),
        (["URL", "--proxy", "ftp://proxy"], "Unknown scheme"),
        (["URL", "--nonsense"], "No such option"),
    ],
)
def test_a_wrong_command_line_is_told_and_sends_nothing(command, app, arguments, told):
    outcome = command(*(word.replace("URL", app.url) for word in arguments))
    assert outcome.status == 2
    assert told in outcome.stderr
    assert app.requests == []
