"""Forms with files: what goes over the wire for every way to give them, and what is refused."""

from __future__ import annotations

import email.parser
import email.policy
import io
import itertools
import os
import threading

import pytest

import httpx
from httpx._multipart import MultipartStream
from tests.support.servers import respond


def body_of(**content):
    """The body of a request with the boundary `xx`."""
    request = httpx.Request("POST", "http://example.org/", headers={"Content-Type": "multipart/form-data; boundary=xx"}, **content)
    return request.read()


def part(disposition, content, *fields):
    return "\r\n".join(["--xx", f"Content-Disposition: form-data; {disposition}", *fields, "", content, ""]).encode()


OCTETS = "Content-Type: application/octet-stream"
END = b"--xx--\r\n"


def named_file(folder):
    (folder / "report.txt").write_bytes(b"hello")
    return (folder / "report.txt").open("rb")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b"hello", part('name="f"; filename="upload"', "hello", OCTETS)),
        ("hello", part('name="f"; filename="upload"', "hello", OCTETS)),
        (bytearray(b"hello"), part('name="f"; filename="upload"', "hello", OCTETS)),
        (io.BytesIO(b"hello"), part('name="f"; filename="upload"', "hello", OCTETS)),
        (iter([b"hel", b"", b"lo"]), part('name="f"; filename="upload"', "hello", OCTETS)),
        (("a.txt", b"hello"), part('name="f"; filename="a.txt"', "hello", "Content-Type: text/plain")),
        (("a.unheard-of", b"hello"), part('name="f"; filename="a.unheard-of"', "hello", OCTETS)),
        (("a.txt", [b"hel", b"lo"]), part('name="f"; filename="a.txt"', "hello", "Content-Type: text/plain")),
        ((None, b"hello"), part('name="f"', "hello")),
        (("", b"hello"), part('name="f"', "hello")),
        (("a.txt", b"hello", "text/x"), part('name="f"; filename="a.txt"', "hello", "Content-Type: text/x")),
        (("a.txt", b"hello", None), part('name="f"; filename="a.txt"', "hello", "Content-Type: text/plain")),
        ((None, "{}", "application/json"), part('name="f"', "{}", "Content-Type: application/json")),
        (("a", b"hello", "text/x", {"X-A": "1"}), part('name="f"; filename="a"', "hello", "X-A: 1", "Content-Type: text/x")),
        (("a", b"hello", None, {"content-type": "text/y"}), part('name="f"; filename="a"', "hello", "content-type: text/y")),
        ([b"1", ("b", b"2")], part('name="f"; filename="upload"', "1", OCTETS) + part('name="f"; filename="b"', "2", OCTETS)),
    ],
)
def test_a_file_is_given_in_many_forms(given, expected):
    assert body_of(files={"f": given}) == expected + END


def test_an_open_file_is_called_by_the_last_part_of_its_name(tmp_path):
    with named_file(tmp_path) as file:
        assert body_of(files={"f": file}) == part('name="f"; filename="report.txt"', "hello", "Content-Type: text/plain") + END


def test_a_path_stands_for_the_file_there(tmp_path):
    named_file(tmp_path).close()
    request = httpx.Request("POST", "http://example.org/", files={"f": tmp_path / "report.txt"})
    bodies = [b"".join(request.stream) for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert b'filename="report.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n' in bodies[0]
    assert request.headers["Content-Length"] == str(len(bodies[0]))
    with pytest.raises(FileNotFoundError):
        httpx.Request("POST", "http://example.org/", files={"f": ("name", tmp_path / "absent")})


def test_one_field_has_several_files_in_a_list_of_pairs():
    expected = part('name="f"; filename="upload"', "1", OCTETS) + part('name="f"; filename="upload"', "2", OCTETS)
    assert body_of(files=[("f", b"1"), ("f", b"2")]) == expected + END


def test_fields_come_before_files():
    body = body_of(data={"a": ["x", 1, 2.5], "b": None, "c": True, "d": b"\xff"}, files={"f": ("n", b"1")})
    fields = [part('name="a"', "x"), part('name="a"', "1"), part('name="a"', "2.5"), part('name="b"', ""), part('name="c"', "true")]
    binary = part('name="d"', "?").replace(b"?", b"\xff")
    assert body == b"".join(fields) + binary + part('name="f"; filename="n"', "1", OCTETS) + END


def test_fields_may_be_pairs():
    assert body_of(data=[("a", "1"), ("a", "2")], files={"f": (None, b"")}).startswith(part('name="a"', "1") + part('name="a"', "2"))


def test_without_files_a_form_is_url_encoded():
    request = httpx.Request("POST", "http://example.org/", data={"a": "1"}, files={})
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a"b', "a%22b"),
        ("a\r\nInjected: yes", "a%0D%0AInjected: yes"),
        ('a"; name="evil', "a%22; name=%22evil"),
        ("a\\b", "a\\\\b"),
        ("a\0\t", "a%00%09"),
        ("naïve 名", "naïve 名"),
    ],
)
def test_names_cannot_break_out_of_their_quotes(name, written):  # I16, I17
    body = body_of(data={name: "v"}, files={name: (name, b"1", "t/p")})
    assert body == part(f'name="{written}"', "v") + part(f'name="{written}"; filename="{written}"', "1", "Content-Type: t/p") + END


