"""What people see, on a terminal of 80 columns; the screens are kept in screens/."""

from __future__ import annotations

from pathlib import Path

import pytest

import httpx
from tests.support.commands import check_screen
from tests.support.servers import keep_alive, respond

SCREENS = Path(__file__).parent / "screens"


def anonymous(text: str, server) -> str:
    return text.replace(server.authority, "127.0.0.1:8000").replace(httpx.__version__, "VERSION")


@pytest.fixture
def site(scripted):
    """Answers /PATH with what is in `site.pages`."""
    pages: dict[str, bytes] = {}

    def answer(request):
        return pages.get(request.path, respond("nothing here", 404, [("Content-Type", "text/plain")]))

    server = scripted(keep_alive(answer))
    server.pages = pages
    return server


def test_the_help_page(command):
    check_screen(SCREENS / "help.txt", command("--help", terminal=True, term="dumb").text)


@pytest.mark.parametrize("arguments", [["-h"], ["--help"]])
def test_help_is_coloured_on_a_good_terminal_only(command, arguments):
    assert "\x1b[" in command(*arguments, terminal=True).text
    assert "\x1b[" not in command(*arguments).text


def test_no_call_shows_how_to_call(command):
    outcome = command()
    assert "httpx [OPTIONS] [METHOD] URL" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_every_option_is_on_the_help_page_and_in_the_options():
    import dataclasses

    from httpx._cli.options import OPTIONS, Options

    assert all(option.help and option.help.endswith(".") for option in OPTIONS)
    exposed = {option.name for option in OPTIONS if option.expose_value}
    assert exposed | {"words"} == {field.name for field in dataclasses.fields(Options)}


def test_json_on_a_terminal(command, app):
    outcome = command(app.url + "/json", terminal=True)
    check_screen(SCREENS / "json.txt", outcome.plain)
    assert "\x1b[" in outcome.text
    assert outcome.stderr == ""


def test_every_exchange_on_a_terminal(command, app):
    outcome = command(app.url + "/redirect/1", "-L", "-v", terminal=True)
    check_screen(SCREENS / "verbose.txt", anonymous(outcome.plain, app))


def test_a_request_with_content_is_shown_with_it(command, app):
    outcome = command("PUT", app.url + "/status/200", "name=pen", "price:=2", "-v", terminal=True)
    check_screen(SCREENS / "verbose-content.txt", anonymous(outcome.plain, app))


@pytest.mark.parametrize("setting", [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_a_terminal_without_colours_gets_none(command, app, monkeypatch, setting):
    monkeypatch.setenv(*setting)
    outcome = command(app.url + "/json", terminal=True, term="dumb" if setting[0] == "TERM" else "xterm")
    assert '"number": 42' in outcome.plain
    assert "\x1b[3" not in outcome.text
    assert "\x1b[9" not in outcome.text


def test_a_failure(command, local_hosts):
    outcome = command("http://no-such-name.invalid/", terminal=True)
    assert outcome.status == 6
    assert outcome.plain == ""
    assert outcome.stderr.startswith("\x1b[1;31mConnectError: \x1b[0mThe name 'no-such-name.invalid' could not be resolved")


def test_into_a_pipe_goes_the_body_as_it_is(command, site):
    site.pages["/"] = respond(b'{"b":1.50,\r\n"a":"\xc3\xa9\x1b[0m"}', headers=[("Content-Type", "application/json")])
    assert command(site.url) == (0, b'{"b":1.50,\r\n"a":"\xc3\xa9\x1b[0m"}', "")


@pytest.mark.parametrize("color", ["", "1"])
def test_even_colour_by_force_does_not_change_a_body_in_a_pipe(command, app, monkeypatch, color):
    monkeypatch.setenv("FORCE_COLOR", color)
    assert command(app.url).stdout == b"Hello, world!"


def test_into_a_pipe_goes_the_head_when_asked(command, site):
    site.pages["/"] = respond("body", headers=[("X-A", "1")])
    assert command(site.url, "-i").text == "HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 4\n\nbody"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/json", ""),
        ("/status/404", "404 Not Found.\n"),
        ("/status/503", "503 Service Unavailable.\n"),
        ("/redirect/1", "302 Found. It leads to /json; -L follows.\n"),
    ],
)
def test_beside_a_pipe_a_status_that_is_no_success_is_told(command, app, path, told):
    assert command(app.url + path).stderr == told
    assert command(app.url + path, "-q").stderr == ""
    assert command(app.url + path, terminal=True).stderr == ""


