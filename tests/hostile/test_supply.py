"""What is installed beside the client, or lies where temporary files do, has no say in framing, TLS and trust."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import certifi
import pytest

import httpx
from tests.support.certificates import Authority

# Packages whose names others have taken or could take, and which clients elsewhere frame messages or speak TLS with;
# and the names of our own folders, as if they were packages of their own.
SHADOWED = (
    *("h11", "h2", "hpack", "hyperframe", "httpcore", "httptools", "urllib3", "requests", "aiohttp", "anyio", "sniffio", "trio"),
    *("socks", "socksio", "wsproto", "OpenSSL", "cryptography", "chardet", "charset_normalizer", "rfc3986", "certifi", "httpcore2"),
    *("_network", "_tls", "_protocols", "_connections", "_pool", "_transports", "_client", "_models", "_exchange", "_content", "_auth"),
)


def run(code: str, *arguments: object, path: Path | None = None, **environment: str) -> str:
    """What `code` prints in an interpreter of its own, where `path` comes before everything else."""
    entries = [*([str(path)] if path else []), *sys.path]
    prelude = f"import sys; sys.path[:] = {entries!r}\n"
    command = [sys.executable, "-S", "-W", "error", "-c", prelude + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("how", ["sync", "asyncio"])
def test_packages_that_take_the_place_of_others_are_not_asked(app_server, tmp_path, how):
    # O8
    traps = tmp_path / "traps"
    traps.mkdir()
    for name in SHADOWED:
        (traps / f"{name}.py").write_text("raise SystemExit(__name__ + ' was imported')")
    authority = Authority(tmp_path)
    server = app_server(ssl_context=authority.server("localhost"))
    plain = app_server()
    calls = {
        "sync": "with httpx.Client(**settings) as client: print(*[client.get(url).status_code for url in sys.argv[2:]])",
        "asyncio": (
            "import asyncio\n"
            "async def main():\n"
            "    async with httpx.AsyncClient(**settings) as client:\n"
            "        print(*[(await client.get(url)).status_code for url in sys.argv[2:]])\n"
            "asyncio.run(main())"
        ),
    }
    code = f"import httpx; settings = dict(verify=sys.argv[1], trust_env=False)\n{calls[how]}"
    printed = run(code, authority.pem, f"https://localhost:{server.port}/", plain.url, path=traps)
    assert printed.split() == ["200", "200"]
    assert len(server.requests) == 1


def test_what_is_required_is_data():
    """Framing and TLS are ours and the standard library's; what else is required are certificates, and tables for names of hosts."""
    from importlib.metadata import requires

    required = [line for line in requires("httpx") or [] if "extra ==" not in line]
    assert sorted(required) == ["certifi", "idna"]


@pytest.mark.skipif(os.name == "nt", reason="permissions are something else there")
def test_a_bundle_within_an_archive_leaves_no_file_that_others_may_write(tmp_path):
    # X8: certifi takes the bundle out of the archive for as long as the process runs.
    archive, temporary = tmp_path / "certifi.zip", tmp_path / "temporary"
    temporary.mkdir()
    source = Path(certifi.__file__).parent
    with zipfile.ZipFile(archive, "w") as packed:
        for file in source.iterdir():
            if file.is_file():
                packed.write(file, f"certifi/{file.name}")
    code = """
import os, stat, certifi, httpx
assert ".zip" in certifi.__file__
context = httpx.SSLContext()
found = [os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names]
print(len(context.get_ca_certs()), *[oct(stat.S_IMODE(os.stat(path).st_mode)) for path in found])
"""
    count, *modes = run(code, temporary, path=archive, TMPDIR=str(temporary)).split()
    assert int(count) > 100
    assert set(modes) <= {"0o600"}
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="there a key in memory takes a file, which no other user may read")
def test_no_temporary_file_is_made(app_server, tmp_path):
    """Not for keys in memory, authorities in memory, or revocation lists."""
    authority = Authority(tmp_path)
    files = authority.client()
    server = app_server(ssl_context=authority.server("localhost"))
    nowhere = tmp_path / "nowhere"
    code = """
import httpx
read = lambda path: open(path, "rb").read()
with open(sys.argv[2], "rb") as ca, open(sys.argv[3], "rb") as combined:
    context = httpx.SSLContext(verify=ca.read(), cert=combined.read())
with httpx.Client(ssl_context=context, trust_env=False) as client:
    print(client.get(sys.argv[1]).status_code)
assert "tempfile" not in sys.modules
"""
    printed = run(code, f"https://localhost:{server.port}/", authority.pem, files.combined, TMPDIR=str(nowhere))
    assert printed.strip() == "200"
    assert not nowhere.exists()


def test_modules_of_the_current_folder_are_not_ours(tmp_path):
    """A folder from the network may hold anything: what is named like a part of the client stays unread."""
    for name in ("_main", "_cli", "_config", "_exceptions", "_types"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(__name__ + ' was imported')")
    shutil.copytree(Path(httpx.__file__).parent, tmp_path / "elsewhere" / "httpx", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import os; os.chdir(sys.argv[1]); sys.path.insert(1, ''); import httpx; httpx.Client().close(); print(httpx.__file__)"
    assert run(code, tmp_path, path=tmp_path / "elsewhere").startswith(str(tmp_path / "elsewhere"))
