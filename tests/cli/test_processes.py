"""The command as a process of its own: pipes, signals, imports, and what happens without its extra."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import keep_alive, respond, respond_chunked, say

HTTPX = [sys.executable, "-m", "httpx"]


def environment(**changes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")} | changes


def run(*arguments: str, **settings) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*HTTPX, *arguments], capture_output=True, timeout=60, env=environment(), **settings)


def test_a_body_goes_through_a_pipe(app):
    done = run(app.url + "/bytes/300000")
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 300_000, b"")


def test_a_terminal_without_the_characters_gets_their_numbers(scripted):
    server = scripted(keep_alive(lambda request: respond("é", headers=[("Content-Type", "text/plain")])))
    done = subprocess.run([*HTTPX, server.url, "--pretty"], capture_output=True, timeout=60, env=environment(PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"\\xe9", b"")


def test_the_installed_command(app):
    script = Path(sys.executable).with_name("httpx")
    done = subprocess.run([script, app.url], capture_output=True, timeout=60, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, world!", b"")


def test_content_from_standard_input(app):
    assert run("PUT", app.url + "/echo", "@-", input=b"piped in").returncode == 0
    assert app.requests[0].body == b"piped in"


@pytest.mark.parametrize(
    ("path", "status"), [("/", 0), ("/status/204", 0), ("/status/302", 3), ("/status/404", 4), ("/status/503", 5), ("/close", 0)]
)
def test_the_exit_status_tells_the_status(command, app, path, status):
    assert command(app.url + path).status == status


def test_the_exit_status_tells_what_failed(command, app, scripted, local_hosts):
    cut = scripted(lambda conn: (conn.read_request(), conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")))
    silent = scripted(say())
    plain = app.url.replace("http://", "https://")
    assert command(cut.url).status == 1
    assert command("http://no-such-name.invalid").status == 6
    assert command("http://127.0.0.1:1").status == 6
    assert command(silent.url, "--timeout", "0.1").status == 7
    assert command(plain, "--timeout", "0.1").status == 7
    assert command("http://user@:80/").status == 2
    assert command("ftp://example.org/").status == 2
    assert command(app.url, "@no-such-file").status == 9
    assert command(app.url, "--cacert", "no-such-file").status == 9


def test_an_interrupted_call_ends_quietly(heeding_control_c, app):
    process = subprocess.Popen([*HTTPX, app.url + "/wait/long"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    app.arrived("long")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr.strip()) == (130, b"", b"Interrupted.")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
@pytest.mark.parametrize(
    ("closed", "printed"), [("<&-", b"Hello, world!"), (">&-", b""), ("2>&-", b"Hello, world!"), ("<&- >&- 2>&-", b"")]
)
def test_a_closed_standard_stream_is_no_failure(app, closed, printed):
    script = f'"$@" {closed}'
    done = subprocess.run(["sh", "-c", script, "sh", *HTTPX, app.url], capture_output=True, timeout=60, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, b"")
    assert len(app.requests) == 1


def test_a_reader_who_has_had_enough_is_no_failure_to_speak_of(app):
    process = subprocess.Popen(
        [*HTTPX, app.url + "/bytes/3000000", "--timeout", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert len(process.stdout.read(10)) == 10
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_events_are_shown_as_they_come(scripted, kind):
    """The second event is sent only when the first one has been read from the command's output."""
    server = scripted(lambda conn: send_events(conn))
    seen = server.event()

    def send_events(conn):
        conn.read_request()
        head, first, second, end = respond_chunked([b"data: 1\n\n", b"data: 2\n\n"], headers=[("Content-Type", "text/event-stream")])
        conn.send(head + first)
        conn.wait_for(seen)
        conn.send(second + end)

    reader, writer = os.openpty() if kind == "terminal" else os.pipe()
    process = subprocess.Popen([*HTTPX, "-b", server.url], stdout=writer, env=environment(TERM="dumb"))
    os.close(writer)
    shown = b""
    while b"data: 1" not in shown:
        shown += os.read(reader, 1000)
    seen.set()
    while b"data: 2" not in shown:
        shown += os.read(reader, 1000)
    assert process.wait(timeout=60) == 0
    os.close(reader)


def test_importing_httpx_does_not_import_the_command_line():
    code = "import sys, httpx; print([name for name in ('click', 'rich', 'pygments', 'httpx._cli') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).stdout.strip() == b"[]"


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_it_says_what_to_install(missing):
    code = f"import sys; sys.modules[{missing!r}] = None; import httpx; httpx.main(['https://example.org'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [f"The command line needs {missing}, which is not installed. Run: pip install 'httpx[cli]'"]


def test_an_extra_that_the_call_needs_is_told():
    code = "import sys; sys.modules['ngh2'] = None; import httpx; httpx.main(['http://127.0.0.1:1', '--http2'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"httpx[http2]" in done.stderr
    assert b"Traceback" not in done.stderr


def test_it_can_be_called_as_click_calls_commands(app):
    import click.testing

    import httpx

    assert click.testing.CliRunner().invoke(httpx.main, [app.url]).output == "Hello, world!"  # type: ignore[arg-type]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_the_script_for_completion_is_printed(command, shell):
    outcome = command("--completion", shell)
    assert outcome.status == 0
    assert f"_HTTPX_COMPLETE={shell}_complete" in outcome.text


@pytest.mark.parametrize(
    ("words", "expected"),
    [("httpx --follow", ["--follow-redirects"]), ("httpx P", ["PATCH", "POST", "PUT"]), ("httpx d", ["doctor"]), ("httpx GET P", [])],
)
def test_a_shell_completes(words, expected):
    changes = {"_HTTPX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run([Path(sys.executable).with_name("httpx")], capture_output=True, timeout=60, env=environment(**changes))
    assert [line.partition(",")[2] for line in done.stdout.decode().split()] == expected


def test_the_version(command):
    import httpx

    assert command("--version").text == f"httpx {httpx.__version__}\n"
