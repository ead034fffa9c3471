"""The benchmarks judge rightly. What they measure is not tested here: that is what they are for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import one of the benchmarks' modules, as the scripts themselves do; their names are gone again afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(BENCHMARKS)):
            del sys.modules[name]


def test_each_goal_names_a_peer_that_takes_part_and_can_be_installed(load: Any) -> None:
    works, environments = load("works"), load("environments")
    for name, work in works.WORKS.items():
        assert work.clients[0] == works.OURS, name
        assert set(work.goals) <= set(work.clients[1:]), name
        assert set(work.clients[1:]) <= {works.OURS_SPEED, *environments.PEERS}, name
    adaptors = {path.stem for path in (BENCHMARKS / "clients").glob("*.py")}
    assert {load("compare").adaptor(client) for work in works.WORKS.values() for client in work.clients} <= adaptors


def test_a_ratio_is_the_median_over_rounds_of_neighbours(load: Any) -> None:
    ratio = load("judgement").ratio
    assert ratio({"ours": [10.0, 40.0, 20.0], "pycurl": [20.0, 40.0, 80.0]}, "pycurl") == 0.5
    assert ratio({"ours": [10.0]}, "pycurl") is None
    assert ratio({"pycurl": [10.0]}, "pycurl") is None


def test_goals_are_met_or_missed(load: Any) -> None:
    judge = load("judgement").judge
    sync = {"ours": [85.0], "pyreqwest": [100.0], "pycurl": [99.0]}
    verdicts = {verdict.against: verdict.met for verdict in judge({"sync": sync}, {})}
    assert verdicts == {"pyreqwest": True, "pycurl": False}
    assert [verdict.met for verdict in judge({}, {"Client()": 30.0, "import httpx": 45_000.1})] == [True, False]


@pytest.mark.parametrize(("costs", "met"), [([180.0, 60.0, 50.0, 64.0], True), ([180.0, 50.0, 60.0, 66.0], False)])
def test_growth_is_what_a_figure_is_of_one_before_it(load: Any, costs: list[float], met: bool) -> None:
    figures = {f"tasks-{tasks}": {"ours": [cost]} for tasks, cost in zip((1, 10, 100, 1000), costs, strict=True)}
    [verdict] = load("judgement").judge(figures, {})
    assert verdict.met is met


def test_what_is_missed_is_marked_in_the_table(load: Any) -> None:
    figures = {"sync": {"ours": [90.0], "pycurl": [100.0], "pyreqwest": [200.0]}}
    lines = load("report").body(figures, {}).splitlines()
    [pycurl] = [line for line in lines if line.startswith("| sync, one connection | pycurl")]
    [pyreqwest] = [line for line in lines if line.startswith("| sync, one connection | pyreqwest")]
    assert "**missed**" in pycurl
    assert "missed" not in pyreqwest


def test_the_chart_has_a_bar_for_each_client_and_cuts_the_longest(load: Any) -> None:
    svg = load("chart").chart({"sync": {"ours": [10.0], "pycurl": [20.0], "requests": [9000.0]}, "tasks-1": {"ours": [1.0]}})
    root = ElementTree.fromstring(svg)
    bars = [float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(bars) == 3
    assert bars == sorted(bars)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 1


def test_a_loss_of_more_than_a_quarter_is_a_regression(load: Any, capsys: pytest.CaptureFixture[str]) -> None:
    compare = load("regression").compare
    kept = {"Client.get": 1.0, "AsyncClient.get": 1.0}
    assert compare({"Client.get": 1.24, "AsyncClient.get": 1.26}, kept) == ["AsyncClient.get"]
    assert "1.26" in capsys.readouterr().out
