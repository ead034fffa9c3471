"""`httpx.HAR`: what a client does, as an HTTP Archive (HAR 1.2)."""

from __future__ import annotations

import base64
import json

import pytest

import httpx
from tests.support.servers import keep_alive, respond

# What the format demands (http://www.softwareishard.com/blog/har-12-spec/).
ENTRY = {"startedDateTime", "time", "request", "response", "cache", "timings"}
REQUEST = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
RESPONSE = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"}
TIMINGS = {"blocked", "dns", "connect", "ssl", "send", "wait", "receive"}


async def record(runtime, path, work, **settings):
    har = httpx.HAR(**settings)
    async with runtime.client(follow_redirects=True) as client:
        har.watch(getattr(client, "wrapped", client))
        await work(client)
    har.save(path)
    archive = json.loads(path.read_text())
    assert archive["log"]["version"] == "1.2"
    entries = archive["log"]["entries"]
    assert len(entries) == len(har)
    for entry in entries:
        assert entry.keys() >= ENTRY
        assert entry["request"].keys() >= REQUEST
        assert entry["response"].keys() >= RESPONSE
        assert entry["timings"].keys() == TIMINGS
        parts = sum(value for name, value in entry["timings"].items() if value > 0 and name != "ssl")
        assert entry["time"] == pytest.approx(parts, abs=0.01)
    return entries


async def test_every_exchange_is_recorded(runtime, app, tmp_path):
    async def work(client):
        await client.get(app.url + "/redirect/1?a=b")
        await client.post(app.url + "/echo", json={"n": 1})

    first, second, third = await record(runtime, tmp_path / "a.har", work)
    assert (first["response"]["status"], first["response"]["redirectURL"]) == (302, "/json")
    assert first["request"]["queryString"] == [{"name": "a", "value": "b"}]
    assert first["serverIPAddress"] == "127.0.0.1"
    assert first["timings"]["connect"] > 0
    assert second["timings"]["connect"] == -1
    assert json.loads(second["response"]["content"]["text"])["number"] == 42
    assert third["request"]["postData"] == {"mimeType": "application/json", "text": '{"n":1}'}


async def test_what_fails_is_recorded(runtime, scripted, tmp_path):
    server = scripted(lambda conn: conn.read_request())

    async def work(client):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.url)

    (entry,) = await record(runtime, tmp_path / "a.har", work)
    assert entry["response"]["status"] == 0
    assert entry["response"]["_error"].startswith("RemoteProtocolError")


async def test_bodies_that_are_no_text_and_those_that_were_not_read(runtime, app, tmp_path):
    async def work(client):
        await client.get(app.url + "/bytes/8")
        async with client.stream("GET", app.url + "/bytes/100"):
            pass

    read, unread = await record(runtime, tmp_path / "a.har", work)
    assert read["response"]["content"]["encoding"] == "base64"
    assert len(base64.b64decode(read["response"]["content"]["text"])) == 8
    assert "text" not in unread["response"]["content"]


@pytest.mark.parametrize("with_secrets", [False, True])
async def test_secrets_are_left_out_unless_they_are_wanted(runtime, scripted, tmp_path, with_secrets):
    said = [("Set-Cookie", "sid=canary"), ("Location", "https://user:canary@example.org/")]
    server = scripted(keep_alive(lambda request: respond(headers=said)))

    async def work(client):
        await client.get(server.url, auth=("user", "canary"), headers={"Cookie": "sid=canary", "X-API-Key": "canary"})
        await client.get(server.url.replace("://", "://user:canary@"))

    path = tmp_path / "a.har"
    await record(runtime, path, work, with_secrets=with_secrets)
    assert ("canary" in path.read_text()) is with_secrets
    assert (path.stat().st_mode & 0o077 == 0) is with_secrets


async def test_sizes_on_the_wire(runtime, scripted, tmp_path):
    answer = respond(b"0123456789", headers=[("X-A", "b")])
    server = scripted(keep_alive(lambda request: answer))
    (entry,) = await record(runtime, tmp_path / "a.har", lambda client: client.get(server.url))
    response = entry["response"]
    assert response["headersSize"] == len(answer) - 10
    assert (response["bodySize"], response["_transferSize"]) == (10, len(answer))


async def test_the_same_as_a_page(runtime, app, scripted, tmp_path):
    har = httpx.HAR()
    gone = scripted(lambda conn: conn.read_request())
    async with runtime.client(follow_redirects=True) as client:
        har.watch(getattr(client, "wrapped", client))
        await client.get(app.url + "/redirect/1?<script>", auth=("user", "canary"))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(gone.url)
    har.save_html(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert [page.count(text) for text in ("<section", "302 GET /redirect/1", "200 GET /json", "failed GET /")] == [3, 2, 2, 2]
    assert page.count("connection reused") == 1
    assert "in 3 requests" in page
    assert "canary" not in page
    assert "<script>" not in page


async def test_only_so_much_is_kept(runtime, app, tmp_path):
    async def work(client):
        for number in range(5):
            await client.get(f"{app.url}/bytes/{number}")

    entries = await record(runtime, tmp_path / "a.har", work, max_entries=2)
    assert [entry["request"]["url"][-1] for entry in entries] == ["3", "4"]


async def test_with_a_rate_limit_and_another_recorder(runtime, app):
    first, second = httpx.HAR(), httpx.HAR()
    async with runtime.client(rate_limit=httpx.RateLimit(1000)) as client:
        for har in (first, second):
            har.watch(getattr(client, "wrapped", client))
        await client.get(app.url)
    assert len(first) == len(second) == 1
