"""Faults that nobody sees: several services in one container, nothing that asks for health."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from podweave.review.case import Case, Finding

_SUPERVISORS: Final = re.compile(
    r"\b(supervisord|runsvdir|s6-svscan|monit|circusd|pm2-runtime|foreman|honcho|systemd|"
    r"/sbin/init|start-all\.sh)\b"
)
_BACKGROUND: Final = re.compile(r"(?<![&>|])&(?![&>\d])\s*(\n|;|\w|/|exec|$)")


def check(case: Case) -> Iterator[Finding]:
    for each in case.running:
        facts = each.facts
        supervisor = _SUPERVISORS.search(facts.script)
        if supervisor or _BACKGROUND.search(facts.script):
            how = supervisor.group(1) if supervisor else "a shell with &"
            yield Finding(
                "several-processes",
                "warning",
                f"{facts.name} runs several processes under {how}: Kubernetes watches only the "
                "first one, so the others can fail unseen",
                facts.path,
            )
        kinds = {probe.kind for probe in facts.probes}
        if each.role in {"app", "tier"} and not case.pod.ends and not each.idle:
            if facts.ports and "readiness" not in kinds:
                yield Finding(
                    "missing-readiness",
                    "note",
                    f"{facts.name} takes traffic on port {facts.ports[0].number} without a "
                    "readiness probe: it gets requests before it can answer them",
                    facts.path,
                )
            elif not facts.ports and not kinds and len(case.pod.mains) > 1 and facts.image:
                yield Finding(
                    "fault-unseen",
                    "note",
                    f"{facts.name} has neither port nor probe: when it hangs, the Pod still looks "
                    "healthy",
                    facts.path,
                )
