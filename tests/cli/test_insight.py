"""What the command line tells about an exchange: how long it took, a record of it, and how curl would ask."""

from __future__ import annotations

import datetime
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme
from rich.console import Console

import httpx
from httpx._cli.recording import Recorder
from httpx._cli.waterfall import draw
from httpx._observability.recorded import PHASES, RecordedExchange, describe_seconds
from tests.support.certificates import Authority
from tests.support.commands import check_screen
from tests.support.peers import serve_hypercorn
from tests.support.servers import keep_alive, respond

SCREENS = Path(__file__).parent / "screens"


# Timing.


def exchange(url: str, began: float, ended: float, status: int | None = 200, **phases: tuple[float, float]) -> RecordedExchange:
    response = None if status is None else httpx.Response(status, request=httpx.Request("GET", url))
    made = RecordedExchange(httpx.Request("GET", url), began, datetime.datetime.now(), response=response, ended=ended, phases=dict(phases))
    made.is_new_connection = "connect" in phases
    if made.is_new_connection:
        made.address, made.tls = "192.0.2.7", "TLSv1.3, TLS_AES_256_GCM_SHA384" if "tls" in phases else None
    return made


def drawn(exchanges: list[RecordedExchange], encoding: str = "utf-8") -> str:
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    draw(Console(file=output, width=80), exchanges)
    output.seek(0)
    return output.read()


STORY = [
    exchange("http://example.org/", 10.0, 10.1, 301, name=(10.0, 10.02), connect=(10.02, 10.04), send=(10.04, 10.04), wait=(10.04, 10.1)),
    exchange(
        "https://me:secret@example.org/",
        10.1,
        11.2,
        connect=(10.1, 10.12),
        proxy=(10.12, 10.2),
        tls=(10.2, 10.3),
        send=(10.3, 10.301),
        wait=(10.301, 10.7),
        body=(10.7, 11.2),
    ),
    exchange("https://example.org/next", 11.2, 11.3, None, send=(11.2, 11.2001), wait=(11.2001, 11.3)),
]


def test_the_waterfall():
    check_screen(SCREENS / "timing.txt", drawn(STORY))


def test_the_waterfall_without_unicode():
    assert drawn(STORY, "ascii") == drawn(STORY).replace("█", "#")


@pytest.mark.parametrize(("seconds", "shown"), [(0.0000312, "0.03 ms"), (0.0123, "12.3 ms"), (2.5, "2.50 s")])
def test_durations_are_easy_to_read(seconds, shown):
    assert describe_seconds(seconds) == shown


def record(url: str, **settings) -> list[RecordedExchange]:
    recorder = Recorder()
    with httpx.Client(trust_env=False, **settings) as client:
        recorder.watch(client)
        request = client.build_request("GET", url)
        recorder.begin(request)
        response = client.send(request, stream=True)
        recorder.answered(response)
        response.read()
    return recorder.exchanges


def test_the_phases_of_a_request_follow_one_another(app_server, tmp_path, local_hosts):
    authority = Authority(tmp_path)
    server = app_server(ssl_context=authority.server("www.example.org"))
    local_hosts.add("www.example.org", {443: server.port})
    (found,) = record("https://www.example.org/bytes/5000000", ssl_context=httpx.SSLContext(verify=str(authority.pem)))
    times = [moment for phase in PHASES if phase in found.phases for moment in found.phases[phase]]
    assert list(found.phases) == ["name", "connect", "tls", "send", "wait", "body"]
    assert times == sorted(times)
    assert found.began <= times[0]
    assert times[-1] <= found.ended
    assert found.address == "127.0.0.1"
    assert found.tls is not None
    assert found.tls.startswith("TLSv1.3, ")


def test_a_tunnel_is_a_phase_of_its_own(scripted, tmp_path):
    authority = Authority(tmp_path)

    def proxy(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
        conn.upgrade_to_tls(authority.server("www.example.org"))
        conn.read_request()
        conn.send(respond("through"))

    context = httpx.SSLContext(verify=str(authority.pem))
    (found,) = record("https://www.example.org/", ssl_context=context, proxy=scripted(proxy).url)
    assert list(dict(sorted(found.phases.items(), key=lambda item: item[1]))) == ["connect", "proxy", "tls", "send", "wait"]


def test_http2_is_timed_as_well(command, tmp_path):
    ca, pem, server = trustme.CA(), tmp_path / "ca.pem", tmp_path / "server.pem"
    ca.cert_pem.write_to_path(str(pem))
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(server))
    with serve_hypercorn(server, server) as url:
        outcome = command(url, "--http2", "--cacert", pem, "--timing")
    assert outcome.stdout == b"Hello, world!"
    assert f"GET {url}  200 HTTP/2  (127.0.0.1, TLSv1.3" in outcome.stderr
    assert [line.split()[0] for line in outcome.stderr.splitlines() if line.startswith("  ")][:4] == ["connect", "TLS", "send", "wait"]


