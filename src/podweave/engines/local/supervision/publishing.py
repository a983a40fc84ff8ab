"""Ports of the machine that lead into the Pod: hostPort and `up --publish`.

Each is served by the ambassador program, run on the machine by the supervisor, which dials the
Pod's port through the Pod's agent. It ends with the supervisor, whatever happens to that.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from podweave.engines.errors import EngineError
from podweave.engines.local.lifecycle.events import Report
from podweave.engines.local.supervision.executions import Children
from podweave.engines.local.supervision.loop import Loop
from podweave.engines.publication import Publication
from podweave.sandbox import processes

RESTART_DELAY: Final = 1.0


def check_free(publications: Sequence[Publication]) -> None:
    """Raise EngineError for a port that can't be had, before anything is set up for it."""
    for each in publications:
        family = socket.AF_INET6 if ":" in each.host_ip else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((each.host_ip, each.host_port))
            except OSError as error:
                place = f"{each.host_ip}:{each.host_port}"
                raise EngineError(
                    f"can't publish on {place}: {error.strerror}; choose another with "
                    f"--publish PORT:{each.container_port}"
                ) from error


class Publications:
    """The ambassador processes of a Pod."""

    def __init__(
        self,
        publications: Sequence[Publication],
        directory: str,
        archive: str | None,
        pod_ip: str,
    ) -> None:
        self._publications = publications
        self._directory = directory
        self._archive = archive
        self._pod_ip = pod_ip
        self._processes: dict[int, int] = {}
        self._listening: set[int] = set()
        self._stopping = False

    def start(
        self,
        loop: Loop,
        children: Children,
        report: Callable[[Report], None],
        changed: Callable[[list[str]], None],
    ) -> None:
        """Start them. `changed` is called with those that listen, whenever that changes."""
        self._changed = changed
        self._loop = loop
        self._children = children
        self._report = report
        for number in range(len(self._publications)):
            self._spawn(number)

    @property
    def pending(self) -> list[str]:
        """Those that don't listen (yet)."""
        return [
            str(each)
            for number, each in enumerate(self._publications)
            if number not in self._listening
        ]

    def stop(self) -> None:
        """They hold no state and the Pod is gone: there is nothing to drain."""
        self._stopping = True
        for pid in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _spawn(self, number: int) -> None:
        if self._stopping:
            return
        path = os.path.join(self._directory, f"publish-{number}.json")
        with open(path, "w") as stream:
            json.dump(self._configuration(self._publications[number]), stream)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        pid = processes.fork(lambda: self._become_ambassador(path, writer))
        os.close(writer)
        os.set_blocking(reader, False)
        self._processes[number] = pid
        self._loop.watch(reader, lambda: self._read(number, reader))
        self._children.expect(pid, lambda status: self._ended(number))

    def _become_ambassador(self, path: str, journal: int) -> int:
        processes.die_with_parent()
        processes.restore_signals()
        os.dup2(journal, 2)
        # By a relative path, which is short enough for the address of a Unix socket.
        os.chdir(self._directory)
        environment = {"PATH": os.defpath, "PODWEAVE_BROKER": "agent.sock"}
        argv = [sys.executable, "-I", "-S", self._archive or "", "ambassador", path]
        os.execve(sys.executable, argv, environment)

    def _configuration(self, publication: Publication) -> dict[str, Any]:
        upstream = [self._pod_ip, publication.container_port]
        return {
            "version": 1,
            "program": "ambassador",
            "name": f"publish-{publication.host_port}",
            "listen": [[publication.host_ip, publication.host_port]],
            "admin": None,
            "protocol": "tcp",
            "profile": "pod",
            "profiles": {"pod": {"upstreams": [upstream]}},
        }

    def _read(self, number: int, reader: int) -> None:
        """Its journal tells when it listens, and why it can't."""
        try:
            data = os.read(reader, 65536)
        except BlockingIOError:
            return
        if not data:
            self._loop.unwatch(reader)
            os.close(reader)
            return
        for line in data.splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("event.action") == "listening":
                    self._listening.add(number)
                    self._tell()
                elif entry.get("log.level") == "error":
                    text = f"{self._publications[number]}: {entry.get('reason', entry)}"
                    self._report(Report(None, "FailedPublish", text, warning=True))

    def _ended(self, number: int) -> None:
        self._listening.discard(number)
        del self._processes[number]
        if not self._stopping:
            self._tell()
            self._loop.after(RESTART_DELAY, lambda: self._spawn(number))

    def _tell(self) -> None:
        self._changed([str(self._publications[each]) for each in sorted(self._listening)])
