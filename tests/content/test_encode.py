"""From `content=`, `data=` and `json=` to a body and the header fields that describe it."""

from __future__ import annotations

import io
import json

import pytest

import httpx
import httpx._content


def request(method="POST", **content):
    return httpx.Request(method, "http://example.org/", **content)


FORMS = [
    ({"a": "1", "b": "x y"}, b"a=1&b=x+y"),
    ({"a": ["1", 2, None, True, False], "b": ("3",)}, b"a=1&a=2&a=&a=true&a=false&b=3"),
    ({"a": None, "b": 2.5, "c": b"\xff"}, b"a=&b=2.5&c=%FF"),
    ({"é&=": "~*+"}, b"%C3%A9%26%3D=~%2A%2B"),
    ([("a", "1"), ("b", "2"), ("a", "3")], b"a=1&a=3&b=2"),
]


@pytest.mark.parametrize(("data", "body"), FORMS)
def test_a_form_is_url_encoded(data, body):
    made = request(data=data)
    assert made.content == body
    assert made.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert made.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("content", [{}, {"data": {}}, {"content": b""}, {"data": {}, "files": []}, {"json": None}])
def test_a_post_without_content_says_so(content):
    assert request(**content).headers["Content-Length"] == "0"
    assert "Content-Length" not in request("GET", **content).headers


@pytest.mark.parametrize("data", [b"raw", "raw", iter([b"raw"])])
def test_data_that_is_no_form_is_taken_as_content_with_a_warning(data):
    with pytest.warns(DeprecationWarning, match="content="):
        made = request(data=data)
    assert made.read() == b"raw"
    assert "Content-Type" not in made.headers


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"content": b"c", "data": {"d": "1"}, "json": 1}, b"c"),
        ({"data": {"d": "1"}, "json": 1}, b"d=1"),
        ({"data": {}, "json": 1}, b"1"),
    ],
)
def test_of_several_contents_the_first_counts(content, body):
    assert request(**content).content == body


def test_files_count_before_json():
    assert b"filename" in request(files={"f": b"1"}, json=1).read()


def test_json_is_compact_and_never_nan():
    assert request(json={"a": [1, "é"]}).content == '{"a":[1,"é"]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        request(json=float("nan"))


@pytest.mark.parametrize("content", [bytearray(b"abc"), memoryview(b"abc"), "abc", b"abc"])
def test_content_in_memory_has_a_length(content):
    made = request(content=content)
    assert made.content == b"abc"
    assert made.headers["Content-Length"] == "3"


def test_a_file_is_sent_from_where_it_stands_and_again():
    file = io.BytesIO(b"0123456789")
    file.read(4)
    made = request(content=file)
    assert made.headers["Content-Length"] == "6"
    assert [b"".join(made.stream) for _ in range(2)] == [b"456789"] * 2


def test_a_path_stands_for_the_file_there(tmp_path):
    (tmp_path / "file").write_bytes(b"hello")
    made = request(content=tmp_path / "file")
    assert made.headers["Content-Length"] == "5"
    assert [b"".join(made.stream) for _ in range(2)] == [b"hello"] * 2
    with pytest.raises(FileNotFoundError):
        request(content=tmp_path / "absent")


def test_a_file_need_not_be_more_than_something_to_read():
    class File:
        def __init__(self):
            self.parts = [b"ab", b"cd"]

        def read(self, size):
            return self.parts.pop(0) if self.parts else b""

    made = request(content=File())
    assert made.headers["Transfer-Encoding"] == "chunked"
    assert b"".join(made.stream) == b"abcd"
    with pytest.raises(httpx.StreamConsumed):
        b"".join(made.stream)


@pytest.mark.parametrize("content", [1, {"a": 1}, object()])
def test_content_of_no_known_kind_is_a_type_error(content):
    with pytest.raises(TypeError, match="Unexpected type for 'content', <class"):
        request(content=content)


def test_what_the_caller_says_about_the_content_stands():
    made = request(data={"a": "1"}, headers={"Content-Type": "x/y", "Transfer-Encoding": "chunked"})
    assert made.headers["Content-Type"] == "x/y"
    assert "Content-Length" not in made.headers


def test_the_names_that_other_libraries_import_resolve():
    assert httpx._content.encode_json([1])[0] == {"Content-Length": "3", "Content-Type": "application/json"}
    assert httpx._content.encode_urlencoded_data({"a": "1"})[0]["Content-Type"] == "application/x-www-form-urlencoded"
    fields, stream = httpx._content.encode_multipart_data({"a": "1"}, files=[], boundary=b"xx")
    assert fields == {"Content-Length": str(len(b"".join(stream))), "Content-Type": "multipart/form-data; boundary=xx"}

    class Both(httpx._content.AsyncIteratorByteStream, httpx._content.IteratorByteStream):
        def __init__(self, parts):
            httpx._content.AsyncIteratorByteStream.__init__(self, stream=parts)
            httpx._content.IteratorByteStream.__init__(self, stream=parts)

    assert list(Both([b"1", b"2"])) == [b"1", b"2"]


async def test_a_mock_transport_of_an_async_client_reads_sync_content():
    def handler(request):
        return httpx.Response(200, json=request.content.decode())

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        response = await client.post("http://example.org/", content=iter([b"a", b"b"]))
    assert json.loads(response.text) == "ab"