def test_timing_goes_to_stderr_for_each_redirect(command, app):
    outcome = command(app.url + "/redirect/1", "-L", "--timing")
    assert json.loads(outcome.stdout)["number"] == 42
    assert [line.split()[:3] for line in outcome.stderr.splitlines() if line.startswith("GET")] == [
        ["GET", app.url + "/redirect/1", "302"],
        ["GET", app.url + "/json", "200"],
    ]
    assert "(connection reused)" in outcome.stderr


def test_a_failure_is_timed_as_far_as_it_went(command, scripted):
    server = scripted(lambda conn: conn.read_request())
    outcome = command(server.url, "--timing")
    assert outcome.status == 1
    assert f"GET {server.url}  RemoteProtocolError  (127.0.0.1)" in outcome.stderr
    assert "  wait " in outcome.stderr


# The page.


def test_the_page_shows_each_phase_on_one_scale(command, app, tmp_path):
    assert command(app.url + "/redirect/1", "-L", "--trace", "trace.html").status == 0
    page = (tmp_path / "trace.html").read_text()
    overview, *sections = page.split("<section")
    assert len(sections) == 2
    bars, again = (_bars(part) for part in (overview, "".join(sections)))
    assert len(bars) >= 5
    assert bars == again
    assert all(left >= 0 and left + width <= 100.1 for left, width in bars)
    assert [left for left, _ in bars] == sorted(left for left, _ in bars)


