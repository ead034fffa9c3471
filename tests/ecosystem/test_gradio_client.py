"""gradio_client against a server that speaks Gradio's protocol: log in, configuration, queue, server-sent events, files."""

from __future__ import annotations

import json

import gradio_client
import pytest

from tests.support.servers import respond, respond_chunked, respond_json

COMPONENTS = [{"id": 1, "type": "textbox", "props": {}}, {"id": 2, "type": "textbox", "props": {}}]
CONFIG = {
    "version": "5.49.0",
    "protocol": "sse_v3",
    "api_prefix": "/gradio_api",
    "components": COMPONENTS,
    "dependencies": [{"id": 0, "api_name": "shout", "inputs": [1], "outputs": [2], "cancels": [], "backend_fn": True}],
    "connect_heartbeat": False,
}
TEXT = {
    "label": "text",
    "parameter_name": "text",
    "parameter_has_default": False,
    "type": {"type": "string"},
    "python_type": {"type": "str"},
}
INFO = {"named_endpoints": {"/shout": {"parameters": [TEXT], "returns": [TEXT]}}, "unnamed_endpoints": {}}


class Gradio:
    """One endpoint, /shout, which makes letters large; only for those who have logged in."""

    def __init__(self):
        self.asked = {}

    def __call__(self, request):
        route = request.path.removeprefix("/gradio_api").strip("/")
        if route == "login":
            assert request.body == b"username=ada&password=secret"
            return respond_json({"success": True}, headers=[("Set-Cookie", "access=granted; Path=/; HttpOnly")])
        if request.headers.get("cookie") != "access=granted":
            return respond_json({}, 401)
        if route == "config":
            return respond_json(CONFIG)
        if route == "info":
            return respond_json(INFO)
        if route == "queue/join":
            asked = json.loads(request.body)
            self.asked[asked["session_hash"]] = asked["data"]
            return respond_json({"event_id": "e1"})
        if route == "queue/data":
            return self.events(request.target.partition("session_hash=")[2])
        if route == "upload":
            name = request.body.partition(b'filename="')[2].partition(b'"')[0].decode()
            return respond_json([f"/tmp/gradio/{name}"])
        if route.startswith("file="):
            return respond(b"content of " + route.encode())
        return respond(status=404)

    def events(self, session):
        (text,) = self.asked[session]
        output = text.upper() if isinstance(text, str) else text["path"]
        messages = [
            {"msg": "estimation", "event_id": "e1", "rank": 0, "queue_size": 1, "rank_eta": 0.1},
            {"msg": "process_starts", "event_id": "e1"},
            {"msg": "process_completed", "event_id": "e1", "success": True, "output": {"data": [output]}},
            {"msg": "close_stream"},
        ]
        pieces = [b"data: " + json.dumps(message).encode() + b"\n\n" for message in messages]
        return respond_chunked(pieces, headers=[("Content-Type", "text/event-stream")])


@pytest.fixture
def client(serve, tmp_path):
    client = gradio_client.Client(
        serve(Gradio()).url, auth=("ada", "secret"), verbose=False, download_files=tmp_path, httpx_kwargs={"timeout": 10}
    )
    yield client
    client.close()


def test_a_prediction_is_made(client):
    assert client.predict("hello", api_name="/shout") == "HELLO"


def test_several_jobs_run(client):
    for text in ("one", "two"):
        assert client.submit(text, api_name="/shout").result(timeout=20) == text.upper()


def test_a_file_is_uploaded(client, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    assert client.predict(gradio_client.handle_file(str(path)), api_name="/shout") == "/tmp/gradio/notes.txt"


def test_who_has_not_logged_in_is_told(serve):
    with pytest.raises(gradio_client.exceptions.AuthenticationError):
        gradio_client.Client(serve(Gradio()).url, verbose=False)
