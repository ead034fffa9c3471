"""The TLS configuration of a client that was given none, and what its `verify`, `cert` and `ssl_context` amount to."""

from __future__ import annotations

import sys
import threading
import typing

if typing.TYPE_CHECKING:
    import ssl

    from .context import SSLContext
    from .identity import Cert
    from .trust import Trust

    Verify = ssl.SSLContext | Trust

_lock = threading.Lock()
_default: SSLContext | None = None  # until the first handshake that needs one


def default_context() -> SSLContext:
    """The context that all clients of this process share unless they are given another.

    Made when the first handshake needs it. Nobody outside gets hold of it, so nobody can change it under another client.
    """
    global _default
    with _lock:
        if _default is None:
            from .context import SSLContext

            _default = SSLContext()
        return _default


def resolve_ssl_context(
    verify: Verify | None = True, cert: Cert | None = None, ssl_context: ssl.SSLContext | None = None
) -> ssl.SSLContext | None:
    """The context that these arguments of a client ask for; None is the process's default.

    A context that was passed in is used as it is. Raises `TypeError` if it stands beside settings that it would hide, and
    what `SSLContext` raises for files.
    """
    if ssl_context is not None:
        if verify is not True or cert is not None:
            raise TypeError(
                "ssl_context= already says how to verify: leave out verify= and cert=, or build the context from them, "
                "ssl_context=httpx.SSLContext(verify=..., cert=...)."
            )
        if not is_ssl_context(ssl_context):
            raise TypeError(f"ssl_context= is an ssl.SSLContext, such as httpx.SSLContext(), not {type(ssl_context).__name__}.")
        return ssl_context
    if is_ssl_context(verify):
        if cert is not None:
            raise TypeError("verify= is a context already: load the client certificate into it with .load_cert_chain().")
        return typing.cast("ssl.SSLContext", verify)
    if verify is None:  # who passes on a setting that is not there means the default, as ever
        verify = True
    if verify is True and cert is None:
        return None
    from .context import SSLContext  # for none of the above is `ssl` imported

    return SSLContext(typing.cast("Trust", verify), cert)


def create_ssl_context(verify: Verify = True, cert: Cert | None = None, trust_env: bool = True) -> ssl.SSLContext:
    """A context from `verify` and `cert`, as `httpx.SSLContext(verify, cert)`; kept for code written for HTTPX.

    If `verify` is a context already, that is what comes back. `trust_env` has no effect: no environment variable is read.
    """
    from .context import SSLContext

    return resolve_ssl_context(verify, cert) or SSLContext()


def is_ssl_context(thing: object) -> bool:
    """Whether this is an `ssl.SSLContext`, also one that was made before or after another class took that name."""
    native = sys.modules.get("_ssl")  # whoever has made one has imported it
    return native is not None and isinstance(thing, native._SSLContext)
