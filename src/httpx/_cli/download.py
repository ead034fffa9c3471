"""`--download`: the client's own downloads, in the words of the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from .._models.response import Response
from .._streaming import download
from .failures import FileProblem


class Download(download.Download):
    """One file to be made; what goes wrong with it is a `FileProblem`."""

    advice_to_overwrite = "Say --force to overwrite it, or give another name."
    advice_to_start_over = "Try without --resume."

    def exists(self, message: str) -> Exception:
        return FileProblem(message)

    def problem(self, message: str) -> Exception:
        return FileProblem(message)

    def receive(self, response: Response, progress: Callable[[int], None]) -> Path:
        """Write the body, check it, and give the file its name. Raises `OSError` and `FileProblem`."""
        with contextlib.closing(self.begin(response)) as writing:
            for data in response.iter_bytes():
                writing.write(data)
                progress(len(data))
            return writing.finish()