def _bars(page: str) -> list[tuple[float, float]]:
    return [(float(left), float(width)) for left, width in re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", page)]


def test_the_page_loads_nothing(command, app, tmp_path):
    command(app.url + "/redirect/1", "-L", "--trace", "trace.html")
    page = (tmp_path / "trace.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"(?i)<script|\ssrc=|\shref=\"[^#]|url\(|@import", page)


def test_what_a_server_sends_is_text_on_the_page_and_credentials_are_not_there(command, scripted, tmp_path):
    fields = [("X-Evil", "<script>alert(1)</script>"), ("Set-Cookie", "a=SECRET")]
    server = scripted(keep_alive(lambda request: respond("body", headers=fields)))
    command(server.url.replace("://", "://me:SECRET@"), "--cookies", "b", "SECRET", "--trace", "trace.html")
    page = (tmp_path / "trace.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "SECRET" not in page
    assert "bWU6U0VDUkVU" not in page


def test_a_failure_has_its_page_too(command, tmp_path):
    assert command("http://127.0.0.1:1", "--trace", "trace.html").status == 6
    assert "Connection refused" in (tmp_path / "trace.html").read_text()


# The record.


def recorded(command, path: Path, *arguments: object) -> list[dict]:
    command(*arguments, "--har", path)
    archive = json.loads(path.read_text())["log"]
    assert archive["version"] == "1.2"
    assert archive["creator"] == {"name": "httpx", "version": httpx.__version__}
    for entry in archive["entries"]:
        check_entry(entry)
    return archive["entries"]


def check_entry(entry: dict) -> None:
    """What HAR 1.2 demands of an entry."""
    assert datetime.datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
    assert entry["cache"] == {}
    request, response, timings = entry["request"], entry["response"], entry["timings"]
    assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= set(request)
    named = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"}
    assert named <= set(response)
    assert {"size", "mimeType"} <= set(response["content"])
    assert all(timings[name] >= 0 for name in ("send", "wait", "receive"))
    total = sum(value for name, value in timings.items() if value > 0 and name != "ssl")
    assert entry["time"] == pytest.approx(total, abs=0.01)


def test_every_exchange_is_recorded(command, app, tmp_path):
    first, second = recorded(command, tmp_path / "a.har", app.url + "/redirect/1", "-L")
    assert (first["response"]["status"], first["response"]["redirectURL"]) == (302, "/json")
    assert first["serverIPAddress"] == "127.0.0.1"
    assert first["timings"]["connect"] > 0
    assert second["request"]["url"] == app.url + "/json"
    assert second["timings"]["connect"] == -1
    assert json.loads(second["response"]["content"]["text"])["number"] == 42
    assert second["response"]["content"]["mimeType"] == "application/json"


def test_what_was_sent_is_recorded(command, app, tmp_path):
    (entry,) = recorded(command, tmp_path / "a.har", "PUT", app.url + "/echo", "a=1", "q==x y")
    assert entry["request"]["postData"] == {"mimeType": "application/json", "text": '{"a":"1"}'}
    assert entry["request"]["bodySize"] == 9
    assert entry["request"]["queryString"] == [{"name": "q", "value": "x y"}]


def test_a_binary_body_is_recorded_in_base64(command, app, tmp_path):
    (entry,) = recorded(command, tmp_path / "a.har", app.url + "/bytes/8", "-q", "--pretty")
    assert entry["response"]["content"] == {
        "size": 8,
        "mimeType": "application/octet-stream",
        "text": "AAAAAAAAAAE=",
        "encoding": "base64",
    }


def test_a_failure_is_recorded(command, scripted, tmp_path):
    (entry,) = recorded(command, tmp_path / "a.har", scripted(lambda conn: conn.read_request()).url)
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"].startswith("RemoteProtocolError: ")


@pytest.mark.parametrize("with_secrets", [False, True])
def test_credentials_are_recorded_only_when_asked_for(command, scripted, tmp_path, with_secrets):
    server = scripted(keep_alive(lambda request: respond("body", headers=[("Set-Cookie", "session=SECRET-1; Path=/")])))
    url = server.url.replace("://", "://me:SECRET-2@")
    arguments = ["-h", "Proxy-Authorization", "SECRET-3", "--cookies", "c", "SECRET-4", *(["--har-secrets"] if with_secrets else [])]
    (entry,) = recorded(command, tmp_path / "a.har", url, *arguments)
    if with_secrets and os.name == "posix":
        assert (tmp_path / "a.har").stat().st_mode & 0o777 == 0o600
    text = json.dumps(entry)
    assert [f"SECRET-{number}" in text for number in (1, 2, 3, 4)] == [with_secrets] * 4
    assert ("bWU6U0VDUkVULTI=" in text) is with_secrets
    assert [cookie["name"] for cookie in entry["request"]["cookies"]] == ["c"]
    assert [cookie["name"] for cookie in entry["response"]["cookies"]] == ["session"]


# curl.


def test_the_curl_command(command):
    outcome = command("--curl", "PUT", "https://example.org/a", "name=it's", "q==1", "X-A:b", "-u", "me:secret", "-L")
    assert outcome.status == 0
    check_screen(SCREENS / "curl.txt", outcome.text.replace(httpx.__version__, "VERSION"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (on Debian: apt-get install curl)")
@pytest.mark.parametrize(
    "arguments",
    [
        ["URL/echo"],
        ["URL/echo?a=[1]&b={2}", "c==3 4"],
        ["-I", "URL/echo"],
        ["DELETE", "URL/echo"],
        ["POST", "URL/echo"],
        ["GET", "URL/echo", "-c", "@text, and 'quotes' \"\\\nof all kinds"],
        ["PUT", "URL/echo", "a=1", "b:=[2]"],
        ["URL/echo", "-d", "a", "1 2&3"],
        ["URL/echo", "@body.bin"],
        ["URL/echo", "-c", "plain", "Content-Type:text/plain"],
        ["URL/echo", "X-A:1", "X-B;", "User-Agent:", "Accept:text/html", "--cookies", "c", "4"],
        ["URL/echo", "-a", "me", "se cret"],
        ["URL/redirect-to?url=/echo", "-L"],
    ],
)
def test_curl_sends_the_same_request(command, app, tmp_path, arguments):
    (tmp_path / "body.bin").write_bytes(bytes(range(256)))
    words = [word.replace("URL", app.url) for word in arguments]
    line = command("--curl", *words).text
    assert app.requests == []
    ours_status = command(*words).status
    ours = app.requests[-1]
    theirs_status = subprocess.run(shlex.split(line), capture_output=True, timeout=60, cwd=tmp_path).returncode
    theirs = app.requests[-1]
    assert (ours_status, theirs_status) == (0, 0)
    assert ours is not theirs
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    own = {"connection", "accept-encoding", "content-length"}
    assert {name: value for name, value in theirs.headers.items() if name not in own} == {
        name: value for name, value in ours.headers.items() if name not in own
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (on Debian: apt-get install curl)")
def test_curl_uploads_the_same_files(command, app, tmp_path):
    (tmp_path / "a b;c.txt").write_text("the file")
    words = [app.url + "/echo", "up@a b;c.txt;type=text/x-own", "name=@literally;not", "-d", "n", "<1"]
    (tmp_path / "literally;not").write_text("@text.txt;type=a/b")
    assert command(*words).status == 0
    assert subprocess.run(shlex.split(command("--curl", *words).text), capture_output=True, timeout=60, cwd=tmp_path).returncode == 0
    ours, theirs = (request.body.replace(boundary_of(request), b"BOUNDARY") for request in app.requests)
    assert parts_of(theirs) == parts_of(ours)


def boundary_of(request) -> bytes:
    return request.headers["content-type"].partition("boundary=")[2].encode()


def parts_of(body: bytes) -> list[bytes]:
    return body.split(b"--BOUNDARY")
