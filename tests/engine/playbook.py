"""A Pod's life under a fake clock, its commands as short words: what playbook tests read like."""

from __future__ import annotations

from typing import Any

import msgspec

from podweave.engines.local.lifecycle.backoff import BackoffTimes
from podweave.engines.local.lifecycle.events import (
    Begin,
    Command,
    Event,
    Exited,
    HookDone,
    HookKind,
    Kill,
    PodFinished,
    ProbeDone,
    ProbeKind,
    Report,
    RunHook,
    RunProbe,
    Signal,
    StartContainer,
    Started,
    StartFailed,
    StopRequested,
    TimeReached,
)
from podweave.engines.local.lifecycle.pod import PodLife
from podweave.engines.local.lifecycle.status import pod_status
from podweave.model.pods import PodSpec

KUBELET = BackoffTimes(initial=10, maximum=300, reset=600)
SIDECAR = {"restartPolicy": "Always"}


def spec(
    *mains: dict[str, Any] | str, inits: list[dict[str, Any] | str] | None = None, **rest: Any
) -> PodSpec:
    """A PodSpec; a container may be given by its name alone."""

    def containers(given: Any) -> list[dict[str, Any]]:
        return [{"name": each} if isinstance(each, str) else each for each in given]

    whole = {"containers": containers(mains), "initContainers": containers(inits or []), **rest}
    return msgspec.convert(whole, PodSpec)


def sidecar(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, **SIDECAR, **rest}


def word(command: Command) -> str | None:
    """`start app`, `signal app SIGTERM`, ...; None for a Report."""
    match command:
        case StartContainer(container=name):
            return f"start {name}"
        case Signal(container=name, signal=signal):
            return f"signal {name} {signal}"
        case Kill(container=name):
            return f"kill {name}"
        case RunProbe(container=name, kind=kind):
            return f"probe {name} {kind}"
        case RunHook(container=name, hook=hook):
            return f"hook {name} {hook}"
        case PodFinished(phase=phase):
            return f"finished {phase}"
    assert isinstance(command, Report)
    return None


class Play:
    """Each method is an event and returns what the machine asked for in answer."""

    def __init__(self, pod: PodSpec, backoff: BackoffTimes = KUBELET) -> None:
        self.life = PodLife(pod, backoff)
        self.now = 1000.0
        self.reports: list[Report] = []

    def event(self, event: Event) -> list[str]:
        commands = self.life.handle(event, self.now)
        self.reports += [each for each in commands if isinstance(each, Report)]
        return [text for text in map(word, commands) if text is not None]

    def attempt(self, name: str) -> int:
        return next(each.attempt for each in self.life.containers if each.name == name)

    def begin(self) -> list[str]:
        return self.event(Begin())

    def started(self, name: str) -> list[str]:
        return self.event(Started(name, self.attempt(name)))

    def start_failed(self, name: str, message: str, **rest: Any) -> list[str]:
        return self.event(StartFailed(name, self.attempt(name), message, **rest))

    def exited(self, name: str, code: int = 0, signal: int | None = None, **rest: Any) -> list[str]:
        return self.event(Exited(name, self.attempt(name), code, signal, **rest))

    def probed(self, name: str, kind: ProbeKind, ok: bool) -> list[str]:
        return self.event(ProbeDone(name, self.attempt(name), kind, ok, "" if ok else "no"))

    def hooked(self, name: str, hook: HookKind, ok: bool = True) -> list[str]:
        return self.event(HookDone(name, self.attempt(name), hook, ok, "" if ok else "exit 1"))

    def stop(self, grace: float | None = None) -> list[str]:
        return self.event(StopRequested(grace))

    def after(self, seconds: float) -> list[str]:
        """Let time pass, waking the machine whenever it wants to be."""
        until = self.now + seconds
        commands = []
        while True:
            wake = self.life.wake_at
            if wake is None or wake > until:
                break
            self.now = max(self.now, wake)
            commands += self.event(TimeReached())
        self.now = until
        return commands + self.event(TimeReached())

    def status(self, name: str) -> dict[str, Any]:
        status = pod_status(self.life, None)
        both = [*status.get("initContainerStatuses", []), *status["containerStatuses"]]
        return next(each for each in both if each["name"] == name)

    def waiting(self, name: str) -> str | None:
        reason = self.status(name)["state"].get("waiting", {}).get("reason")
        assert reason is None or isinstance(reason, str)
        return reason

    def condition(self, kind: str) -> str:
        conditions = pod_status(self.life, None)["conditions"]
        return str(next(each["status"] for each in conditions if each["type"] == kind))
