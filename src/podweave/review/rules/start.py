"""Start order: what has to be there before something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podweave.review.case import Case, Finding


def check(case: Case) -> Iterator[Finding]:
    needed = {dial.server: dial for dial in case.relations.dials}
    for each in case.helpers:
        facts = each.facts
        if facts.native or case.pod.ends or each.confidence < 0.5:
            continue
        dial = needed.get(each.name)
        first = each.role == "ambassador" or each.kind in {"mesh", "secrets"}
        if first and dial is not None and dial.client in {app.name for app in case.independent}:
            yield Finding(
                "helper-needed-first",
                "warning",
                f"{dial.client} needs {each.name} from its first moment ({dial.why}), but both "
                "start together: as a native sidecar with a startupProbe it is ready first",
                facts.path,
            )
        elif each.kind is not None and each.role != "app":
            yield Finding(
                "classic-sidecar",
                "note",
                f"{each.name} could be a native sidecar (initContainers with restartPolicy: "
                "Always): started before the app, stopped after it",
                facts.path,
            )
    yield from _init(case)


def _init(case: Case) -> Iterator[Finding]:
    later = {
        port: each.name
        for each in case.running
        if not each.facts.native
        for port in case.relations.listens.get(each.name, ())
    }
    for each in case.standings:
        if each.role != "init":
            continue
        for match in re.finditer(r"(?:localhost|127\.0\.0\.1)[: ](\d{2,5})\b", each.facts.script):
            server = later.get(int(match[1]))
            if server is not None:
                yield Finding(
                    "init-needs-main",
                    "error",
                    f"{each.name} reaches for port {match[1]}, where {server} listens, and "
                    f"{server} starts only after all init containers have ended: the Pod "
                    "never starts",
                    each.facts.path,
                )
                break
