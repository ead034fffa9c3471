"""What the pages on security state is so."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMITS = (ROOT / "docs/security/limits.md").read_text()
ROW = re.compile(
    r"^\| (?P<what>[^|]*) \| (?P<number>[0-9,]+)(?: bytes| characters)? \| `(?P<module>[\w/]+)\.py: (?P<name>\w+)` \|", re.MULTILINE
)
ROWS = list(ROW.finditer(LIMITS))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['module']} {row['name']}")
def test_the_limits_are_those_of_the_code(row):
    module = importlib.import_module("httpx." + row["module"].replace("/", "."))
    assert getattr(module, row["name"]) == int(row["number"].replace(",", ""))


def test_no_row_is_left_unchecked():
    assert len(ROWS) == LIMITS.count(".py: ")
    assert len(ROWS) > 30


def test_every_command_of_the_figures_exists():
    figures = (ROOT / "docs/security/figures.md").read_text()
    scripts = set(re.findall(r"`(?:[A-Z_]+=\S+ )*(scripts/\w+)", figures))
    assert scripts
    for script in scripts:
        assert (ROOT / script).is_file(), script
    for path in re.findall(r"tests/[\w/.]+", figures):
        assert (ROOT / path.rstrip(".")).exists(), path


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/security/threat-model.md", "docs/security/limits.md", "docs/security/figures.md"])
def test_links_between_the_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / target).exists(), target
