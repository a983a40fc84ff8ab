"""The life of a Pod: which container starts, restarts and stops when.

Rules
1. Init containers start in the order of the manifest, each after the one before has *passed*:
   an ordinary one when it has ended with 0, a native sidecar (restartPolicy: Always) when it is
   started (see container.py). Main containers start last, all together.
2. After an end: a sidecar restarts always. An init container that failed restarts unless the
   Pod's restartPolicy is Never; then the Pod has failed. A main container restarts by its own
   restartPolicy, else the Pod's: Always; OnFailure after anything but 0; Never. Restarts wait
   for the back-off (backoff.py).
3. When no main container will start again the Pod is complete, and its sidecars are stopped.
   Their exit codes count for nothing.
4. A stop (asked for, completion, failure, activeDeadlineSeconds) goes to all containers at
   once. All preStop hooks begin; main containers get their signal after their hook; a sidecar
   gets it when all main containers, ordinary init containers and later sidecars have ended, so
   that sidecars end in reverse order. (Kubelet doesn't wait for ordinary init containers; they
   may need their sidecar to the end as much as main ones do.) Nothing restarts any more.
5. activeDeadlineSeconds counts from Begin; the Pod then fails with reason DeadlineExceeded.
6. When the last process has ended after a stop, the Pod is finished, once.
7. Phase: Pending until every init container has passed and a main container has been started;
   then Running; at the end Succeeded if all main containers ended with 0, otherwise Failed.

A Job's restartPolicy is honoured because it is its Pod template's; its backoffLimit,
completions and parallelism are not: one Pod is run, and container restarts are not limited.
"""

from __future__ import annotations

from typing import Final

from podweave.engines.local.lifecycle.backoff import BackoffTimes
from podweave.engines.local.lifecycle.container import ContainerLife, LifecycleError, Role, State
from podweave.engines.local.lifecycle.events import (
    Begin,
    Command,
    ContainerEvent,
    Event,
    Phase,
    PodFinished,
    Report,
    StopRequested,
)
from podweave.model.pods import Container, PodSpec

DEFAULT_GRACE: Final = 30


class PodLife:
    """Give it events, do the commands it returns, come back with TimeReached at `wake_at`."""

    def __init__(self, spec: PodSpec, backoff: BackoffTimes | None = None) -> None:
        self.spec = spec
        self.phase: Phase = "Pending"
        self.reason = ""
        self.message = ""
        self.started_at: float | None = None
        self.initialized = False
        self.stopping = False
        self.finished = False
        self._commands: list[Command] = []
        self._complete = False
        self._failed = False
        grace = spec.termination_grace_period_seconds
        self.grace: Final = float(DEFAULT_GRACE if grace is None else grace)

        def life(container: Container, role: Role) -> ContainerLife:
            times = backoff or BackoffTimes()
            return ContainerLife(container, role, self.grace, times, self._commands)

        self.inits: Final = [
            life(each, "sidecar" if each.restart_policy == "Always" else "init")
            for each in spec.init_containers or []
        ]
        self.mains: Final = [life(each, "main") for each in spec.containers]
        self.containers: Final = [*self.inits, *self.mains]
        self._by_name = {each.name: each for each in self.containers}

    @property
    def deadline(self) -> float | None:
        seconds = self.spec.active_deadline_seconds
        if seconds is None or self.started_at is None or self.stopping:
            return None
        return self.started_at + seconds

    @property
    def wake_at(self) -> float | None:
        """When TimeReached is wanted next; None: never."""
        times = [self.deadline, *(each.wake_at for each in self.containers)]
        return min((time for time in times if time is not None), default=None)

    @property
    def ready(self) -> bool:
        """All containers that serve are ready: main ones and sidecars."""
        return (
            self.initialized
            and not self._complete
            and all(each.ready for each in self.containers if each.role != "init")
        )

    def handle(self, event: Event, now: float) -> list[Command]:
        if isinstance(event, Begin):
            if self.started_at is not None:
                raise LifecycleError("a Pod begins once")
            self.started_at = now
        elif isinstance(event, StopRequested):
            self._stop(self.grace if event.grace is None else event.grace, now)
        elif isinstance(event, ContainerEvent):
            self._by_name[event.container].handle(event, now)
        self._pass_time(now)
        self._decide_ends(now)
        if self.stopping:
            self._go_on_stopping(now)
        elif self.started_at is not None:
            self._go_on_starting()
        commands = list(self._commands)
        self._commands.clear()
        return commands

    def _pass_time(self, now: float) -> None:
        if self.deadline is not None and now >= self.deadline:
            self._failed = True
            self.reason = "DeadlineExceeded"
            self.message = "Pod was active on the node longer than the specified deadline"
            self._commands.append(Report(None, self.reason, self.message, warning=True))
            self._stop(self.grace, now)
        for each in self.containers:
            each.tick(now)

    def _decide_ends(self, now: float) -> None:
        for each in self.containers:
            if each.state is not State.EXITED:
                continue
            if self.stopping or not self._restarts(each):
                each.retire()
                self._failed |= each.role == "init" and not each.succeeded
            else:
                each.restart(now)
        if self.stopping:
            return
        self._complete = all(each.state is State.DONE for each in self.mains)
        if self._complete or self._failed:
            self._stop(self.grace, now)

    def _restarts(self, life: ContainerLife) -> bool:
        if life.role == "sidecar" or life.creation_error is not None:
            return True
        policy = life.container.restart_policy or self.spec.restart_policy or "Always"
        if policy == "Never" or (life.role == "init" and life.succeeded):
            return False
        return policy == "Always" or not life.succeeded

    def _go_on_starting(self) -> None:
        for each in self.inits:
            if each.state is State.WAITING:
                each.start()
            if not each.passed:
                return
        self.initialized = True
        for each in self.mains:
            if each.state is State.WAITING:
                each.start()
        if any(each.started_at is not None or each.ended is not None for each in self.mains):
            self.phase = "Running"

    def _stop(self, grace: float, now: float) -> None:
        self.stopping = True
        for each in self.containers:
            each.stop(grace, now)

    def _go_on_stopping(self, now: float) -> None:
        waited_for = any(each.alive for each in self.containers if each.role != "sidecar")
        for each in reversed(self.inits):
            if each.role == "sidecar":
                if not waited_for:
                    each.grant_turn(now)
                waited_for |= each.alive
        if self.finished or any(each.alive for each in self.containers):
            return
        self.finished = True
        well = not self._failed and all(each.succeeded for each in self.mains)
        self.phase = "Succeeded" if well else "Failed"
        self._commands.append(PodFinished(self.phase))
