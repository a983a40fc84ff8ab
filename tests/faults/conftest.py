"""The campaign's numbers, said at its end."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.faults.schedule import Result

# A server that takes minutes to build is no part of the ordinary tests: see scripts/peers.
collect_ignore = [] if os.environ.get("PODWEAVE_PEERS") else ["test_real_engine.py"]

_RESULTS: list[Result] = []


def report(result: Result) -> None:
    _RESULTS.append(result)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _RESULTS:
        return
    fates = sum((each.fates for each in _RESULTS), Counter[str]())
    terminalreporter.write_line(
        f"faults: {len(_RESULTS)} schedules, {sum(each.kills for each in _RESULTS)} kills, "
        f"{sum(each.lines for each in _RESULTS)} lines, "
        f"{sum(each.deliveries for each in _RESULTS)} deliveries, none lost, "
        f"{sum(each.again for each in _RESULTS)} sent again; "
        f"{sum(each.left_spills for each in _RESULTS)} kills with a spill; connections: "
        + ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
    )
