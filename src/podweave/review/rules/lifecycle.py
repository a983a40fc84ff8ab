"""S5a and its opposite: who ends when, and what that does to the Pod."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from podweave.review.case import Case, Finding, Level
from podweave.review.standing import Standing

_LOOPS: Final = re.compile(
    r"while\s|until\s|for\s*\(\(|tail -f|sleep (inf|infinity)|--?(watch|loop)|exec\s|wait\b|"
    r"\bserve|server|\b-?-?daemon|nginx|httpd"
)
_QUITS: Final = re.compile(
    r"\bquitquitquit|/quit\b|exit-on|--exit|--one-time|--once|--oneshot|pkill|preStop|terminated|"
    r"\bEXIT\b|trap .*exit|-f /.*(done|finished|terminated|complete)",
    re.IGNORECASE,
)


def check(case: Case) -> Iterator[Finding]:
    yield from _endless_helpers(case)
    yield from _one_shots(case)


def _endless_helpers(case: Case) -> Iterator[Finding]:
    pod = case.pod
    if not pod.ends or len(pod.mains) < 2:
        return
    for each in case.running:
        facts = each.facts
        endless = each.role in {"sidecar", "ambassador", "adapter"} or each.kind == "store"
        if facts.native or not endless or _ends_by_itself(each):
            continue
        if _QUITS.search(" ".join(facts.argv)):
            continue
        level: Level = "error" if pod.kind in {"Job", "CronJob"} else "warning"
        yield Finding(
            "job-endless-helper",
            level,
            f"{facts.name} doesn't end when the work is done, so the {pod.kind} never completes: "
            f"move it to initContainers with restartPolicy: Always (a native sidecar), which is "
            "told to stop when the main containers have ended",
            facts.path,
        )


def _ends_by_itself(each: Standing) -> bool:
    """Whether a script plainly runs to its end."""
    script = each.facts.script
    return each.kind in {"tool", None} and bool(script) and not _LOOPS.search(script)


def _one_shots(case: Case) -> Iterator[Finding]:
    pod = case.pod
    always = pod.restart_policy in {"", "Always"} and pod.kind not in {"Job", "CronJob"}
    if not always or len(pod.mains) < 2:
        return
    for each in case.running:
        facts = each.facts
        shell = facts.argv and facts.argv[0].rpartition("/")[2] in {"sh", "bash", "ash"}
        if facts.native or not shell or "-c" not in facts.argv or facts.ports:
            continue
        if each.kind != "tool" or _LOOPS.search(facts.script) or each.idle:
            continue
        if re.search(r"sleep \d{3,}", facts.script):
            continue
        yield Finding(
            "ends-in-endless-pod",
            "warning",
            f"{facts.name} runs a script that ends, and the Pod starts it again and again "
            "(CrashLoopBackOff): what is done once belongs in initContainers",
            facts.path,
        )
