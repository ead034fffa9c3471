"""One adaptor per client, all with the same two functions (or one of them):

* `sync_client(authority)`: a context manager that gives `get(url) -> bytes`;
* `async_client(authority)`: an asynchronous one that gives `async get(url) -> bytes`.

`authority` is the path of a PEM file to trust, or None for plain HTTP. Everything else stays at the client's defaults.
"""
