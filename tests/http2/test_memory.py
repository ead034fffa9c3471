"""Bodies that are larger than the memory they pass through."""

from __future__ import annotations

import tracemalloc

import pytest

SIZE = 64 * 1024 * 1024
ENOUGH = 24 * 1024 * 1024  # bytes: windows and buffers of both sides, and no more


@pytest.fixture
def peak():
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


async def test_a_large_download_takes_little_memory(runtime, h2_client, nghttpd, nghttpd_files, peak):
    with (nghttpd_files / "large64").open("wb") as file:
        file.truncate(SIZE)
    received = 0
    async with h2_client(timeout=60) as client, client.stream("GET", nghttpd + "/large64") as response:
        async for piece in response.aiter_raw():
            received += len(piece)
    assert received == SIZE
    assert peak() < ENOUGH


async def test_a_large_upload_takes_little_memory(runtime, h2_client, nghttpd, peak):
    piece = bytes(100_000)
    count = SIZE // len(piece)

    def sync_pieces():
        for _ in range(count):
            yield piece

    async def async_pieces():
        for _ in range(count):
            yield piece

    headers = {"Content-Length": str(count * len(piece))}
    echoed = 0
    async with h2_client(timeout=60) as client:
        content = async_pieces() if runtime.is_async else sync_pieces()
        async with client.stream("POST", nghttpd + "/echo", content=content, headers=headers) as response:
            async for received in response.aiter_raw():
                echoed += len(received)
    assert echoed == count * len(piece)
    assert peak() < ENOUGH
