"""The ambassadors of running Pods, and how to talk to one: through the engine, in its container."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from podweave.cli.pod_names import find_pod, only_pod
from podweave.cli.pod_tree import Pod, container_statuses, pod_name
from podweave.engines.engine import Engine
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError

ARCHIVE = "/opt/podweave/podweave-helpers.pyz"

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|)")
_FACTORS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


class RunningAmbassador(NamedTuple):
    """One ambassador's container of a Pod."""

    engine: Engine
    pod: Pod
    name: str

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the helpers' program in its container: the exit code and all it printed."""
        argv = ["python3", "-I", "-S", ARCHIVE, *arguments]
        return self.engine.execute(self.pod, self.name, argv)

    def ask(self, path: str, content: object = None) -> dict[str, Any]:
        """What its admin endpoint answers to a GET, or to a POST of `content`.

        Raises InputError for what it can't understand, EngineError where it doesn't answer.
        """
        posted = [] if content is None else [json.dumps(content)]
        code, output = self.run("ask", path, self.configuration, *posted)
        text = output.strip()
        if code == 2:
            raise InputError(f"{self.name}: {text}")
        try:
            answer = json.loads(text) if code == 0 else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise EngineError(f"{self.name}: {text or f'no answer, exit {code}'}")
        return answer

    @property
    def configuration(self) -> str:
        return f"/etc/podweave/{self.name}.json"


def ambassadors_of(
    engine: Engine, pod: Pod, container: str | None = None
) -> list[RunningAmbassador]:
    """Those of one Pod; `container` is one of them. Containers of the user's own aren't."""
    helpers = pod["podweave"]["helpers"]
    return [
        RunningAmbassador(engine, pod, each["name"])
        for each in container_statuses(pod)
        if helpers.get(each["name"]) == "ambassador" and container in (None, each["name"])
    ]


def named_ambassadors(
    engine: Engine, name: str | None, container: str | None
) -> list[RunningAmbassador]:
    """Those of the Pod called so, or of the only one. InputError where it has none."""
    pods = engine.pods()
    pod = find_pod(pods, name) if name else only_pod(pods)
    found = ambassadors_of(engine, pod, container)
    if not found:
        wanted = f"ambassador {container}" if container else "ambassador"
        raise InputError(f"Pod {pod_name(pod)} has no {wanted}")
    return found


def seconds(text: str) -> float:
    """`200ms`, `1.5s`, `2m`, `30`. Raises InputError, without a place."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} isn't a duration, as in 200ms, 1.5s or 2m")
    return float(match[1]) * _FACTORS[match[2]]
