"""The rules that keep the package readable: imports point downwards, modules and functions stay small.

The floors and the reasons for them are described in docs/contributing/architecture.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "httpx"

# From the top to the bottom: a module may import its own floor and those below.
FLOORS = ["_client", "_streaming", "_observability", "_exchange", "_transports", "_connections", "_pool", "_protocols", "_network", "_tls"]
# Beside the floors: importable by all, and importing none of the floors.
BESIDE = {"_auth", "_models", "_content", "_config", "_exceptions", "_printable", "_proxy", "_types", "__version__"}
# Apart: may import everything, imported by nothing. The package's face, its command line, and thin modules that only
# keep a name alive which other libraries import from HTTPX.
APART = {"", "_cli", "__main__", "_main", "_api", "_decoders", "_multipart", "_status_codes", "_urls", "_utils"}

# Imports that go against the rules, each with its reason: (module, what it imports).
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("_config", "_tls.default"): "when asked for: other libraries import create_ssl_context from there",
    ("_exceptions", "_tls.report"): "for type checkers only: what TLSError.report is",
    ("_models.response", "_tls.info"): "for type checkers only: what Response.tls is",
}

EVENT_LOOPS = {"asyncio", "trio", "uvloop", "anyio", "sniffio"}  # named in _network only; types may be imported anywhere
NOT_SANS_IO = EVENT_LOOPS | {"concurrent", "multiprocessing", "select", "selectors", "socket", "ssl", "threading", "time"}

MODULE_LINES = 600
BODY_LINES = 60


class Import(NamedTuple):
    module: str  # who imports, within the package: "_pool.pool"
    target: str  # what: "_network.base" within the package, or "other:ssl" for anything else
    line: int
    type_checking: bool

    def __str__(self) -> str:
        return f"{self.module or 'the package itself'}, line {self.line}, imports {self.target}"


def room(name: str) -> str:
    """The folder or module of the first level that a dotted name lies in."""
    return name.partition(".")[0]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    """All imports, those inside functions too."""
    type_checking = {id(inner) for block in ast.walk(tree) if _is_type_checking(block) for inner in ast.walk(block)}
    for node in ast.walk(tree):
        for target in _targets(node, module, is_package):
            yield Import(module, target, getattr(node, "lineno", 0), id(node) in type_checking)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _targets(node: ast.AST, module: str, is_package: bool) -> list[str]:
    if isinstance(node, ast.Import):
        return [_within_package(alias.name) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if not node.level:
        return _members(_within_package(node.module or ""), node)
    around = module.split(".") if module else []
    kept = around[: len(around) - (node.level - (1 if is_package else 0))]
    return _members(".".join([*kept, *filter(None, [node.module])]), node)


def _members(base: str, node: ast.ImportFrom) -> list[str]:
    # `from .. import _config` names the module only in the list; deeper down the room is known from the base alone.
    return [alias.name for alias in node.names] if base == "" else [base]


def _within_package(name: str) -> str:
    if room(name) != "httpx":
        return f"other:{name}"
    return name.partition(".")[2]


def objection(found: Import) -> str | None:
    """What is wrong with an import, or None."""
    source, target = room(found.module), room(found.target)
    if found.target.startswith("other:"):
        return _objection_to_library(found, source)
    if source not in {*FLOORS, *BESIDE, *APART}:
        return f"{source} is not among the floors, nor beside or apart: say in this test where it belongs"
    if source in APART or source == target or (found.module, found.target) in EXCEPTIONS:
        return None
    if target in BESIDE:
        return None
    if target not in FLOORS:
        return f"{found}, which is neither one of the floors nor beside them"
    if source in BESIDE:
        return f"{found}, but what is beside the floors imports none of them"
    if FLOORS.index(target) < FLOORS.index(source):
        return f"{found}, which lies above it"
    if source == "_protocols":
        return f"{found}, but protocols do no input or output"
    return None


def _objection_to_library(found: Import, source: str) -> str | None:
    library = room(found.target.removeprefix("other:"))
    if found.type_checking or (found.module, library) in EXCEPTIONS:
        return None
    if source == "_protocols" and library in NOT_SANS_IO:
        return f"{found}, but protocols do no input or output"
    if source != "_network" and library in EVENT_LOOPS:
        return f"{found}, but event loops are the business of _network alone"
    return None


def long_bodies(tree: ast.Module) -> list[str]:
    """Functions whose body, without the docstring, is too long."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > BODY_LINES:
                found.append(f"{node.name} has a body of {lines} lines; {BODY_LINES} are allowed")
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=[module_name(path) or "httpx" for path in MODULES])
def test_imports_point_downwards(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = imports_of(tree, module_name(path), path.name == "__init__.py")
    assert [told for told in map(objection, found) if told] == []


def test_modules_and_functions_are_small() -> None:
    too_long = []
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        name = module_name(path) or "httpx"
        if (lines := len(source.splitlines())) > MODULE_LINES:
            too_long.append(f"{name} has {lines} lines; {MODULE_LINES} are allowed")
        too_long += [f"{name}: {told}" for told in long_bodies(ast.parse(source))]
    assert too_long == []


def test_exceptions_are_needed() -> None:
    """A line in EXCEPTIONS whose import is gone must go too."""
    used = set()
    for path in MODULES:
        for found in imports_of(ast.parse(path.read_text(encoding="utf-8")), module_name(path), path.name == "__init__.py"):
            used |= {(found.module, found.target), (found.module, room(found.target.removeprefix("other:")))}
    assert set(EXCEPTIONS) - used == set()


@pytest.mark.parametrize(
    ("module", "source", "told"),
    [
        ("_pool.pool", "from .._network import base", None),
        ("_pool.pool", "from .._models.url import URL", None),
        ("_pool.pool", "from . import limits", None),
        ("_pool.pool", "from .._client import Client", "lies above"),
        ("_pool.pool", "def f():\n    from .._transports.http import HTTPTransport", "lies above"),
        ("_pool.pool", "import httpx._client.client", "lies above"),
        ("_pool.pool", "import httpx", "neither one of the floors"),
        ("_pool.pool", "from .. import _client", "lies above"),
        ("_pool.pool", "import asyncio", "event loops"),
        ("_pool.pool", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio", None),
        ("_network.asyncio", "import asyncio", None),
        ("_models.url", "from .._tls import context", "imports none of them"),
        ("_models.url", "from .._exceptions import InvalidURL", None),
        ("_protocols.http1.engine", "import time", "no input or output"),
        ("_protocols.http1.engine", "from ..._network import base", "no input or output"),
        ("_protocols.http1.engine", "from ..errors import Bad", None),
        ("_unheard_of", "from ._models import url", "where it belongs"),
        ("_cli.main", "from .. import Client", None),
    ],
)
def test_the_rules_find_what_they_should(module: str, source: str, told: str | None) -> None:
    objections = [text for found in imports_of(ast.parse(source), module, is_package=False) if (text := objection(found))]
    assert len(objections) == (told is not None)
    assert told is None or told in objections[0]


def test_long_functions_are_found() -> None:
    long = "def f():\n" + "    x = 1\n" * (BODY_LINES + 1)
    short = 'def g():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * BODY_LINES
    assert long_bodies(ast.parse(long + short)) == ["f has a body of 61 lines; 60 are allowed"]
