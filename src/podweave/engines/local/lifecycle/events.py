"""What happens to a Pod (events) and what its life asks for in answer (commands)."""

from __future__ import annotations

from typing import Literal

import msgspec

ProbeKind = Literal["startup", "readiness", "liveness"]
HookKind = Literal["postStart", "preStop"]
Phase = Literal["Pending", "Running", "Succeeded", "Failed"]


class Event(msgspec.Struct, frozen=True):
    """Something that happened."""


class Begin(Event, frozen=True):
    """The Pod's sandbox stands; its containers may start."""


class TimeReached(Event, frozen=True):
    """A time that was asked for by `wake_at` has come (or any other time has)."""


class StopRequested(Event, frozen=True):
    """The Pod is to end. `grace` in seconds; None: the Pod's own."""

    grace: float | None = None


class ContainerEvent(Event, frozen=True):
    """Of one run of one container. Answers to an earlier run are told by `attempt`."""

    container: str
    attempt: int


class Started(ContainerEvent, frozen=True):
    """The container's process runs."""


class StartFailed(ContainerEvent, frozen=True):
    """The container's process could not be started.

    Reason StartError: its command couldn't be executed, which counts as a run that ended with
    `exit_code`. Any other (CreateContainerConfigError, ...): it couldn't even be made; it waits
    with that reason and is tried again whatever the restartPolicy says.
    """

    message: str
    reason: str = "StartError"
    exit_code: int = 128


class Exited(ContainerEvent, frozen=True):
    """The container's process has ended: with an exit code, or by a signal."""

    exit_code: int = 0
    signal: int | None = None
    oom: bool = False
    message: str = ""


class ProbeDone(ContainerEvent, frozen=True):
    kind: ProbeKind
    ok: bool
    message: str = ""


class HookDone(ContainerEvent, frozen=True):
    hook: HookKind
    ok: bool
    message: str = ""


class Command(msgspec.Struct, frozen=True):
    """Something to be done by whoever drives the machine."""


class ContainerCommand(Command, frozen=True):
    container: str
    attempt: int


class StartContainer(ContainerCommand, frozen=True):
    """Answered by Started or StartFailed."""


class Signal(ContainerCommand, frozen=True):
    signal: str


class Kill(ContainerCommand, frozen=True):
    """SIGKILL to every process of the container."""


class RunProbe(ContainerCommand, frozen=True):
    """Answered by ProbeDone, within the probe's timeoutSeconds."""

    kind: ProbeKind


class RunHook(ContainerCommand, frozen=True):
    """Answered by HookDone. `timeout` None: as long as it takes."""

    hook: HookKind
    timeout: float | None


class Report(Command, frozen=True):
    """A Kubernetes Event: `Unhealthy`, `Killing`, `BackOff`, ..."""

    container: str | None
    reason: str
    message: str
    warning: bool = False


class PodFinished(Command, frozen=True):
    """Every process of the Pod has ended and none will start again."""

    phase: Phase
