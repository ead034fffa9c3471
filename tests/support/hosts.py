"""Names of the real Internet, answered by servers on this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any

import pytest

_REAL_GETADDRINFO = socket.getaddrinfo


class LocalHosts:
    """Resolves chosen names to servers on the loopback, ports included, and refuses all other names.

        local_hosts.add("www.example.com", {443: server.port})
        httpx.get("https://www.example.com")  # reaches `server`

    A port that is not in the mapping stays as it is. IP addresses and "localhost" resolve as always. `lookups` lists
    the names and ports that were asked for.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[str, dict[int, int]]] = {}
        self.lookups: list[tuple[str, int]] = []

    def add(self, name: str, ports: Mapping[int, int] | None = None, *, address: str = "127.0.0.1") -> None:
        self._hosts[name] = (address, dict(ports or {}))

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Stands in for `socket.getaddrinfo`."""
        name = host.decode("ascii") if isinstance(host, bytes) else host
        if name is None or name == "localhost" or _is_address(name):
            return _REAL_GETADDRINFO(host, port, *args, **kwargs)
        number = _port_number(port)
        self.lookups.append((name, number))
        if name.rstrip(".") not in self._hosts:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address, ports = self._hosts[name.rstrip(".")]
        return _REAL_GETADDRINFO(address, ports.get(number, number), *args, **kwargs)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """asyncio asks `socket.getaddrinfo` on a thread; uvloop has a resolver of its own."""
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
        try:
            import uvloop
        except ImportError:
            return

        async def getaddrinfo(loop: Any, host: Any, port: Any, **kwargs: Any) -> list[Any]:
            return self.getaddrinfo(host, port, **kwargs)

        monkeypatch.setattr(uvloop.Loop, "getaddrinfo", getaddrinfo)


def _port_number(port: Any) -> int:
    if port is None:
        return 0
    text = port.decode("ascii") if isinstance(port, bytes) else str(port)
    return int(text) if text.isdigit() else socket.getservbyname(text)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
