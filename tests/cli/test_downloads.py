"""A body into a file: whole or not at all, under a harmless name, and over nothing that is there."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest

import httpx
from httpx._streaming.filenames import choose_filename, harmless
from tests.support.servers import Headers, keep_alive, pattern, respond


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-o", "mine.bin"], "mine.bin"),
        (["--download", "mine.bin"], "mine.bin"),
        (["-O"], "5000"),
        (["--download"], "5000"),
        (["-o", "."], "5000"),
    ],
)
def test_a_body_is_saved(command, app, tmp_path, arguments, name):
    outcome = command(app.url + "/bytes/5000", *arguments)
    assert (outcome.status, outcome.stdout) == (0, b"")
    assert outcome.stderr.startswith(f"Saved {name} (5.0 kB, in ")
    assert files_of(tmp_path) == {name: pattern(5000)}
    assert app.requests[0].headers["accept-encoding"] == "identity"


def test_a_file_of_unknown_length_is_saved(command, app, tmp_path):
    assert command(app.url + "/chunked/5000", "-O").status == 0
    assert files_of(tmp_path) == {"5000": pattern(5000)}


def test_on_a_terminal_there_is_a_progress_bar(command, app):
    assert "━" in command(app.url + "/bytes/5000000", "-O", terminal=True).stderr
    assert "━" not in command(app.url + "/bytes/6000000", "-O", terminal=True, term="dumb").stderr
    assert command(app.url + "/bytes/7000000", "-O", "-q", terminal=True).stderr == ""


def test_nothing_is_overwritten_unless_by_force(command, app, tmp_path):
    (tmp_path / "mine").write_bytes(b"precious")
    (tmp_path / "10").symlink_to("nowhere")
    outcome = command(app.url + "/bytes/10", "-o", "mine")
    assert outcome.status == 9
    assert "mine is there already. Say --force" in outcome.stderr
    assert app.requests == []  # known before anything is sent
    assert command(app.url + "/bytes/10", "-O").status == 9
    assert (tmp_path / "mine").read_bytes() == b"precious"
    assert os.readlink(tmp_path / "10") == "nowhere"
    assert command(app.url + "/bytes/10", "-o", "mine", "--force").status == 0
    assert (tmp_path / "mine").read_bytes() == pattern(10)


def test_a_file_that_comes_into_being_meanwhile_is_not_overwritten(command, scripted, tmp_path):
    def script(conn):
        conn.read_request()
        (tmp_path / "mine").write_bytes(b"precious")
        conn.send(respond(b"body"))

    outcome = command(scripted(script).url, "-o", "mine")
    assert outcome.status == 9
    assert "came into being meanwhile" in outcome.stderr
    assert (tmp_path / "mine").read_bytes() == b"precious"


def test_an_error_of_the_server_is_not_saved(command, app, tmp_path):
    outcome = command(app.url + "/nowhere", "-O")
    assert outcome.status == 4
    assert outcome.stderr == "404 Not Found.\nNothing was saved.\n"
    assert files_of(tmp_path) == {}


def test_the_part_is_made_anew_and_not_through_a_link(command, app, tmp_path):
    (tmp_path / "other").write_bytes(b"precious")
    (tmp_path / "mine.part").symlink_to("other")
    assert command(app.url + "/bytes/10", "-o", "mine").status == 0
    assert files_of(tmp_path) == {"mine": pattern(10), "other": b"precious"}


# Names.


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("", "page"),
        ("attachment", "page"),
        ('attachment; filename="report.pdf"', "report.pdf"),
        ("attachment; filename=report.pdf", "report.pdf"),
        ("attachment; FileName = report.pdf; size=3", "report.pdf"),
        (r'attachment; filename="a \"b\".pdf"', "a _b_.pdf"),
        ("attachment; filename=\"b.pdf\"; filename*=UTF-8''na%C3%AFve.pdf", "naïve.pdf"),
        ("attachment; filename*=iso-8859-1''na%EFve.pdf", "naïve.pdf"),
        ("attachment; filename*=UTF-8''%FF; filename=b.pdf", "b.pdf"),
        ("attachment; filename*=nonsense''a; filename=b.pdf", "b.pdf"),
        # Only the last part, whatever the separator is.
        ('attachment; filename="../../x"', "x"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        (r'attachment; filename="..\\..\\x"', "x"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx", "x"),
        ('attachment; filename="C:\\\\x"', "x"),
        # Nothing hidden, nothing that a shell or a system takes for something else.
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename="-rf"', "rf"),
        ('attachment; filename="CON.txt"', "_CON.txt"),
        ('attachment; filename="a:b|c?.txt"', "a_b_c_.txt"),
        ("attachment; filename*=UTF-8''a%0Ab%00%1B%5Bc%E2%80%AEtxt.exe", "ab[ctxt.exe"),
        ('attachment; filename=".."', "page"),
        ('attachment; filename="a/"', "page"),
    ],
)
def test_the_name_that_a_server_proposes_is_made_harmless(disposition, name):
    headers = httpx.Headers({"Content-Disposition": disposition} if disposition else {})
    assert choose_filename(httpx.URL("https://example.org/a/page?x=1"), headers) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org", "download"),
        ("https://example.org/a/", "download"),
        ("https://example.org/a%20b.txt", "a b.txt"),
        ("https://example.org/%2e%2e%2f%2e%2e%2fx", "x"),
        ("https://example.org/..%5Cx", "x"),
    ],
)
def test_the_name_from_the_url_is_made_harmless(url, name):
    assert choose_filename(httpx.URL(url), httpx.Headers()) == name


def test_a_long_name_is_cut_and_keeps_its_ending():
    name = harmless("é" * 500 + ".tar")
    assert len(name.encode()) <= 200
    assert name.endswith("é.tar")


def test_a_redirect_does_not_choose_the_name(command, scripted, tmp_path):
    def answer(request):
        if request.path == "/page":
            return respond(status=302, headers=[("Location", "/.bashrc")])
        return respond(b"body")

    assert command(scripted(keep_alive(answer)).url + "/page", "-L", "-O").status == 0
    assert files_of(tmp_path) == {"page": b"body"}


def test_the_name_of_the_response_counts(command, scripted, tmp_path):
    server = scripted(keep_alive(lambda request: respond(b"body", headers=[("Content-Disposition", 'attachment; filename="../../x"')])))
    (tmp_path / "folder").mkdir()
    assert command(server.url, "-o", "folder/").status == 0
    assert (tmp_path / "folder" / "x").read_bytes() == b"body"


@pytest.mark.parametrize("arguments", [("-O",), ("--download",), ("-o", "."), ("-o", "folder/")])
@pytest.mark.parametrize(
    "field",
    [
        'filename="../../x"',
        "filename=../../x",
        r'filename="..\\..\\x"',
        "filename*=UTF-8''..%2F..%2Fx",
        "filename*=UTF-8''..%5C..%5Cx",
        'filename="/tmp/x"',
        'filename="C:\\\\x"',
        'filename="folder/../../x"',
    ],
)
def test_a_server_places_no_file_elsewhere(command, scripted, tmp_path, monkeypatch, arguments, field):
    # X8, X9
    inner = tmp_path / "a" / "b" / "c"
    (inner / "folder").mkdir(parents=True)
    monkeypatch.chdir(inner)
    server = scripted(keep_alive(lambda request: respond(b"body", headers=[("Content-Disposition", f"attachment; {field}")])))
    assert command(server.url + "/%2e%2e%2f%2e%2e%2fy", *arguments).status == 0
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found == [(inner / "folder" if arguments[-1] == "folder/" else inner) / "x"]
    again = command(server.url + "/%2e%2e%2f%2e%2e%2fy", *arguments)
    assert again.status == 9
    assert "is there already" in again.stderr


def test_a_name_that_is_a_link_is_neither_followed_nor_overwritten(command, scripted, tmp_path):
    # X9
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "x").symlink_to("precious")
    server = scripted(keep_alive(lambda request: respond(b"body", headers=[("Content-Disposition", 'attachment; filename="x"')])))
    assert command(server.url, "-O").status == 9
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert command(server.url, "-O", "--force").status == 0
    assert not (tmp_path / "x").is_symlink()
    assert files_of(tmp_path) == {"x": b"body", "precious": b"precious"}


# Checksums.


def test_the_right_checksum(command, app, tmp_path):
    outcome = command(app.url + "/bytes/5000", "-O", "--checksum", f"sha256:{digest(pattern(5000)).upper()}")
    assert outcome.status == 0


def test_the_wrong_checksum_leaves_nothing(command, app, tmp_path):
    outcome = command(app.url + "/bytes/5000", "-O", "--checksum", f"sha256:{'0' * 64}")
    assert outcome.status == 9
    assert "5000 has the wrong checksum and was thrown away" in outcome.stderr
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize(("content", "status"), [(b"body", 0), (b"tampered", 9)])
def test_the_digest_that_the_server_gives_is_checked(command, scripted, content, status):
    """RFC 9530."""
    encoded = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    server = scripted(keep_alive(lambda request: respond(content, headers=[("Repr-Digest", f"sha-256=:{encoded}:, md5=:AAAA:")])))
    assert command(server.url, "-o", "x").status == status


# Resuming.


class Shop:
    """Serves one file, cuts the first answer short, and knows ranges as RFC 9110 section 14 has them."""

    def __init__(self, scripted, content: bytes, tag: str = '"v1"', cut: int = 3000, more: Headers = ()) -> None:
        self.content = content
        self.tag = tag
        self.cut = cut
        self.more = list(more)
        self.server = scripted(self.serve)
        self.url = self.server.url + "/file.bin"

    def serve(self, conn) -> None:
        headers = conn.read_request().headers
        if "range" in headers and headers.get("if-range") == self.tag:
            start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
            place = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
            conn.send(respond(self.content[start:], 206, [("ETag", self.tag), ("Content-Range", place)]))
            return
        conn.send(respond(self.content, headers=[*self.more, *([("ETag", self.tag)] if self.tag else [])])[: self.cut])
        self.cut = 1 << 30


def test_a_download_that_broke_off_goes_on(command, scripted, tmp_path):
    shop = Shop(scripted, pattern(10_000))
    broken = command(shop.url, "-O")
    assert broken.status == 1
    assert "go on with --resume" in broken.stderr
    assert not (tmp_path / "file.bin").exists()
    have = (tmp_path / "file.bin.part").stat().st_size
    assert 0 < have < 10_000
    outcome = command(shop.url, "-O", "--resume", "--checksum", f"sha256:{digest(pattern(10_000))}")
    assert outcome.status == 0
    assert "of it before" in outcome.stderr
    assert files_of(tmp_path) == {"file.bin": pattern(10_000)}
    assert shop.server.requests[-1].headers["range"] == f"bytes={have}-"


def test_what_has_changed_meanwhile_is_loaded_anew(command, scripted, tmp_path):
    shop = Shop(scripted, pattern(10_000))
    assert command(shop.url, "-O").status == 1
    shop.content, shop.tag = b"new" * 2000, '"v2"'
    assert command(shop.url, "-O", "--resume").status == 0
    assert files_of(tmp_path) == {"file.bin": b"new" * 2000}


@pytest.mark.parametrize("tag", ["", 'W/"v1"'])
def test_without_a_strong_name_for_the_version_nothing_is_joined(command, scripted, tmp_path, tag):
    shop = Shop(scripted, pattern(10_000), tag)
    broken = command(shop.url, "-O")
    assert "--resume" not in broken.stderr
    assert command(shop.url, "-O", "--resume").status == 0
    assert "range" not in shop.server.requests[-1].headers
    assert files_of(tmp_path) == {"file.bin": pattern(10_000)}


@pytest.mark.parametrize("place", ["bytes 0-9/10", "bytes 5-9/10", "nonsense", None])
def test_another_range_than_the_one_asked_for_is_refused(command, scripted, tmp_path, place):
    answers = [respond(b"abcdef", headers=[("ETag", '"v1"')])[:-3]]

    def script(conn):
        conn.read_request()
        conn.send(answers.pop())

    url = scripted(script).url
    assert command(url, "-o", "x").status == 1
    answers.append(respond(b"rest", 206, [] if place is None else [("Content-Range", place)]))
    outcome = command(url, "-o", "x", "--resume")
    assert outcome.status == 9
    assert "another part" in outcome.stderr
    assert (tmp_path / "x.part").read_bytes() == b"abc"


def test_what_another_url_left_behind_is_not_gone_on_with(command, scripted, tmp_path):
    """Their entity tags may be the same by chance."""
    shop = Shop(scripted, pattern(10_000))
    assert command(shop.url, "-o", "x").status == 1
    assert command(shop.url + "?other", "-o", "x", "--resume").status == 0
    assert "range" not in shop.server.requests[-1].headers
    assert files_of(tmp_path) == {"x": pattern(10_000)}


def test_a_download_goes_on_under_the_name_that_the_server_gave_it(command, scripted, tmp_path):
    shop = Shop(scripted, pattern(10_000), more=[("Content-Disposition", "attachment; filename=proposed.bin")])
    assert command(shop.url, "-O").status == 1
    assert command(shop.url, "-O", "--resume").status == 0
    assert "range" in shop.server.requests[-1].headers
    assert files_of(tmp_path) == {"proposed.bin": pattern(10_000)}


@pytest.mark.parametrize(("date", "is_joined"), [("Sat, 01 Jan 2022 00:00:05 GMT", True), ("Sat, 01 Jan 2022 00:00:00 GMT", False)])
def test_a_date_vouches_for_the_version_if_no_other_one_fits_in_it(command, scripted, tmp_path, date, is_joined):
    """RFC 9110 section 8.8.2.2: not if the file was changed within the second of the answer."""
    modified = "Sat, 01 Jan 2022 00:00:00 GMT"
    shop = Shop(scripted, pattern(10_000), "", more=[("Last-Modified", modified), ("Date", date)])
    assert command(shop.url, "-O").status == 1
    shop.tag = modified
    assert command(shop.url, "-O", "--resume").status == 0
    assert ("range" in shop.server.requests[-1].headers) is is_joined
    assert files_of(tmp_path) == {"file.bin": pattern(10_000)}


@pytest.mark.parametrize("notes", ["", "[]", "{}", '{"validator": 1}', "null"])
def test_notes_that_make_no_sense_are_passed_over(command, app, tmp_path, notes):
    (tmp_path / "x.part").write_bytes(b"abc")
    (tmp_path / "x.part.json").write_text(notes)
    assert command(app.url + "/bytes/10", "-o", "x", "--resume").status == 0
    assert files_of(tmp_path) == {"x": pattern(10)}
