"""Code written for HTTPX 0.28.1 comes to the same with ours, but for the differences listed with their reasons."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from tests.compat.outcomes import FOLDER, RECORDED, outcome, snippets

SNIPPETS = snippets()


def differences() -> dict[str, str]:
    """The snippets that come to something else on purpose, with the reason."""
    found, reason = {}, ""
    for line in (FOLDER / "differences.txt").read_text().splitlines():
        if line.startswith("## "):
            reason = line.removeprefix("## ")
        elif line and not line.startswith("#"):
            found[line] = reason
    return found


DIFFERENCES = differences()


def runs_here(snippet: str) -> bool:
    return all(importlib.util.find_spec(name) for name in re.findall(r'__import__\("(\w+)', snippet))


@pytest.mark.parametrize("topic", SNIPPETS)
def test_snippets_come_to_what_they_did(topic):
    recorded = json.loads(RECORDED.read_text())[topic]
    found = {snippet: outcome(snippet) for snippet in SNIPPETS[topic] if runs_here(snippet)}
    same = {snippet: recorded[snippet] for snippet in found if snippet not in DIFFERENCES}
    assert {snippet: found[snippet] for snippet in same} == same
    told_otherwise = [snippet for snippet in found if snippet in DIFFERENCES and found[snippet] == recorded[snippet]]
    assert not told_otherwise, "these are listed as different, and are not"


def test_every_difference_is_one_of_a_snippet_that_runs():
    assert set(DIFFERENCES) <= {snippet for lines in SNIPPETS.values() for snippet in lines}
