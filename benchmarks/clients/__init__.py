"""One adaptor per client, all with the same two functions (or one of them), `sync_client` and `async_client`.

Each takes `Settings`, is a context manager (an asynchronous one), and gives an object with those of these methods that
the table of works asks of this client (coroutine functions, if asynchronous):

* `get(url) -> bytes`
* `post_json(url, value)`: the reply, decoded
* `download(url) -> int`: streams the body and drops it; how many bytes it had
* `upload(url, path) -> int`: PUTs the file; the status code

What `Settings` do not say stays at the client's defaults.
"""

from __future__ import annotations

from typing import NamedTuple


class Settings(NamedTuple):
    authority: str | None
    """The path of a PEM file to trust, or None for plain HTTP."""
    http2: bool
    follow_redirects: bool
    connections: int | None
    """How many connections there may be, and stay open."""
