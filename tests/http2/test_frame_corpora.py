"""Frames and header blocks of two collections: http2-frame-test-case and hpack-test-case.

They lie beside the repository (`../shared/corpora`, or where $CORPORA says) and are not part of it. Of hpack-test-case, which
has 460 stories, a few of each encoder are in the usual run; HPACK_STORIES=32 takes all.
"""

from __future__ import annotations

import functools
import json
import os
import tarfile
from pathlib import Path

import pytest

from httpx._exceptions import RemoteProtocolError
from httpx._protocols.http2.engine import HTTP2Engine, HTTP2Stream
from tests.support.http2 import END_HEADERS, HEADERS, frame, settings

ROOT = Path(os.environ.get("CORPORA", Path(__file__).parents[2].parent / "shared" / "corpora"))
FRAMES, HPACK = ROOT / "http2-frame-test-case", ROOT / "hpack-test-case" / "hpack-test-case.tar.xz"
STORIES = int(os.environ.get("HPACK_STORIES", "3"))

pytestmark = pytest.mark.skipif(not (FRAMES.exists() and HPACK.exists()), reason="the corpora are not beside the repository")

CONNECTION_SPECIFIC = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}  # RFC 9113 section 8.2.2
REQUEST = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"example.org"), (b":path", b"/")]


def engine_with_streams(count: int) -> tuple[HTTP2Engine, list[HTTP2Stream]]:
    engine = HTTP2Engine()
    streams = [HTTP2Stream() for _ in range(count)]
    for stream in streams:
        engine.start(stream, REQUEST, ended=True)
    engine.outgoing()
    engine.receive(settings())
    engine.outgoing()
    return engine, streams


def frame_cases(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (FRAMES / folder).glob("*.json"))


IGNORED = {"priority-frame-stream"}  # RFC 9113 deprecates PRIORITY; nghttp2 passes it over whatever it says


@pytest.mark.parametrize("path", [path for path in frame_cases("error") if path.stem not in IGNORED], ids=lambda path: path.stem)
def test_a_frame_that_is_wrong_ends_the_connection(path):
    # H44
    wire = bytes.fromhex(json.loads(path.read_text())["wire"])
    engine, streams = engine_with_streams(2)
    engine.receive(wire)
    # What announces more than it has, or is too long, may be waited for: then the end of the connection is an error.
    engine.receive(bytes(max(9 + int.from_bytes(wire[:3], "big") - len(wire), 0)))
    told = engine.outgoing()
    failures = [engine.failure, *(stream.failure for stream in streams)]
    assert any(isinstance(failure, RemoteProtocolError) for failure in failures)
    assert told[3:4] in (b"\x07", b"\x03")  # GOAWAY, or RST_STREAM


# Those of other types name streams that a client has not.
@pytest.mark.parametrize("path", frame_cases("settings", "ping", "priority"), ids=lambda path: path.parent.name)
def test_a_frame_that_is_right_is_accepted(path):
    case = json.loads(path.read_text())
    engine, _ = engine_with_streams(2)
    engine.receive(bytes.fromhex(case["wire"]))
    engine.outgoing()
    assert engine.failure is None


@functools.cache
def stories() -> dict[str, bytes]:
    taken: dict[str, int] = {}
    found = {}
    with tarfile.open(HPACK) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            folder, _, name = member.name.rpartition("/")
            if name.startswith("story_") and not folder.endswith("raw-data") and taken.setdefault(folder, 0) < STORIES:
                taken[folder] += 1
                file = archive.extractfile(member)
                assert file is not None
                found[f"{folder.rpartition('/')[2]}/{name}"] = file.read()
    return found


def test_header_blocks_of_other_encoders_are_read_as_they_were_meant():
    # Some are requests, or name fields that HTTP/2 has not: that must end the stream and not the connection, whose table goes on.
    for name, story in stories().items():
        check_story(name, json.loads(story)["cases"])


def check_story(name, cases):
    engine, _ = engine_with_streams(0)
    for case in cases:
        stream = HTTP2Stream()
        engine.start(stream, REQUEST, ended=True)
        engine.outgoing()
        fields = [next(iter(field.items())) for field in case["headers"]]
        engine.receive(frame(HEADERS, END_HEADERS, stream.stream_id, bytes.fromhex(case["wire"])))
        engine.outgoing()
        assert engine.failure is None, (name, case["seqno"])
        names = [field for field, _ in fields]
        if names[0] == ":status" and names.count(":status") == 1 and not CONNECTION_SPECIFIC.intersection(names):
            assert stream.head is not None, (name, case["seqno"])
            assert [(key.decode("latin-1"), value.decode("latin-1")) for key, value in stream.head] == fields, (name, case["seqno"])
        else:
            assert isinstance(stream.failure, RemoteProtocolError), (name, case["seqno"])
            continue
        engine.close(stream)
