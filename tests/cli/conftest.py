from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Calls the command line, in an empty folder."""
    return Command(monkeypatch, tmp_path)
