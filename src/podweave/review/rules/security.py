"""What sharing a Pod shares beyond what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from podweave.review.case import Case, Finding


def check(case: Case) -> Iterator[Finding]:
    pod = case.pod
    if len(pod.running) < 2:
        return
    for each in pod.running:
        others = [other.name for other in pod.running if not other.privileged]
        if each.privileged and others:
            yield Finding(
                "privileged-neighbour",
                "warning",
                f"{each.name} is privileged: who breaks into it has the node, and with it "
                f"{', '.join(others)}",
                (*each.path, "securityContext"),
            )
    if pod.share_processes:
        yield Finding(
            "shared-processes",
            "note",
            "the containers see each other's processes, and through /proc their files and "
            "environment",
            case.spec_path("shareProcessNamespace"),
        )