@pytest.mark.parametrize(
    "file",
    [
        ("a", b"d", "text/plain\r\nInjected: yes"),
        ("a", b"d", "text/plain\0"),
        ("a", b"d", "t/p", {"X": "v\r\nInjected: yes"}),
        ("a", b"d", "t/p", {"X": "v\n"}),
        ("a", b"d", "t/p", {"X\r\nInjected": "v"}),
        ("a", b"d", "t/p", {"": "v"}),
    ],
)
def test_part_headers_that_would_break_out_of_their_line_are_refused(file):  # I18, I19
    with pytest.raises(httpx.LocalProtocolError):
        body_of(files={"f": file})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"files": {"f": 1}}, "the file 'f' is bytes"),
        ({"files": {"f": None}}, "the file 'f' is bytes"),
        ({"files": {1: b""}}, "Invalid type for name"),
        ({"files": {"f": b""}, "data": {1: ""}}, "Invalid type for name"),
        ({"files": {"f": b""}, "data": {"a": {"b": "c"}}}, "Invalid type for value"),
        ({"files": {"f": b""}, "data": {"a": object()}}, "Invalid type for value"),
        ({"files": {"f": io.StringIO("text")}}, "require 'io.BytesIO'"),
        ({"files": {"f": ("a", b"", "t/p", {"X": 1})}}, "pairs of str"),
        ({"content": io.StringIO("text")}, "binary mode"),
    ],
)
def test_content_of_a_wrong_kind_is_a_type_error(content, told):
    with pytest.raises(TypeError, match=told):
        body_of(**content)


@pytest.mark.parametrize("items", [1, 5])
def test_a_tuple_of_the_wrong_length_is_a_value_error(items):
    with pytest.raises(ValueError, match="two to four"):
        body_of(files={"f": ("a",) * items})


@pytest.mark.parametrize("declared", ["+++", "'+ +'", "0123456789"])
def test_a_boundary_of_the_callers_own_is_used(declared):
    headers = {"Content-Type": f'Multipart/Form-Data; charset=utf-8; Boundary="{declared}" ;'}
    request = httpx.Request("POST", "http://example.org/", files={"f": b"1"}, headers=headers)
    assert request.headers["Content-Type"] == headers["Content-Type"]
    assert request.read().startswith(f"--{declared}\r\n".encode())
    assert request.read().endswith(f"--{declared}--\r\n".encode())


@pytest.mark.parametrize("given", ["multipart/form-data", "multipart/form-data; charset=utf-8; ", "multipart/mixed"])
def test_a_multipart_type_without_boundary_is_given_one(given):
    request = httpx.Request("POST", "http://example.org/", files={"f": b"1"}, headers={"content-type": given})
    start, _, boundary = request.headers["Content-Type"].partition("; boundary=")
    assert start == given.rstrip("; ")
    assert request.read().startswith(f"--{boundary}\r\n".encode())


def test_another_content_type_of_the_caller_is_left_alone():
    request = httpx.Request("POST", "http://example.org/", files={"f": b"1"}, headers={"Content-Type": "application/x"})
    assert request.headers["Content-Type"] == "application/x"


def test_boundaries_are_random():  # X10
    boundaries = {MultipartStream(data={}, files={}).boundary for _ in range(1000)}
    assert len(boundaries) == 1000
    assert all(len(boundary) == 32 for boundary in boundaries)


def test_boundaries_come_from_the_system(monkeypatch):
    monkeypatch.setattr(os, "urandom", bytes)
    assert MultipartStream(data={}, files={}).boundary == b"0" * 32


def test_a_file_is_sent_from_its_beginning_each_time(tmp_path):
    with named_file(tmp_path) as file:
        file.read(2)
        request = httpx.Request("POST", "http://example.org/", files={"f": file}, data={"a": "b"})
        bodies = [b"".join(request.stream) for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert b"\r\n\r\nhello\r\n" in bodies[0]
    assert request.headers["Content-Length"] == str(len(bodies[0]))


class Pipe(io.RawIOBase):
    """A file that cannot be positioned."""

    def __init__(self, data):
        self.left = data

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), len(self.left))
        buffer[:size], self.left = self.left[:size], self.left[size:]
        return size


@pytest.mark.parametrize("make", [lambda: Pipe(b"hello"), lambda: iter([b"hello"]), lambda: (piece for piece in [b"hello"])])
def test_what_can_be_read_once_says_so_the_second_time(make):
    request = httpx.Request("POST", "http://example.org/", files={"f": make()})
    assert request.headers["Transfer-Encoding"] == "chunked"
    assert b"hello" in b"".join(request.stream)
    with pytest.raises(httpx.StreamConsumed):
        b"".join(request.stream)


