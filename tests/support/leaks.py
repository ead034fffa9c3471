"""What a test leaves behind: open sockets and running threads; and what memory it takes meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
import time

PATIENCE = 2.0  # seconds for what ends in the background: the other side of a closed connection, a finishing thread


def open_sockets() -> set[str]:
    """The sockets that this process has open, as the system names them; always empty where there is no /proc."""
    found: set[str] = set()
    with contextlib.suppress(FileNotFoundError):
        for descriptor in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # the descriptor of the listing itself is gone by now
                target = os.readlink(f"/proc/self/fd/{descriptor}")
                if target.startswith("socket:"):
                    found.add(target)
    return found


class MemoryPeak:
    """By how many bytes the memory of this process has grown at most since this was made; 0 where the system does not tell."""

    def __init__(self) -> None:
        self._start = 0
        with contextlib.suppress(OSError):
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # forget the peak of before (proc(5))
            self._start = self._peak()

    def growth(self) -> int:
        return self._peak() - self._start if self._start else 0

    def _peak(self) -> int:
        with open("/proc/self/status") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), 0)


class LeakCheck:
    """Compares sockets and threads with what there was when it was made.

    It does not run the garbage collector: what only that would close counts as a leak.
    """

    def __init__(self) -> None:
        self._sockets = open_sockets()
        self._threads = set(threading.enumerate())

    def verify(self) -> None:
        """Raise `AssertionError` if there is more than before, also after a moment."""
        deadline = time.monotonic() + PATIENCE
        while left := self._left():
            assert time.monotonic() < deadline, f"left behind: {', '.join(left)}"
            time.sleep(0.005)

    def _left(self) -> list[str]:
        # trio keeps idle threads for its next call, under this name.
        started = [thread for thread in set(threading.enumerate()) - self._threads if not thread.name.startswith("Trio thread ")]
        threads = [f"thread {thread.name}" for thread in started if thread.is_alive()]
        return sorted(open_sockets() - self._sockets) + sorted(threads)
