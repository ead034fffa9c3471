from __future__ import annotations

import pytest

from tests.torture.scenarios import Ways


@pytest.fixture(scope="session")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    return Ways(tmp_path_factory.mktemp("torture"))
