"""Real proxies, run for a test: tinyproxy, squid and dante. Each gives the URL to reach it by."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.peers import _wait_until_listening
from tests.support.servers import PATIENCE

TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
LogFile "{folder}/log"
PidFile "{folder}/pid"
BasicAuth user secret
"""

SQUID = """
http_port 127.0.0.1:{port}
http_access allow all
cache deny all
access_log none
cache_log {folder}/log
pid_filename {folder}/pid
coredump_dir {folder}
shutdown_lifetime 0 seconds
pinger_enable off
"""

DANTE = """
logoutput: {folder}/log
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 127.0.0.0/8 to: 0/0 }}
socks pass {{ from: 127.0.0.0/8 to: 0/0 }}
"""

Commands = Callable[[Path], list[object]]

PROXIES: dict[str, tuple[str, str, Commands, str]] = {
    # Dante takes addresses in SOCKS4, and no names.
    # name: executable, configuration, arguments, beginning of the URL
    "tinyproxy": ("tinyproxy", TINYPROXY, lambda path: ["-d", "-c", path], "http://user:secret@"),
    "squid": ("squid", SQUID, lambda path: ["-N", "-f", path], "http://"),
    "dante": ("danted", DANTE, lambda path: ["-f", path], "socks5://"),
    "dante, SOCKS4": ("danted", DANTE, lambda path: ["-f", path], "socks4a://"),
}


def is_installed(name: str) -> bool:
    return shutil.which(PROXIES[name][0]) is not None


@contextlib.contextmanager
def serve_proxy(name: str, folder: Path) -> Iterator[str]:
    """Run the proxy from `folder`; gives its URL."""
    executable, template, arguments, start = PROXIES[name]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configuration = folder / "proxy.conf"
    configuration.write_text(template.format(folder=folder, port=port, user=getpass.getuser()))
    folder.chmod(0o777)  # squid, started by root, goes on as another user
    command = [executable, *arguments(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _wait_until_listening(process, port)
        yield f"{start}127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
