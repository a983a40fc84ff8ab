"""The life of one container: its starts, probes, hooks and stops.

Rules
1. A run begins with StartContainer; there is never a second one before Exited or StartFailed.
2. After Started the postStart hook runs; when it is done, probing begins. The container counts
   as *started* when the hook is done and the startupProbe, if there is one, has succeeded.
   Readiness and liveness probes wait for that.
3. *Ready*: started, and the readinessProbe's last verdict, if there is one, was success.
4. A failed postStart hook, startupProbe or livenessProbe stops this run, with grace (the
   probe's own terminationGracePeriodSeconds goes before the Pod's). What comes after the end
   is the Pod's restart rule, as after any other end.
5. Stop: preStop hook, then wait for its turn (sidecars), then the stop signal, then SIGKILL.
   Hook and turn are waited for as long as the grace lasts, no longer; between the stop signal
   and SIGKILL is what is left of the grace, at least 2 s.
6. A later stop may shorten a stop that goes on, and never lengthens it.
7. Liveness and startup probes end with the stop; readiness is probed to the end.
8. An end is followed by the Pod's decision: `restart` (after a back-off) or `retire`.
9. A container that couldn't even be made is tried again after the back-off, whatever the
   restart policy says; that doesn't count as a restart.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

import msgspec

from podweave.engines.local.lifecycle.backoff import Backoff, BackoffTimes
from podweave.engines.local.lifecycle.events import (
    Command,
    ContainerEvent,
    Exited,
    HookDone,
    Kill,
    ProbeDone,
    ProbeKind,
    Report,
    RunHook,
    RunProbe,
    Signal,
    StartContainer,
    Started,
    StartFailed,
)
from podweave.engines.local.lifecycle.probing import Prober
from podweave.model.pods import Container, Probe

LEAST_GRACE: Final = 2.0
"""Seconds between the stop signal and SIGKILL, whatever is left of the grace period."""

Role = Literal["init", "sidecar", "main"]


class State(enum.Enum):
    WAITING = "its turn to start has not come"
    STARTING = "StartContainer was sent"
    POST_START = "runs, postStart hook under way"
    RUNNING = "runs"
    PRE_STOP = "runs, preStop hook under way"
    TURN = "runs, waits for its turn to be stopped"
    TERMINATING = "was sent the stop signal"
    KILLED = "was sent SIGKILL"
    EXITED = "has ended; the Pod decides what comes next"
    BACKOFF = "waits for its next start"
    DONE = "will not start again"


ALIVE: Final = frozenset(
    {
        State.STARTING,
        State.POST_START,
        State.RUNNING,
        State.PRE_STOP,
        State.TURN,
        State.TERMINATING,
        State.KILLED,
    }
)

TABLE: Final[dict[tuple[State, type[ContainerEvent]], str]] = {
    (State.STARTING, Started): "_run",
    (State.STARTING, StartFailed): "_fail_to_start",
    (State.STARTING, Exited): "_exit",
    (State.POST_START, HookDone): "_post_start_done",
    (State.POST_START, Exited): "_exit",
    (State.RUNNING, ProbeDone): "_probe_done",
    (State.RUNNING, Exited): "_exit",
    (State.PRE_STOP, HookDone): "_pre_stop_done",
    (State.PRE_STOP, ProbeDone): "_probe_done",
    (State.PRE_STOP, Exited): "_exit",
    (State.TURN, ProbeDone): "_probe_done",
    (State.TURN, Exited): "_exit",
    (State.TERMINATING, ProbeDone): "_probe_done",
    (State.TERMINATING, Exited): "_exit",
    (State.KILLED, Started): "_pass_over",
    (State.KILLED, StartFailed): "_fail_to_start",
    (State.KILLED, Exited): "_exit",
}
"""Events that change something. A late answer of a hook or probe is passed over; any other
event that is not here is a fault of the driver."""


class LifecycleError(Exception):
    """The driver reported something that cannot be: a fault in podweave."""


class Termination(msgspec.Struct, frozen=True):
    """How a run ended."""

    exit_code: int
    signal: int | None
    reason: str
    message: str
    started_at: float | None
    finished_at: float


class ContainerLife:
    """One container of the Pod. `commands` is where it puts what it asks for."""

    def __init__(
        self,
        container: Container,
        role: Role,
        pod_grace: float,
        backoff: BackoffTimes,
        commands: list[Command],
    ) -> None:
        self.container = container
        self.name = container.name
        self.role = role
        self.state = State.WAITING
        self.attempt = -1
        """Number of the current run, from 0."""
        self.runs = 0
        """Runs that really began; kubelet's restartCount is one less."""
        self.creation_error: StartFailed | None = None
        self.passed = False
        """Has been started (sidecar) or has ended well (init) once: the next one may start."""
        self.started = False
        self.started_at: float | None = None
        self.ended: Termination | None = None
        """How the last run ended."""
        self.ended_before: Termination | None = None
        self.retry_at = 0.0
        self.backoff_delay = 0.0
        self._pod_grace = pod_grace
        self._backoff = Backoff(backoff)
        self._commands = commands
        self._probers: dict[ProbeKind, Prober] = {}
        self._turn_come = role != "sidecar"
        self._keeps_turn = False
        self._stop_by: float | None = None
        self._kill_at: float | None = None

    # --- what others ask ---

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def ready(self) -> bool:
        if self.role == "init":
            return self.state is State.DONE and self.succeeded
        if not self.alive or not self.started:
            return False
        prober = self._probers.get("readiness")
        return self.container.readiness_probe is None or bool(prober and prober.passing)

    @property
    def succeeded(self) -> bool:
        return self.ended is not None and self.ended.exit_code == 0

    @property
    def wake_at(self) -> float | None:
        times: list[float | None] = []
        if self.state is State.BACKOFF:
            times.append(self.retry_at)
        elif self.state in (State.PRE_STOP, State.TURN):
            times.append(self._stop_by)
        elif self.state in (State.STARTING, State.TERMINATING):
            times.append(self._kill_at)
        if self.alive:
            times.extend(prober.wake_at for prober in self._probers.values())
        return min((time for time in times if time is not None), default=None)

    # --- what the Pod tells ---

    def start(self) -> None:
        assert self.state in (State.WAITING, State.BACKOFF)
        self.attempt += 1
        self.started = False
        self.started_at = None
        self.creation_error = None
        self._probers = {}
        self._stop_by = self._kill_at = None
        self.state = State.STARTING
        self._commands.append(StartContainer(self.name, self.attempt))

    def stop(self, grace: float, now: float) -> None:
        """End with the Pod (rule 5), or give up starting."""
        self._stop(grace, now, keeps_turn=True)

    def _stop(self, grace: float, now: float, *, keeps_turn: bool) -> None:
        if self.state in (State.WAITING, State.BACKOFF, State.EXITED):
            self.state = State.DONE
            return
        if not self.alive:
            return
        deadline = now + grace
        if self._stop_by is None:
            self._keeps_turn = keeps_turn
        if self._stop_by is None or deadline < self._stop_by:
            self._stop_by = deadline
            if self._kill_at is not None or self.state is State.STARTING:
                kill_at = now + max(LEAST_GRACE, grace)
                self._kill_at = min(self._kill_at or kill_at, kill_at)
        if self.state in (State.POST_START, State.RUNNING):
            self._begin_stop(now)
        self.tick(now)

    def grant_turn(self, now: float) -> None:
        """All that must end before this container has ended."""
        self._turn_come = True
        if self.state is State.TURN:
            self._terminate(now)

    def restart(self, now: float) -> None:
        assert self.state is State.EXITED
        ran = 0.0 if self.started_at is None else now - self.started_at
        self.backoff_delay = self._backoff.after_run(ran)
        self.retry_at = now + self.backoff_delay
        self.state = State.BACKOFF
        if self.backoff_delay:
            text = f"Back-off {self.backoff_delay:g}s restarting failed container {self.name}"
            self._commands.append(Report(self.name, "BackOff", text, warning=True))
        self.tick(now)

    def retire(self) -> None:
        assert self.state is State.EXITED
        self.state = State.DONE

    def tick(self, now: float) -> None:
        """Do what time alone brings about."""
        if self.state is State.BACKOFF and now >= self.retry_at:
            self.start()
        if self.state in (State.PRE_STOP, State.TURN) and now >= (self._stop_by or 0):
            self._terminate(now)
        terminating = self.state in (State.STARTING, State.TERMINATING)
        if terminating and self._kill_at is not None and now >= self._kill_at:
            self.state = State.KILLED
            self._commands.append(Kill(self.name, self.attempt))
        if self.state in ALIVE - {State.STARTING, State.POST_START, State.KILLED}:
            for prober in self._probers.values():
                if prober.take_due(now):
                    self._commands.append(RunProbe(self.name, self.attempt, prober.kind))

    def handle(self, event: ContainerEvent, now: float) -> None:
        if event.attempt != self.attempt and isinstance(event, HookDone | ProbeDone):
            return
        action = TABLE.get((self.state, type(event)))
        if event.attempt == self.attempt and action is not None:
            getattr(self, action)(event, now)
        elif not isinstance(event, HookDone | ProbeDone):
            raise LifecycleError(f"{event} in state {self.state.name}, attempt {self.attempt}")

    # --- the table's actions ---

    def _run(self, event: Started, now: float) -> None:
        self.started_at = now
        self.runs += 1
        self._commands.append(Report(self.name, "Started", f"Started container {self.name}"))
        lifecycle = self.container.lifecycle
        if self._stop_by is not None:
            self.state = State.RUNNING
            self._begin_stop(now)
        elif lifecycle is not None and lifecycle.post_start is not None:
            self.state = State.POST_START
            self._commands.append(RunHook(self.name, self.attempt, "postStart", None))
        else:
            self._begin_probing(now)

    def _post_start_done(self, event: HookDone, now: float) -> None:
        if event.hook != "postStart":
            return
        if event.ok:
            self._begin_probing(now)
        else:
            text = f"postStart hook failed: {event.message}"
            self._commands.append(Report(self.name, "FailedPostStartHook", text, warning=True))
            self._stop_run("failed its postStart hook", self._pod_grace, now)

    def _begin_probing(self, now: float) -> None:
        self.state = State.RUNNING
        if self.container.startup_probe is not None:
            self._probe("startup", self.container.startup_probe, now)
        else:
            self._become_started(now)
        self.tick(now)

    def _become_started(self, now: float) -> None:
        self.started = True
        if self.role == "sidecar":
            self.passed = True
        if self.container.readiness_probe is not None:
            self._probe("readiness", self.container.readiness_probe, now)
        if self.container.liveness_probe is not None:
            self._probe("liveness", self.container.liveness_probe, now)

    def _probe(self, kind: ProbeKind, probe: Probe, now: float) -> None:
        began = now if self.started_at is None else self.started_at
        self._probers[kind] = Prober(kind, probe, began, now)

    def _probe_done(self, event: ProbeDone, now: float) -> None:
        prober = self._probers.get(event.kind)
        if prober is None:
            return
        settled = prober.answered(event.ok, now)
        if not event.ok:
            text = f"{event.kind.capitalize()} probe failed: {event.message}"
            self._commands.append(Report(self.name, "Unhealthy", text, warning=True))
        if settled and event.kind == "startup" and event.ok:
            del self._probers["startup"]
            self._become_started(now)
        elif settled and event.kind != "readiness" and not event.ok:
            grace = prober.probe.termination_grace_period_seconds
            wanted = self._pod_grace if grace is None else float(grace)
            self._stop_run(f"failed {event.kind} probe", wanted, now)
        self.tick(now)

    def _stop_run(self, why: str, grace: float, now: float) -> None:
        text = f"Container {self.name} {why}, will be stopped"
        self._commands.append(Report(self.name, "Killing", text, warning=True))
        # The turn is a matter of the Pod's end; a run that failed is stopped at once.
        self._stop(grace, now, keeps_turn=False)

    def _begin_stop(self, now: float) -> None:
        self._probers.pop("startup", None)
        self._probers.pop("liveness", None)
        assert self._stop_by is not None
        lifecycle = self.container.lifecycle
        left = self._stop_by - now
        if lifecycle is not None and lifecycle.pre_stop is not None and left > 0:
            self.state = State.PRE_STOP
            self._commands.append(RunHook(self.name, self.attempt, "preStop", left))
        else:
            self._await_turn(now)

    def _pre_stop_done(self, event: HookDone, now: float) -> None:
        if event.hook != "preStop":
            return
        if not event.ok:
            text = f"preStop hook failed: {event.message}"
            self._commands.append(Report(self.name, "FailedPreStopHook", text, warning=True))
        self._await_turn(now)

    def _await_turn(self, now: float) -> None:
        if self._turn_come or not self._keeps_turn:
            self._terminate(now)
        else:
            self.state = State.TURN

    def _terminate(self, now: float) -> None:
        assert self._stop_by is not None
        self.state = State.TERMINATING
        self._kill_at = now + max(LEAST_GRACE, self._stop_by - now)
        lifecycle = self.container.lifecycle
        name = (lifecycle.stop_signal if lifecycle else None) or "SIGTERM"
        self._commands.append(Signal(self.name, self.attempt, name))

    def _fail_to_start(self, event: StartFailed, now: float) -> None:
        self._commands.append(Report(self.name, "Failed", f"Error: {event.message}", warning=True))
        if event.reason != "StartError":
            self.creation_error = event
            self.state = State.EXITED
            return
        self.runs += 1
        code, reason = event.exit_code, event.reason
        self._end(Termination(code, None, reason, event.message, None, now))

    def _pass_over(self, event: Started, now: float) -> None:
        """SIGKILL is under way already."""

    def _exit(self, event: Exited, now: float) -> None:
        code = event.exit_code if event.signal is None else 128 + event.signal
        reason = "OOMKilled" if event.oom else "Error" if code else "Completed"
        self._end(Termination(code, event.signal, reason, event.message, self.started_at, now))

    def _end(self, termination: Termination) -> None:
        self.ended_before, self.ended = self.ended, termination
        self.state = State.EXITED
        self.started = False
        if self.role == "init" and self.succeeded:
            self.passed = True
