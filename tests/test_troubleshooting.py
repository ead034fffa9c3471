"""The page on troubleshooting has headings that are messages: each is raised here, as the page quotes it."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import sys
from pathlib import Path

import pytest

import httpx
from tests.support.black_holes import black_hole
from tests.support.certificates import Authority
from tests.support.servers import respond, say

PAGE = Path(__file__).parent.parent / "docs" / "troubleshooting.md"


def hasty(phase):
    return httpx.Timeout(5, **{phase: 0.1})


class World:
    """The servers that a case needs to fail in its own way."""

    def __init__(self, scripted, app, tmp_path, monkeypatch):
        self.scripted = scripted
        self.app = app
        self.tmp_path = tmp_path
        self.monkeypatch = monkeypatch

    def answer(self, *sent):
        return self.scripted(say(*sent)).url

    def get(self, *sent, **settings):
        return httpx.get(self.answer(*sent), **settings)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def resolve_nothing(world):
    def refuse(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with httpx.Client(resolver=refuse) as client:
        client.get("http://no-such-host.example/")


def refused_by_all(world):
    port = closed_port()
    with httpx.Client(resolver=lambda host, _: [("127.0.0.1", port), ("127.0.0.2", port)]) as client:
        client.get("http://service.example/")


def blackhole(world):
    with black_hole("127.0.0.1") as port:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=hasty("connect"))


def silent_handshake(world):
    url = world.scripted(lambda conn: conn.wait_closed()).url
    httpx.get(url.replace("http:", "https:"), timeout=hasty("connect"))


def full_pool(world):
    settings = {"timeout": hasty("pool"), "limits": httpx.Limits(max_connections=1)}
    with httpx.Client(**settings) as client, client.stream("GET", world.app.url + "/bytes/1000000"):
        client.get(world.app.url)


def stalled_upload(world):
    url = world.scripted(lambda conn: conn.wait_for(conn.server.event())).url
    httpx.post(url, content=b"x" * 30_000_000, timeout=hasty("write"))


def total_deadline(world):
    httpx.get(world.answer(respond(b"abc", headers=[("Content-Length", "10")])), timeout=httpx.Timeout(total=0.3))


def dripped_head(world):
    url = world.scripted(lambda conn: conn.read_request() and conn.drip(b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n")).url
    httpx.get(url, timeout=hasty("read"))


def reset(world):
    httpx.get(world.scripted(lambda conn: (conn.read_request(), conn.reset())).url)


def refused_upload(world):
    def script(conn):
        conn.read_head()
        conn.reset()

    httpx.post(world.scripted(script).url, content=b"x" * 30_000_000)


def hangs_up(world):
    httpx.get(world.scripted(lambda conn: conn.read_request()).url)


def cut_short(world):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    httpx.get(world.scripted(script).url)


def cut_tls(world):
    authority = Authority(world.tmp_path)

    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        conn.close(close_notify=False)

    server = world.scripted(script, ssl_context=authority.server("localhost"))
    httpx.get(f"https://localhost:{server.port}/", ssl_context=httpx.SSLContext(verify=str(authority.pem)))


def refusing_proxy(world):
    httpx.get("https://www.example.org/", proxy=world.answer(respond(b"", 407)))


def circle(world):
    with httpx.Client(follow_redirects=True, max_redirects=2) as client:
        client.get(world.app.url + "/redirect/3")


def closed_client(world):
    client = httpx.Client()
    client.close()
    client.get(world.app.url)


def reopened_client(world):
    client = httpx.Client()
    client.close()
    with client:
        pass


def read_twice(world):
    with httpx.stream("GET", world.app.url + "/bytes/10") as response:
        list(response.iter_bytes())
        list(response.iter_bytes())


def read_late(world):
    with httpx.stream("GET", world.app.url + "/bytes/10") as response:
        pass
    response.read()


def unread(world):
    with httpx.stream("GET", world.app.url + "/bytes/10") as response:
        response.json()


def unread_request(world):
    _ = httpx.Request("POST", world.app.url, content=iter([b"abc"])).content


def text_file(world):
    path = world.tmp_path / "report.txt"
    path.write_text("abc")
    with path.open() as file:
        httpx.post(world.app.url, files={"report": file})


def outside_of_a_loop(world):
    httpx.AsyncClient().get(world.app.url).send(None)


def sync_with_async(world):
    async def main():
        async with httpx.AsyncClient() as client, client.stream("GET", world.app.url + "/bytes/1000000") as response:
            response.read()

    asyncio.run(main())


def conflicting_cookies(world):
    cookies = httpx.Cookies()
    cookies.set("sid", "1", domain="a.example")
    cookies.set("sid", "2", domain="b.example")
    _ = cookies["sid"]


def no_http2(world):
    world.monkeypatch.setitem(sys.modules, "ngh2", None)
    world.monkeypatch.delitem(sys.modules, "httpx._protocols.http2.engine", raising=False)
    world.monkeypatch.delattr("httpx._protocols.http2.engine", raising=False)
    httpx.Client(http2=True)


def bomb(world):
    world.monkeypatch.setattr("httpx._content.codings.MAX_DECODED_SIZE", 1024 * 1024)
    world.get(respond(gzip.compress(b"\0" * 20_000_000), headers=[("Content-Encoding", "gzip")]))


ENCODED = [("Content-Encoding", "gzip")]
FRAMED_TWICE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

# In the order of the page.
CASES = [
    lambda world: httpx.get("www.example.org"),
    lambda world: httpx.get("ftp://www.example.org/"),
    lambda world: httpx.get("http://my host/"),
    lambda world: httpx.Client(proxy="proxy.example:3128"),
    resolve_nothing,
    lambda world: httpx.get(f"http://127.0.0.1:{closed_port()}/"),
    refused_by_all,
    blackhole,
    silent_handshake,
    full_pool,
    lambda world: world.get(timeout=hasty("read")),
    dripped_head,
    stalled_upload,
    total_deadline,
    reset,
    refused_upload,
    hangs_up,
    cut_short,
    cut_tls,
    lambda world: world.get(b"220 mail.example ESMTP ready\r\n"),
    lambda world: world.get(FRAMED_TWICE),
    refusing_proxy,
    lambda world: httpx.get(world.app.url + "/status/404").raise_for_status(),
    circle,
    lambda world: world.get(respond(status=302, headers=[("Location", "http://[")]), follow_redirects=True),
    lambda world: world.get(respond(b"not gzip", headers=ENCODED)),
    lambda world: world.get(respond(gzip.compress(b"abc")[:-4], headers=ENCODED)),
    bomb,
    lambda world: world.get(respond(b"<html>")).json(),
    unread,
    read_twice,
    read_late,
    unread_request,
    sync_with_async,
    outside_of_a_loop,
    closed_client,
    reopened_client,
    lambda world: httpx.Client(verify="no-such-file.pem"),
    lambda world: httpx.Client(ssl_context=httpx.SSLContext(), verify=False),
    no_http2,
    text_file,
    lambda world: httpx.get(world.app.url, headers={"X-Name": "a\nb"}),
    lambda world: httpx.get(world.app.url, headers={"X-Name": "Zoë"}),
    lambda world: httpx.Timeout(connect=3),
    conflicting_cookies,
    lambda world: httpx.get(world.app.url, proxies={}),
    lambda world: httpx.get(world.app.url, auth="token"),
]
MESSAGES = re.findall(r"^### (.*)$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_message_of_the_page_is_what_the_code_says(number, scripted, app, tmp_path, monkeypatch):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        CASES[number](World(scripted, app, tmp_path, monkeypatch))
    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    wordings = MESSAGES[number].split(" / ")  # of what is one thing, seen a moment earlier or later
    assert any(re.search(re.escape(wording).replace("…", ".+"), told) for wording in wordings)


def test_every_message_of_the_page_is_raised():
    assert len(MESSAGES) == len(CASES)
