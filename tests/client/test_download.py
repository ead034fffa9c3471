"""`client.download()`: whole or not at all, in one go or in several."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest

import httpx
from tests.support.servers import pattern, respond

BODY = pattern(3_000_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


class FileServer:
    """Serves BODY with ranges (RFC 9110 section 14), and breaks off where it is told to: offsets, one per response."""

    def __init__(self, *cuts, tag='"v1"', headers=()):
        self.cuts = iter(cuts)
        self.tag = tag
        self.headers = list(headers)

    def __call__(self, conn):
        while True:
            request = conn.read_request()
            begin = 0
            if "range" in request.headers and request.headers.get("if-range") == self.tag:
                begin = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
            head = [("ETag", self.tag), *self.headers]
            if begin:
                head.append(("Content-Range", f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}"))
            message = respond(BODY[begin:], 206 if begin else 200, head)
            cut = next(self.cuts, None)
            if cut is not None:
                conn.send(message[: message.index(b"\r\n\r\n") + 4 + cut - begin])
                return
            conn.send(message)


def ranges(server):
    return [request.headers.get("range") for request in server.requests]


async def test_a_file_is_saved(no_leaks, runtime, scripted, tmp_path):
    server = scripted(FileServer())
    told = []
    async with runtime.client() as client:
        done = await client.download(server.url, tmp_path / "file", progress=lambda *now: told.append(now))
        assert client.pool_stats().in_use == 0
    assert done.path == tmp_path / "file"
    assert done.path.read_bytes() == BODY
    assert (done.size, done.resumed_from, done.response.status_code) == (len(BODY), 0, 200)
    assert told[-1] == (len(BODY), len(BODY))
    assert sorted(told) == told
    assert os.listdir(tmp_path) == ["file"]


async def test_a_folder_takes_the_name_that_the_server_proposes(runtime, scripted, tmp_path):
    server = scripted(FileServer(headers=[("Content-Disposition", 'attachment; filename="../../etc/report.pdf"')]))
    async with runtime.client() as client:
        assert (await client.download(server.url + "/x", tmp_path)).path == tmp_path / "report.pdf"
        with pytest.raises(FileExistsError, match="overwrite=True"):
            await client.download(server.url + "/x", tmp_path)


async def test_a_file_that_is_there_is_kept_unless_it_may_be_overwritten(runtime, scripted, tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    server = scripted(FileServer())
    async with runtime.client() as client:
        with pytest.raises(FileExistsError):
            await client.download(server.url, target)
        assert (target.read_bytes(), server.requests) == (b"old", [])
        await client.download(server.url, target, overwrite=True)
    assert target.read_bytes() == BODY


async def test_where_the_connection_breaks_it_goes_on(runtime, scripted, tmp_path):
    server = scripted(FileServer(1_000_000, 2_500_000))
    told = []
    async with runtime.client() as client:
        done = await client.download(server.url, tmp_path / "file", digest=f"sha256:{DIGEST}", progress=lambda *now: told.append(now))
    assert done.path.read_bytes() == BODY
    assert ranges(server) == [None, "bytes=1000000-", "bytes=2500000-"]
    assert told[-1] == (len(BODY), len(BODY))


async def test_a_later_call_goes_on_where_an_earlier_one_ended(runtime, scripted, tmp_path):
    server = scripted(FileServer(1_000_000))
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, tmp_path / "file", attempts=1)
        assert not (tmp_path / "file").exists()
        done = await client.download(server.url, tmp_path / "file")
    assert (done.path.read_bytes(), done.resumed_from) == (BODY, 1_000_000)
    assert sorted(os.listdir(tmp_path)) == ["file"]


async def test_another_version_is_asked_for_from_its_beginning(runtime, scripted, tmp_path):
    first = FileServer(1_000_000)
    server = scripted(first)
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, tmp_path / "file", attempts=1)
        first.tag = '"v2"'
        done = await client.download(server.url, tmp_path / "file")
    assert (done.path.read_bytes(), done.resumed_from) == (BODY, 0)


async def test_without_resume_nothing_is_left_to_chance(runtime, scripted, tmp_path):
    server = scripted(FileServer(1_000_000))
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, tmp_path / "file", attempts=1)
        await client.download(server.url, tmp_path / "file", resume=False)
    assert ranges(server) == [None, None]


async def test_a_wrong_checksum_leaves_no_file(runtime, scripted, tmp_path):
    async with runtime.client() as client:
        with pytest.raises(httpx.DownloadError, match="wrong checksum") as caught:
            await client.download(scripted(FileServer()).url, tmp_path / "file", digest="sha256:" + "0" * 64)
        assert caught.value.request.method == "GET"
        told = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        with pytest.raises(httpx.DownloadError, match="wrong checksum"):
            await client.download(scripted(FileServer(headers=[("Repr-Digest", f"sha-256=:{told}:")])).url, tmp_path / "file")
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match="hexadecimal"):
        httpx.Client().download("http://127.0.0.1:1/", tmp_path / "file", digest="sha256:0")


async def test_another_range_than_the_one_asked_for(runtime, scripted, tmp_path):
    def script(conn):
        request = conn.read_request()
        if "range" in request.headers:
            conn.send(respond(b"xx", 206, [("ETag", '"v1"'), ("Content-Range", "bytes 5-6/10")]))
        else:
            conn.send(respond(b"x" * 10, headers=[("ETag", '"v1"')])[:-7])

    async with runtime.client() as client:
        with pytest.raises(httpx.DownloadError, match="another part"):
            await client.download(scripted(script).url, tmp_path / "file")
    assert not (tmp_path / "file").exists()


async def test_a_status_that_is_no_success(no_leaks, runtime, app, tmp_path):
    async with runtime.client() as client:
        with pytest.raises(httpx.HTTPStatusError):
            await client.download(app.url + "/status/404", tmp_path / "file")
        assert client.pool_stats().in_use == 0
    assert os.listdir(tmp_path) == []


async def test_a_progress_function_that_raises_ends_it(no_leaks, runtime, scripted, tmp_path):
    class Enough(Exception):
        pass

    def progress(done, total):
        raise Enough

    server = scripted(FileServer())
    async with runtime.client() as client:
        with pytest.raises(Enough):
            await client.download(server.url, tmp_path / "file", progress=progress)
        assert client.pool_stats().in_use == 0
        assert (await client.download(server.url, tmp_path / "file")).resumed_from > 0


MANY = "9" * 5_000


@pytest.mark.parametrize(
    "field",
    [f"bytes {MANY}-5/10", f"bytes 3-9/{MANY}", "bytes \u0663-9/10", f"bytes 3-{MANY}/*", "bytes 3-9/10", "bytes 3-4/10", "", "bytes */10"],
)
async def test_a_range_that_is_none(runtime, scripted, tmp_path, field):
    def script(conn):
        request = conn.read_request()
        if "range" in request.headers:
            conn.send(b"HTTP/1.1 206 X\r\nContent-Length: 2\r\nContent-Range: " + field.encode() + b"\r\n\r\nxx")
        else:
            conn.send(respond(b"x" * 10, headers=[("ETag", '"v1"')])[:-7])

    async with runtime.client() as client:
        with pytest.raises((httpx.DownloadError, httpx.RemoteProtocolError)):
            await client.download(scripted(script).url, tmp_path / "file")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    "fields",
    [
        [("Last-Modified", f"1 Jan {MANY} 00:00:00 GMT"), ("Date", "Wed, 21 Oct 2015 07:28:00 GMT")],
        [("Last-Modified", f"1 Jan 1 0:0:0 +{MANY}"), ("Date", f"1 Jan 1 0:0:0 +{MANY}")],
        [("ETag", '"\xe9"'), ("Repr-Digest", "sha-256=:====:")],
        [("Content-Disposition", "attachment; filename=" + "a" * 60_000)],
        [("Content-Disposition", "attachment; filename*=utf-8''%ff%00%2e%2e%2f")],
    ],
)
async def test_what_a_server_says_of_a_file_does_no_harm(runtime, scripted, tmp_path, fields):
    server = scripted(FileServer(1_000_000, headers=fields, tag=""))
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, f"{tmp_path}/", attempts=1)
        done = await client.download(server.url, f"{tmp_path}/")
    assert done.path.read_bytes() == BODY
    assert done.path.parent == tmp_path
    assert len(done.path.name) <= 200


def replaced_by_a_link(part, tmp_path):
    """What a part may be exchanged for, and what must not be touched then."""
    precious = tmp_path / "precious"
    part.replace(precious)
    part.symlink_to(precious)


def replaced_by_a_hard_link(part, tmp_path):
    os.link(part, tmp_path / "precious")


def replaced_by_a_pipe(part, tmp_path):
    part.replace(tmp_path / "precious")
    os.mkfifo(part)


@pytest.mark.skipif(os.name == "nt", reason="no links without privileges there")
@pytest.mark.parametrize("exchange", [replaced_by_a_link, replaced_by_a_hard_link, replaced_by_a_pipe])
@pytest.mark.parametrize("which", ["file.part", "file.part.json"])
async def test_what_is_no_longer_the_file_that_was_left_is_not_gone_on_with(no_leaks, runtime, scripted, tmp_path, exchange, which):
    server = scripted(FileServer(1_000_000))
    folder = tmp_path / "folder"
    folder.mkdir()
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, folder / "file", attempts=1)
        exchange(folder / which, tmp_path)
        precious = (tmp_path / "precious").read_bytes()
        done = await client.download(server.url, folder / "file")
        assert client.pool_stats().in_use == 0
    assert (done.path.read_bytes(), done.resumed_from) == (BODY, 0)
    assert ranges(server) == [None, None]
    assert not done.path.is_symlink()
    assert (tmp_path / "precious").read_bytes() == precious
    assert os.listdir(folder) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no such owners there")
async def test_what_another_user_has_left_is_not_gone_on_with(runtime, scripted, tmp_path, monkeypatch):
    server = scripted(FileServer(1_000_000, 2_000_000))
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, tmp_path / "file", attempts=1)
        of_part, lstat = (tmp_path / "file.part").lstat().st_ino, type(tmp_path).lstat

        def with_another_owner(path):
            found = lstat(path)
            return os.stat_result((*found[:4], 12345, *found[5:])) if found.st_ino == of_part else found

        monkeypatch.setattr(type(tmp_path), "lstat", with_another_owner)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.download(server.url, tmp_path / "file", attempts=1)
    assert ranges(server) == [None, None]


@pytest.mark.skipif(os.name == "nt", reason="no links without privileges there")
async def test_a_part_that_is_exchanged_while_the_server_answers(no_leaks, runtime, scripted, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    part = tmp_path / "file.part"
    breaks_off = FileServer(1_000_000)

    def script(conn):
        if conn.number == 0:
            breaks_off(conn)
            return
        request = conn.read_request()
        part.unlink()
        part.symlink_to(precious)
        assert request.headers["range"] == "bytes=1000000-"
        fields = [("ETag", '"v1"'), ("Content-Range", f"bytes 1000000-{len(BODY) - 1}/{len(BODY)}")]
        conn.send(respond(BODY[1_000_000:], 206, fields))

    server = scripted(script)
    async with runtime.client() as client:
        with pytest.raises(httpx.DownloadError, match=r"file\.part is not what it was"):
            await client.download(server.url, tmp_path / "file", digest=f"sha256:{DIGEST}")
        assert client.pool_stats().in_use == 0
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "file").exists()
