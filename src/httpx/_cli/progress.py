"""The progress bar of a download, on stderr, where there is a terminal for it."""

from __future__ import annotations

import contextlib
import typing
from collections.abc import Callable, Iterator

from rich.console import Console


@contextlib.contextmanager
def progress_bar(console: Console, name: str, done: int, total: int | None, *, is_quiet: bool) -> Iterator[Callable[[int], typing.Any]]:
    """A bar from `done` of `total` bytes, while the block runs; gives the function that moves it on by some bytes."""
    if is_quiet or not console.is_terminal or console.is_dumb_terminal:
        yield lambda count: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=total, completed=done)
        yield lambda count: progress.advance(task, count)