def test_the_length_is_that_of_what_is_read_not_of_what_is_on_the_disk(tmp_path):
    import gzip

    (tmp_path / "a.gz").write_bytes(gzip.compress(b"hello" * 1000))
    with gzip.open(tmp_path / "a.gz") as file:
        request = httpx.Request("POST", "http://example.org/", files={"f": file})
        assert request.headers["Content-Length"] == str(len(request.read()))
    assert b"hello" * 1000 in request.content


def test_small_parts_are_gathered_and_large_files_are_not():
    stream = MultipartStream(data={str(number): "x" for number in range(100)}, files={"f": io.BytesIO(bytes(1_000_000))})
    pieces = list(map(len, stream))
    assert sum(pieces) == stream.content_length()
    assert max(pieces) < 300_000
    assert len(pieces) < 10


def parsed(request):
    """The parts of a body as the server's library for mail reads them: by name, file name and content."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    return [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in message.iter_parts()
    ]


async def test_a_form_arrives(no_leaks, runtime, app, tmp_path):
    content = os.urandom(300_000)
    (tmp_path / "large.bin").write_bytes(content)
    async with runtime.client() as client:
        with (tmp_path / "large.bin").open("rb") as file:
            request = httpx.Request("POST", app.url + "/echo", data={"a": "b"}, files={"f": file, "g": ("x.txt", iter([b"1", b"2"]))})
            response = await client.send(request)
    assert response.status_code == 200
    received = app.requests[0]
    assert received.headers["transfer-encoding"] == "chunked"
    assert parsed(received) == [("a", None, b"b"), ("f", "large.bin", content), ("g", "x.txt", b"12")]


async def test_files_are_not_read_on_the_event_loop(runtime, app):
    readers = set()

    class File(io.BytesIO):
        def read(self, size=-1):
            readers.add(threading.current_thread())
            return super().read(size)

    async with runtime.client() as client:
        await client.send(httpx.Request("POST", app.url + "/echo", files={"f": File(b"hello")}))
        await client.send(httpx.Request("POST", app.url + "/echo", content=File(b"hello")))
    assert (threading.current_thread() in readers) == (not runtime.is_async)
    assert [b"hello" in request.body for request in app.requests] == [True, True]


class AsyncFile:
    """As the libraries for files in async code have them."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    async def read(self, size=-1):
        return self.file.read(size)

    async def seek(self, position):
        return self.file.seek(position)


async def test_async_files_are_sent_by_async_clients(runtime, app):
    async def generated():
        yield b"hel"
        yield b"lo"

    def request():
        files = {"a": AsyncFile(b"hello"), "b": ("n", generated()), "c": io.BytesIO(b"hello")}
        return httpx.Request("POST", app.url + "/echo", files=files)

    async with runtime.client() as client:
        if not runtime.is_async:
            with pytest.raises(RuntimeError, match="async request with a sync Client"):
                await client.send(request())
            return
        await client.send(request())
        await client.send(httpx.Request("POST", app.url + "/echo", content=AsyncFile(b"hello")))
    assert [content for _, _, content in parsed(app.requests[0])] == [b"hello"] * 3
    assert app.requests[1].body == b"hello"


def test_the_shim_renders_as_the_request_does():
    stream = MultipartStream(data={"a": "1"}, files={"f": b"1"}, boundary=b"xx")
    assert stream.content_type == "multipart/form-data; boundary=xx"
    assert b"".join(stream) == body_of(data={"a": "1"}, files={"f": b"1"})


def once_redirected(conn):
    for number in itertools.count():
        conn.read_request()
        conn.send(b"HTTP/1.1 307 X\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n" if number == 0 else respond(b"ok"))


async def test_files_are_sent_again_where_a_redirect_leads(no_leaks, runtime, scripted, tmp_path):
    server = scripted(once_redirected)
    async with runtime.client(follow_redirects=True) as client:
        with named_file(tmp_path) as file:
            response = await client.post(server.url + "/here", data={"a": "b"}, files={"f": file})
    assert response.status_code == 200
    first, second = server.requests
    assert first.body == second.body
    assert parsed(second) == [("a", None, b"b"), ("f", "report.txt", b"hello")]


async def test_a_file_that_is_gone_is_an_error_where_a_redirect_leads(no_leaks, runtime, scripted):
    server = scripted(once_redirected)
    async with runtime.client(follow_redirects=True) as client:
        with pytest.raises(httpx.StreamConsumed):
            await client.post(server.url + "/here", files={"f": iter([b"hello"])})


async def test_a_file_is_sent_again_with_credentials(no_leaks, runtime, scripted):
    def script(conn):
        conn.read_request()
        challenge = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
        conn.send(b"HTTP/1.1 401 X\r\n" + challenge + b"Content-Length: 0\r\n\r\n")
        conn.read_request()
        conn.send(respond(b"ok"))

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth("user", "password")) as client:
        assert (await client.post(server.url, files={"f": io.BytesIO(b"hello")})).status_code == 200
    assert [b"hello" in request.body for request in server.requests] == [True, True]
