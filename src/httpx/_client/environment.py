"""Proxies from the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, and `NO_PROXY` for what does not go through them."""

from __future__ import annotations

import os
import re
import sys

from .._exceptions import InvalidURL
from .url_pattern import URLPattern

_SCHEMES = ("http", "https", "all")
_NAMES = {name: (f"{name}_proxy", f"{name.upper()}_PROXY") for name in (*_SCHEMES, "no")}
_AS_KEPT = frozenset(kept for names in _NAMES.values() for name in names for kept in (name, name.encode()))
_IPV4_OR_LOCALHOST = re.compile(r"(\d+\.\d+\.\d+\.\d+|localhost)\.?(:\d+)?$", re.IGNORECASE)


def get_environment_proxies() -> dict[str, str | None]:
    """URL patterns (as in `Client(mounts=...)`) with the proxy that each goes through, or None.

    Names in lower case take precedence over those in upper case. Without any, macOS and Windows are asked for the system's
    settings. Entries of `NO_PROXY` that make no sense are left out.
    """
    settings = _settings()
    if not settings:
        return {}
    proxies: dict[str, str | None] = {}
    for scheme in _SCHEMES:
        proxy = settings.get(scheme)
        if proxy:
            proxies[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    entries = re.split(r"[\s,]+", settings.get("no", ""))
    if "*" in entries:
        return {}
    for entry in entries:
        pattern = _exempted(entry) if entry else None
        if pattern is not None:
            proxies[pattern] = None
    return proxies


def _settings() -> dict[str, str]:
    found: dict[str, str] = {}
    if _are_there():
        for name, (lower, upper) in _NAMES.items():
            value = os.environ.get(lower)
            if value is None:
                value = os.environ.get(upper, "")
                if value and name == "http" and "REQUEST_METHOD" in os.environ:
                    value = ""  # in a CGI script this is the `Proxy` field of whoever sent the request
            if value.strip():
                found[name] = value.strip()
    if sys.platform in ("darwin", "win32") and not found:
        from urllib.request import getproxies

        found = getproxies()
    return found


def _are_there() -> bool:
    # Mostly none is. The dictionary below `os.environ`, whose keys are encoded but on Windows, tells so at once: eight look-ups, which
    # encode and raise, would take a third of the time that it takes to make a client. Where there is no such thing, they decide.
    kept = getattr(os.environ, "_data", None)
    return type(kept) is not dict or not kept.keys().isdisjoint(_AS_KEPT)


def _exempted(entry: str) -> str | None:
    # An entry of NO_PROXY as a pattern: "example.org" stands for itself and its subdomains, ".example.org" for these alone.
    if "://" in entry:
        pattern = entry
    elif "/" in entry or entry.startswith("["):
        pattern = f"all://{entry}"
    elif entry.count(":") > 1:
        pattern = f"all://[{entry}]"
    elif _IPV4_OR_LOCALHOST.match(entry):
        pattern = f"all://{entry}"
    else:
        pattern = f"all://*{entry.lstrip('*')}"
    try:
        host = URLPattern(pattern).host
        return pattern if host and ("/" in host or "/" not in entry or "://" in entry) else None
    except (ValueError, InvalidURL):
        return None
