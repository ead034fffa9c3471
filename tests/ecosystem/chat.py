"""A server that speaks enough of the chat APIs for their clients: OpenAI's (also Groq's), Anthropic's and Ollama's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.support.servers import Request, respond, respond_chunked, respond_json

WORDS = ["Hello", ", ", "wörld", "!"]
Answer = Callable[[Request], bytes | Iterable[bytes]]


def _events(events: Iterable[tuple[str | None, Any]]) -> Iterator[bytes]:
    pieces = []
    for name, data in events:
        text = data if isinstance(data, str) else json.dumps(data)
        pieces.append(((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode())
    return respond_chunked(pieces, headers=[("Content-Type", "text/event-stream")])


def openai_answer(request: Request) -> bytes | Iterable[bytes]:
    """`POST .../chat/completions` says "Hello, wörld!", whole or as a stream; `POST .../files` takes a file; `GET .../models` lists."""
    if "authorization" not in request.headers:
        return respond_json({"error": {"message": "no key", "type": "invalid_request_error", "code": "no_key"}}, 401)
    if request.path.endswith("/models"):
        return respond_json({"object": "list", "data": [{"id": "m1", "object": "model", "created": 1, "owned_by": "us"}]})
    if request.path.endswith("/files"):
        return respond_json(_uploaded(request))
    if request.path.endswith("/content"):
        return respond_chunked([b"the ", b"file"], headers=[("Content-Type", "application/octet-stream")])
    if not request.path.endswith("/chat/completions"):
        return respond_json({"error": {"message": "no such route"}}, 404)
    asked = json.loads(request.body)
    head = {"id": "c1", "created": 1, "model": asked["model"]}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "".join(WORDS)}
        usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return respond_json({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    chunks: list[tuple[str | None, Any]] = [
        (None, {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
        for word in WORDS
    ]
    end = {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return _events([*chunks, (None, end), (None, "[DONE]")])


def _uploaded(request: Request) -> dict[str, Any]:
    content_type = request.headers["content-type"]
    assert content_type.startswith("multipart/form-data; boundary=")
    parts = request.body.split(b"--" + content_type.partition("boundary=")[2].encode())[1:-1]
    file = next(part for part in parts if b'filename="' in part)
    head, _, content = file.partition(b"\r\n\r\n")
    name = head.partition(b'filename="')[2].partition(b'"')[0].decode()
    return {
        "id": "f1",
        "object": "file",
        "type": "file",
        "bytes": len(content) - 2,
        "size_bytes": len(content) - 2,
        "created_at": 1,
        "filename": name,
        "mime_type": "text/plain",
        "purpose": "assistants",
        "status": "processed",
    }


def anthropic_answer(request: Request) -> bytes | Iterable[bytes]:
    """`POST /v1/messages` says "Hello, wörld!", whole or as a stream; `POST /v1/files` takes a file."""
    if request.headers.get("x-api-key") != "key":
        return respond_json({"type": "error", "error": {"type": "authentication_error", "message": "no key"}}, 401)
    if request.path == "/v1/files":
        return respond_json({**_uploaded(request), "created_at": "2026-01-01T00:00:00Z"})
    asked = json.loads(request.body)
    usage = {"input_tokens": 1, "output_tokens": 4}
    message = {"id": "m1", "type": "message", "role": "assistant", "model": asked["model"], "stop_sequence": None, "usage": usage}
    if not asked.get("stream"):
        return respond_json({**message, "content": [{"type": "text", "text": "".join(WORDS)}], "stop_reason": "end_turn"})
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS]
    events = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    return _events((str(event["type"]), event) for event in events)


def ollama_answer(request: Request) -> bytes | Iterable[bytes]:
    """`POST /api/chat` and `/api/generate`, whole or as lines of JSON; `GET /api/tags`."""
    if request.path == "/api/tags":
        return respond_json({"models": [{"model": "m1", "size": 3}]})
    asked = json.loads(request.body)
    if asked.get("model") == "unknown":
        return respond_json({"error": "model 'unknown' not found"}, 404)

    def part(text: str, done: bool) -> dict[str, Any]:
        said = {"response": text} if request.path == "/api/generate" else {"message": {"role": "assistant", "content": text}}
        return {"model": asked["model"], "created_at": "2026-01-01T00:00:00Z", "done": done, **said}

    if not asked.get("stream"):
        return respond_json(part("".join(WORDS), True))
    parts = [part(word, False) for word in WORDS] + [part("", True)]
    return respond_chunked([json.dumps(p).encode() + b"\n" for p in parts], headers=[("Content-Type", "application/x-ndjson")])


def failing_first(answer: Answer, *failures: bytes) -> Answer:
    """Answers with each of `failures` first, then with `answer`."""
    left = list(failures)

    def failing(request: Request) -> bytes | Iterable[bytes]:
        return left.pop(0) if left else answer(request)

    return failing


BUSY = respond_json({"error": {"message": "busy"}}, 503, headers=[("Retry-After-Ms", "1")])
LIMITED = respond_json({"error": {"message": "slow down"}}, 429, headers=[("Retry-After-Ms", "1")])
BROKEN = respond("<html>", 500, headers=[("Retry-After-Ms", "1")])