def test_beside_a_pipe_all_heads_are_on_stderr(command, app):
    outcome = command(app.url, "-v")
    assert outcome.stdout == b"Hello, world!"
    assert outcome.stderr.startswith("GET /\nHost: ")
    assert "HTTP/1.1 200 OK\n" in outcome.stderr


def test_what_is_asked_for_can_be_laid_out_in_a_pipe(command, app):
    assert '\n    "number": 42,\n' in command(app.url + "/json", "--pretty").text


def test_a_raw_body_on_a_terminal(command, app):
    assert command(app.url + "/json", "--raw", "-b", terminal=True).plain.count("\n") == 1


def test_quiet_is_quiet(command, app):
    assert command(app.url, "-q", terminal=True) == (0, b"", "")
    assert command(app.url + "/nowhere", "-q", terminal=True).status == 4


def test_what_a_server_sends_cannot_steer_the_terminal(command, site):
    """The terminal is set apart from what a server says: no escape sequence, no carriage return, no change of direction."""
    evil = "\x1b]0;owned\x07 \x1b[2J \x9b31m a\rb \u202eabc \x7f"
    site.pages["/text"] = respond(evil, headers=[("Content-Type", "text/plain; charset=utf-8"), ("X-Evil", "\x9b31m")])
    site.pages["/json"] = respond('{"a": "\u202e\x9b"}', headers=[("Content-Type", "application/json")])
    for path in ("/text", "/json"):
        plain = command(site.url + path, terminal=True, term="dumb").text
        assert not [character for character in plain if ord(character) < 32 and character != "\n"]
        assert not set("\x7f\x9b\u202e") & set(plain)
    assert "␛]0;owned␇" in command(site.url + "/text", terminal=True, term="dumb").text


def test_a_binary_body_is_not_shown_on_a_terminal(command, app):
    outcome = command(app.url + "/bytes/3000", terminal=True)
    assert "(3.0 kB of application/octet-stream, not shown; -O saves it, -o - writes it here)" in outcome.plain
    assert command(app.url + "/bytes/3000", "-b", "-o", "-", terminal=True).stdout == app_bytes(3000)


def app_bytes(count):
    from tests.support.servers import pattern

    return pattern(count)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a":1.50,"a":[],"b":{},"c":[1,{"d":"x, y: {z}"}]}', '{\n    "a": 1.50,\n    "a": [],\n    "b": {},\n    "c": [\n        1,\n'),
        ('"text"', '"text"'),
        ("12345678901234567890.000", "12345678901234567890.000"),
        ("{not json}", "{not json}"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_json_is_laid_out_without_changing_it(text, shown):
    from httpx._cli.body import indent_json

    laid_out = indent_json(text)
    assert laid_out.startswith(shown)
    assert "".join(laid_out.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("content_type", "content", "shown"),
    [
        ("text/plain", b"\xff\xfe", True),
        ("application/problem+json", b"{}", True),
        ("application/vnd.api+json; charset=utf-8", b"{}", True),
        ("image/svg+xml", b"<svg/>", True),
        ("", b"plain", True),
        ("", b"\x00\x01", False),
        ("", "é".encode() * 4000, True),
        ("application/octet-stream", b"\xff\xd8", False),
        ("image/png", b"abc", False),
    ],
)
def test_text_is_told_from_what_is_not(content_type, content, shown):
    from httpx._content.text import is_text

    assert is_text(content_type, content) is shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (10**13, "10.0 TB")]
)
def test_sizes_are_easy_to_read(count, shown):
    from httpx._cli.screen import human_size

    assert human_size(count) == shown


def test_values_that_are_nested_deeply_are_not_laid_out():
    """Each would have a margin of thousands of spaces: 100 kB would fill 200 MB."""
    from httpx._cli.body import indent_json

    deep = "[" * 900 + "1," * 20_000 + "1" + "]" * 900
    assert indent_json(deep) == deep
    assert indent_json("[" * 100 + "]" * 100).count("\n") == 198


@pytest.mark.parametrize(("kind", "body"), [("text/css", b"{" * 100_001), ("application/json", b"[" + b"1," * 250_000 + b"1]")])
def test_what_would_take_long_to_colour_is_not_coloured(command, site, kind, body):
    site.pages["/x"] = respond(body, headers=[("Content-Type", kind)])
    shown = command(site.url + "/x", terminal=True).text
    assert shown.count("\x1b[") < 50
