"""The local engine behind the common interface: Pods on this machine, one directory each."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from podweave.engines.engine import (
    Engine,
    LogSource,
    PodExistsError,
    PodGoneError,
    PodObject,
    PodOrder,
)
from podweave.engines.errors import EngineError
from podweave.engines.local.client import prefork
from podweave.engines.local.client.control_calls import Call, NoSupervisorError, ask
from podweave.engines.local.client.order_messages import send_order
from podweave.engines.local.pod_objects import pod_object
from podweave.engines.local.records import (
    PodLock,
    PodRecord,
    log_path,
    pod_directories,
    pod_directory,
    read_record,
    state_directory,
    supervisor_of,
)
from podweave.engines.local.supervision.output import last_lines, previous

PATIENCE: Final = 10.0
"""Seconds beyond the grace period after which a supervisor counts as hung."""


class LocalEngine(Engine):
    name = "local"
    kubernetes = None

    def __init__(self, state: str | None = None) -> None:
        self.state: Final = state or state_directory()

    def plan(self, order: PodOrder) -> list[str]:
        from podweave.engines.local.setup.pod_sandbox import PodSandbox
        from podweave.engines.local.supervision.launch import launch_of

        launch = launch_of(order, self.state)
        steps = PodSandbox.plan(launch.pod, launch.settings, launch.directory)
        lines = [step.describe() for step in steps]
        return [*lines, *(f"publish {each}" for each in launch.publications)]

    def start(self, order: PodOrder, *, until: Callable[[], float]) -> Iterator[PodObject]:
        metadata = order.pod.metadata
        name = metadata.name or ""
        directory = pod_directory(self.state, metadata.namespace or "default", name)
        if supervisor_of(directory) is not None:
            raise PodExistsError(f"Pod {name} is up already")
        supervisor = prefork.prepared_or_new()
        # Sent before anybody asks for the first answer: the caller may have more to load.
        send_order(supervisor, self.state, order)
        return _answers(supervisor, until)

    def last_lines(self, pod: PodObject, container: str, count: int) -> list[str]:
        path = log_path(self.directory(pod), container)
        return last_lines(path, count) or last_lines(previous(path), count)

    def pods(self) -> list[PodObject]:
        found = (self._look(directory) for directory in pod_directories(self.state))
        return [pod for pod in found if pod is not None]

    def stop(self, pod: PodObject, *, grace: float | None, volumes: bool) -> None:
        metadata = pod["metadata"]
        directory = pod_directory(self.state, metadata["namespace"], metadata["name"])
        if not os.path.isdir(directory):
            return
        self._end_supervisor(directory, pod, grace)
        from podweave.engines.local.supervision.launch import remove

        lock = PodLock.acquire(directory, wait=True)
        assert lock is not None
        record = read_record(directory)
        remove(directory, lock)
        if volumes and record is not None:
            self._remove_claims(record)
        self._remove_empty_directories()

    def session(
        self,
        pod: PodObject,
        container: str,
        argv: list[str],
        descriptors: list[int],
        environment: dict[str, str] | None = None,
    ) -> Call:
        """Begin a command in a container: with stdin, stdout and stderr, or in a new terminal,
        whose descriptor comes back, where there are none. See control.py."""
        request = {
            "op": "exec",
            "container": container,
            "argv": argv,
            "tty": not descriptors,
            "environment": environment or {},
        }
        try:
            return Call(self.directory(pod), request, descriptors)
        except NoSupervisorError:
            raise PodGoneError(f"Pod {pod['metadata']['name']} doesn't run") from None

    def attach(
        self, pod: PodObject, container: str, argv: list[str], *, interactive: bool, terminal: bool
    ) -> int:
        from podweave.engines.local.client.attaching import piped_session, terminal_session

        session = terminal_session if terminal else piped_session
        return session(self, pod, container, argv, interactive=interactive)

    def log_source(self, pod: PodObject, container: str, *, former: bool) -> LogSource:
        from podweave.engines.local.client.log_reading import LogReader

        return LogReader(self.directory(pod), container, former=former)

    def execute(self, pod: PodObject, container: str, argv: list[str]) -> tuple[int, str]:
        """Run a command in a container to its end: its exit code, and all it printed."""
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        with open(reader, "rb") as output:
            try:
                call = self.session(pod, container, argv, [null, writer, writer])
            finally:
                os.close(writer)
                os.close(null)
            try:
                # The supervisor's copies are gone once it has answered or the command has ended.
                printed = output.read()
                answer = call.receive() or {}
            finally:
                call.close()
        return int(answer.get("exit", 1)), printed.decode(errors="replace")

    def is_alive(self, pod: PodObject) -> bool:
        """Whether the Pod's supervisor lives, and so the Pod may."""
        return supervisor_of(self.directory(pod)) is not None

    def remove_all_claims(self) -> None:
        """Also those of Pods that are down already."""
        import shutil

        shutil.rmtree(os.path.join(self.state, "claims"), ignore_errors=True)

    def directory(self, pod: PodObject) -> str:
        return pod_directory(self.state, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _look(self, directory: str) -> PodObject | None:
        """The Pod as its supervisor tells it, else as the record has it."""
        supervisor = supervisor_of(directory)
        if supervisor is not None:
            with contextlib.suppress(NoSupervisorError, EngineError):
                answer = ask(directory, {"op": "status"})
                if answer is not None:
                    return answer
        record = read_record(directory)
        if record is None:
            namespace, _, name = os.path.basename(directory).partition("_")
            record = PodRecord(name=name, namespace=namespace, uid="")
        # Not asked again: a supervisor that has just ended has written its last record.
        return pod_object(record, supervisor=supervisor)

    def _end_supervisor(self, directory: str, pod: PodObject, grace: float | None) -> None:
        """Return when no supervisor lives, in order if it can be had in order."""
        pid = supervisor_of(directory)
        if pid is None:
            return
        seconds = pod["podweave"].get("grace", 30.0) if grace is None else grace
        deadline = time.monotonic() + seconds + PATIENCE
        try:
            call = Call(directory, {"op": "stop", "grace": grace})
        except NoSupervisorError:
            # In the middle of the set-up, or about to end.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self._wait_for_end(directory, time.monotonic() + PATIENCE)
            return
        try:
            call.set_deadline(deadline)
            for _ in call:
                pass
        except TimeoutError:
            pass
        finally:
            call.close()
        self._wait_for_end(directory, max(deadline, time.monotonic() + 2))

    def _wait_for_end(self, directory: str, deadline: float) -> None:
        pause = 0.001
        while (pid := supervisor_of(directory)) is not None:
            if time.monotonic() > deadline:
                # Hung: its death takes every process of the Pod along.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                deadline += PATIENCE
            time.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _remove_claims(self, record: PodRecord) -> None:
        import shutil

        for claim in record.claims:
            path = os.path.join(self.state, "claims", record.namespace, claim)
            shutil.rmtree(path, ignore_errors=True)

    def _remove_empty_directories(self) -> None:
        """The state directory goes when the last Pod and the last claim have gone."""
        claims = os.path.join(self.state, "claims")
        with contextlib.suppress(OSError):
            for namespace in os.listdir(claims):
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(claims, namespace))
        for path in (claims, os.path.join(self.state, "pods")):
            with contextlib.suppress(OSError):
                os.rmdir(path)


def _answers(supervisor: socket.socket, until: Callable[[], float]) -> Iterator[PodObject]:
    """What the supervisor that was begun for a Pod tells about it."""
    with supervisor, supervisor.makefile("rb") as lines:
        while True:
            supervisor.settimeout(max(0.001, until() - time.monotonic()))
            try:
                line = lines.readline()
            except TimeoutError:
                return
            if not line:
                return
            answer: PodObject = msgspec.json.decode(line)
            if "error" in answer:
                kind = PodExistsError if answer["kind"] == "exists" else EngineError
                raise kind(answer["error"], container=answer["container"])
            yield answer
