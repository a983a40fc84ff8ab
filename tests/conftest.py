"""What all tests share: a skipped test is a failure where nothing need be missing."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from tests import installations

# No asserted timings: on a busy machine an example may take any time.
hypothesis.settings.register_profile("podweave", deadline=None)
hypothesis.settings.load_profile("podweave")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With PODWEAVE_SKIPS_FAIL (scripts/test sets it for root) a skip fails, with its reason."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("PODWEAVE_SKIPS_FAIL"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where nothing may be missing: {reason}"
    return report


MACHINE = ("demonstration", "engine", "rows", "sandbox")
"""Tests that use, and look at, what a machine has once: its firewall, its cgroups, Podman."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several processes: a file's tests stay together, and those of the machine do."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    here = Path(__file__).parent
    for item in items:
        inside = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        group = "machine" if inside in MACHINE else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_sessionfinish() -> None:
    installations.remove_readable_copy()
