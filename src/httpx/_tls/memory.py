"""Data in memory as the file that OpenSSL wants, without writing it to a disk where the platform allows that."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

_OWN_FILES = "/proc/self/fd"


@contextlib.contextmanager
def as_file(data: bytes) -> Iterator[str]:
    """A path that leads to `data` while the block runs; it can be opened once.

    Linux: a file in memory that has no name. Other Unix systems: a pipe. Windows, where there is neither: a file that only
    this user may read, and which is deleted at the end of the block.
    """
    if hasattr(os, "memfd_create") and os.path.isdir(_OWN_FILES):
        with contextlib.closing(_MemoryFile(data)) as file:
            yield f"{_OWN_FILES}/{file.descriptor}"
    elif os.path.isdir("/dev/fd"):
        with _piped(data) as path:
            yield path
    else:
        with _on_disk(data) as path:
            yield path


class _MemoryFile:
    def __init__(self, data: bytes) -> None:
        self.descriptor = os.memfd_create("httpx", os.MFD_CLOEXEC)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self.descriptor, left) :]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self.descriptor)


@contextlib.contextmanager
def _piped(data: bytes) -> Iterator[str]:
    reading, writing = os.pipe()

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError), open(writing, "wb", buffering=0) as pipe:
            pipe.write(data)

    thread = threading.Thread(target=feed, name="httpx-key")  # a pipe holds some 64 KiB; the rest must wait for the reader
    thread.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
        thread.join()


@contextlib.contextmanager
def _on_disk(data: bytes) -> Iterator[str]:
    import tempfile  # heavy, and only for those who have no better way

    descriptor, path = tempfile.mkstemp(suffix=".pem")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)
