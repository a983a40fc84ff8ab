"""The helpers of running Pods, and how to talk to one: through the engine, in its container."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

from podweave.cli.pod_names import find_pod, only_pod
from podweave.cli.pod_tree import Pod, container_statuses, pod_name
from podweave.engines.engine import Engine
from podweave.engines.errors import EngineError
from podweave.model.errors import InputError
from podweave.model.helper_places import config_path, start

Kind = Literal["ambassador", "adapter", "sidecar"]

_WORDS: dict[Kind, str] = {"sidecar": "log sidecar"}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|)")
_FACTORS = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}


class RunningHelper(NamedTuple):
    """A helper's container of a Pod."""

    engine: Engine
    pod: Pod
    name: str

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the helpers' program in its container: the exit code and all it printed."""
        return self.engine.execute(self.pod, self.name, start(*arguments))

    def ask(self, path: str, content: str | None = None) -> dict[str, Any]:
        """What its admin endpoint answers to a GET, or to a POST of `content`.

        Raises InputError for what it can't understand, EngineError where it doesn't answer.
        """
        posted = [] if content is None else [content]
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
        return config_path(self.name)


def helpers_of(
    engine: Engine, pod: Pod, kind: Kind, container: str | None = None
) -> list[RunningHelper]:
    """Those of one Pod; `container` is one of them. Containers of the user's own aren't."""
    helpers = pod["podweave"]["helpers"]
    return [
        RunningHelper(engine, pod, each["name"])
        for each in container_statuses(pod)
        if helpers.get(each["name"]) == kind and container in (None, each["name"])
    ]


def named_helpers(
    engine: Engine, name: str | None, kind: Kind, container: str | None
) -> list[RunningHelper]:
    """Those of the Pod called so, or of the only one. InputError where it has none."""
    pods = engine.pods()
    pod = find_pod(pods, name) if name else only_pod(pods)
    found = helpers_of(engine, pod, kind, container)
    if not found:
        wanted = _WORDS.get(kind, kind) + (f" {container}" if container else "")
        raise InputError(f"Pod {pod_name(pod)} has no {wanted}")
    return found


def seconds(text: str) -> float:
    """`200ms`, `1.5s`, `2m`, `30`. Raises InputError, without a place."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} isn't a duration, as in 200ms, 1.5s or 2m")
    return float(match[1]) * _FACTORS[match[2]]


def counted(count: int, noun: str) -> str:
    """`1 connection`, `2 connections`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
