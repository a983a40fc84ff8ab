"""The process that keeps a Pod: drives its life, keeps its output and record, answers commands.

One per Pod, single-threaded, outside the Pod's namespaces, parent of the Pod's processes. When
it dies every process of the Pod dies with it; what stays on disk is found by its free lock.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from podweave.engines.errors import EngineError
from podweave.engines.local.lifecycle.backoff import BackoffTimes
from podweave.engines.local.lifecycle.events import (
    Begin,
    Command,
    Event,
    Exited,
    HookDone,
    Kill,
    PodFinished,
    ProbeDone,
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
from podweave.engines.local.lifecycle.status import pod_status, timestamp
from podweave.engines.local.pod_objects import pod_object
from podweave.engines.local.probes.actions import Actions
from podweave.engines.local.records import PodRecord, log_path, write_record
from podweave.engines.local.setup.pod_sandbox import PodSandbox
from podweave.engines.local.supervision.containers import Run, termination_message
from podweave.engines.local.supervision.control import Client, ControlServer, Request
from podweave.engines.local.supervision.exec_sessions import open_session
from podweave.engines.local.supervision.executions import Children
from podweave.engines.local.supervision.loop import Loop, Timer
from podweave.engines.local.supervision.output import ContainerOutput, LogFile, set_aside
from podweave.engines.local.supervision.publishing import Publications
from podweave.engines.local.supervision.settling import Settling
from podweave.model.pods import Container, Pod
from podweave.sandbox.system_calls import SandboxError

MAX_EVENTS: Final = 100
"""Events kept in the record; as in a cluster they are for reading soon, not an archive."""

LAST_WORDS: Final = 2.0
"""Seconds that clients get to read their last answer."""


class Supervisor:
    def __init__(
        self,
        pod: Pod,
        sandbox: PodSandbox,
        directory: str,
        record: PodRecord,
        publications: Publications,
        backoff: BackoffTimes,
    ) -> None:
        self._sandbox = sandbox
        self._directory = directory
        self._record = record
        self._publications = publications
        self._loop = Loop()
        self._life = PodLife(pod.spec, backoff)
        self._children = Children()
        self._actions = Actions(self._loop, self._children, sandbox, directory)
        self._specs: dict[str, Container] = {
            each.name: each for each in [*(pod.spec.init_containers or ()), *pod.spec.containers]
        }
        self._runs: dict[str, Run] = {}
        self._pids: dict[int, Run] = {}
        self._told_running: set[int] = set()
        self._settling: dict[str, Settling] = {}
        self._logs: dict[str, LogFile] = {}
        self._events: collections.deque[Event] = collections.deque()
        self._feeding = False
        self._wake: Timer | None = None
        self._watchers: list[Client] = []
        self._dirty = True
        self._last = b""

    def run(self, attach: Callable[[Loop], Client]) -> None:
        """Keep the Pod to its end. `attach` makes the client that watches from the beginning."""
        os.makedirs(os.path.join(self._directory, "logs"), exist_ok=True)
        self._loop.handle_signals(
            {
                signal.SIGCHLD: self._reap,
                signal.SIGTERM: lambda: self._feed(StopRequested()),
                signal.SIGINT: lambda: None,
                signal.SIGHUP: lambda: None,
            }
        )
        self._loop.after_round = self._publish_status
        control = ControlServer(self._loop, self._directory, self._requested)
        self._watch(attach(self._loop))
        self._publications.start(self._loop, self._children, self._report, self._published)
        self._feed(Begin())
        self._publish_status()
        self._loop.run()
        self._publications.stop()
        control.close()
        self._say_goodbye()

    # --- the life of the Pod ---

    def _feed(self, event: Event) -> None:
        """Give the machine an event and do what it asks for, in order, also when doing it fails
        at once and so is an event itself."""
        self._events.append(event)
        if self._feeding:
            return
        self._feeding = True
        while self._events:
            for command in self._life.handle(self._events.popleft(), self._loop.now()):
                self._do(command)
        self._feeding = False
        self._dirty = True
        if self._wake is not None:
            self._wake.cancel()
        wake = self._life.wake_at
        self._wake = None if wake is None else self._loop.at(wake, self._wake_up)

    def _wake_up(self) -> None:
        self._feed(TimeReached())

    def _do(self, command: Command) -> None:
        if isinstance(command, StartContainer):
            self._start(command)
        elif isinstance(command, Signal):
            number = getattr(signal, command.signal, signal.SIGTERM)
            self._sandbox.signal(self._runs[command.container].started, number)
        elif isinstance(command, Kill):
            self._sandbox.kill(self._runs[command.container].started)
        elif isinstance(command, RunProbe):
            self._probe(command)
        elif isinstance(command, RunHook):
            self._hook(command)
        elif isinstance(command, Report):
            self._report(command)
        elif isinstance(command, PodFinished):
            self._finish()

    def _start(self, command: StartContainer) -> None:
        name = command.container
        path = log_path(self._directory, name)
        try:
            if name in self._logs:
                self._logs.pop(name).close()
                set_aside(path)
            log = self._logs[name] = LogFile(path)
        except OSError as error:
            self._feed(StartFailed(name, command.attempt, str(error), "CreateContainerError"))
            return
        output = ContainerOutput(log)
        try:
            started = self._sandbox.start(
                self._specs[name],
                attempt=command.attempt,
                helper=name in self._record.helpers,
                stdout=output.stdout,
                stderr=output.stderr,
            )
        except (EngineError, SandboxError, OSError) as error:
            output.close_writers()
            for reader in list(output.readers):
                output.finish(reader)
            reason = getattr(error, "reason", "CreateContainerError")
            self._feed(StartFailed(name, command.attempt, str(error), reason))
            return
        output.close_writers()
        run = Run(self._loop, self._specs[name], started, output)
        self._runs[name] = run
        self._pids[started.pid] = run
        self._loop.watch(started.status_fd, lambda: self._status(run))

    def _status(self, run: Run) -> None:
        run.read_status()
        pid = run.started.pid
        if run.outcome.running and pid not in self._told_running:
            self._told_running.add(pid)
            self._await_rest(run)
            self._feed(Started(run.started.name, run.started.attempt))

    def _await_rest(self, run: Run) -> None:
        spec = run.container
        if spec.readiness_probe is not None or spec.startup_probe is not None:
            return
        name = spec.name

        def at_rest() -> None:
            del self._settling[name]
            self._dirty = True

        self._settling[name] = Settling(self._loop, run.started.pid, at_rest)

    def _probe(self, command: RunProbe) -> None:
        run = self._runs[command.container]
        spec = run.container
        probe = {
            "startup": spec.startup_probe,
            "readiness": spec.readiness_probe,
            "liveness": spec.liveness_probe,
        }[command.kind]
        assert probe is not None

        def done(ok: bool, message: str) -> None:
            self._feed(ProbeDone(command.container, command.attempt, command.kind, ok, message))

        self._actions.probe(run, probe, done)

    def _hook(self, command: RunHook) -> None:
        run = self._runs[command.container]
        lifecycle = run.container.lifecycle
        assert lifecycle is not None
        hook = lifecycle.post_start if command.hook == "postStart" else lifecycle.pre_stop
        assert hook is not None

        def done(ok: bool, message: str) -> None:
            self._feed(HookDone(command.container, command.attempt, command.hook, ok, message))

        self._actions.hook(run, hook, command.timeout, done)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            run = self._pids.pop(pid, None)
            if run is not None:
                self._ended(run, status)
            elif not self._children.reaped(pid, status):
                self._sandbox.reaped(pid)

    def _ended(self, run: Run, status: int) -> None:
        self._status(run)
        run.end()
        started, outcome = run.started, run.outcome
        self._told_running.discard(started.pid)
        settling = self._settling.pop(started.name, None)
        if settling is not None:
            settling.cancel()
        oom = self._sandbox.oom_killed(started)
        self._sandbox.ended(started)
        name, attempt = started.name, started.attempt
        if outcome.error is not None:
            failed = StartFailed(
                name, attempt, outcome.error, outcome.reason, outcome.exit_code or 128
            )
            self._feed(failed)
            return
        code, number = outcome.exit_code, outcome.signal
        if code is None and number is None:
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else signal.SIGKILL
        log = log_path(self._directory, name)
        message = termination_message(run, log, failed=bool(number or code))
        self._feed(Exited(name, attempt, code or 0, number, oom, message))

    def _finish(self) -> None:
        self._loop.stop()

    # --- what others see ---

    def _report(self, report: Report) -> None:
        event: dict[str, Any] = {
            "time": timestamp(self._loop.now()),
            "type": "Warning" if report.warning else "Normal",
            "reason": report.reason,
            "message": report.message,
        }
        if report.container is not None:
            event["container"] = report.container
        events = self._record.events
        last = events[-1] if events else None
        if last is not None and all(
            last.get(key) == event.get(key) for key in ("reason", "message", "container")
        ):
            last["count"] = last.get("count", 1) + 1
            last["time"] = event["time"]
        else:
            events.append(event)
            del events[:-MAX_EVENTS]
        self._dirty = True

    def _published(self, ports: list[str]) -> None:
        self._record.ports = ports
        self._dirty = True

    def _publish_status(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        self._record.status = pod_status(self._life, self._sandbox.ip)
        self._record.busy = [*sorted(self._settling), *self._publications.pending]
        encoded = self._object()
        if encoded == self._last:
            return
        self._last = encoded
        # A full disk must not end the Pod: who asks the supervisor still hears how it is.
        with contextlib.suppress(OSError):
            write_record(self._directory, self._record)
        for client in self._watchers:
            client.send(encoded)

    def _object(self) -> bytes:
        alive = None if self._record.finished else os.getpid()
        return json.dumps(pod_object(self._record, supervisor=alive)).encode()

    def _watch(self, client: Client) -> None:
        def gone() -> None:
            self._watchers.remove(client)

        self._watchers.append(client)
        client.gone = gone

    def _requested(self, client: Client, request: Request) -> None:
        operation = request.get("op")
        if operation == "status":
            self._publish_status()
            client.send(self._object())
            client.end()
        elif operation in ("watch", "stop"):
            self._watch(client)
            if operation == "stop":
                grace = request.get("grace")
                self._feed(StopRequested(None if grace is None else float(grace)))
            if not self._dirty:
                client.send(self._object())
        elif operation == "exec":
            run = self._runs.get(str(request.get("container")))
            if run is None or run.started.pid not in self._told_running:
                client.send({"error": f"container {request.get('container')} doesn't run"})
                client.end()
            else:
                open_session(self._sandbox, self._children, run.started, client, request)
        else:
            client.send({"error": f"unknown operation {operation!r}"})
            client.end()

    def _say_goodbye(self) -> None:
        """Record the end, tell it to everybody, give them a moment to read."""
        self._sandbox.destroy()
        for log in self._logs.values():
            log.close()
        self._record.finished = True
        self._dirty = True
        self._publish_status()
        waiting = self._watchers
        for client in waiting:
            client.end()
        self._loop.after_round = lambda: (
            self._loop.stop() if all(client.closed for client in waiting) else None
        )
        self._loop.after(LAST_WORDS, self._loop.stop)
        if not all(client.closed for client in waiting):
            self._loop.run()

    def abandon(self, error: BaseException) -> None:
        """podweave itself failed, or the sandbox was lost: leave nothing running, say why."""
        import traceback

        report = os.path.join(self._directory, "supervisor.log")
        with contextlib.suppress(OSError), open(report, "a") as stream:
            traceback.print_exception(error, file=stream)
        self._record.status = pod_status(self._life, None)
        self._record.status |= {"phase": "Failed", "reason": "Lost", "message": str(error)}
        self._record.finished = True
        with contextlib.suppress(OSError):
            write_record(self._directory, self._record)
        self._publications.stop()
        self._sandbox.destroy()
