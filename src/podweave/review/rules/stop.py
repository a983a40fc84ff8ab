"""Termination: whether the drain fits into the grace period."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from podweave.review.case import Case, Finding

DEFAULT_GRACE: Final = 30


def check(case: Case) -> Iterator[Finding]:
    grace = DEFAULT_GRACE if case.pod.grace is None else case.pod.grace
    for each in case.pod.running:
        if each.pre_stop_seconds and each.pre_stop_seconds >= grace:
            yield Finding(
                "grace-too-short",
                "warning",
                f"{each.name} waits {each.pre_stop_seconds} s in preStop and the Pod has {grace} s "
                "in all: SIGTERM comes with no time left, then SIGKILL",
                (*each.path, "lifecycle", "preStop"),
            )
        elif grace == 0 and any(c.name == each.name for c in case.standings if case.stateful(c)):
            yield Finding(
                "grace-too-short",
                "warning",
                f"{each.name} keeps data and gets no time to write it out (grace period 0)",
                case.spec_path("terminationGracePeriodSeconds"),
            )
