"""Pods in real namespaces for tests, made by root or by an ordinary user, and what they say."""

from __future__ import annotations

import json
import os
import select
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from podweave.engines.local import sockets
from podweave.engines.local.setup.operations import Before
from podweave.engines.local.setup.pod_sandbox import PodSandbox, StartedContainer
from podweave.engines.local.setup.settings import Settings
from podweave.model.pods import ConfigMap, Container, Pod, Secret

SECONDS = 30.0


@dataclass
class Outcome:
    """What a container did from its start to its end."""

    messages: list[dict[str, Any]]
    output: str

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1] if self.messages else {}


class RunningContainer:
    """A started container, its output and its status."""

    def __init__(self, sandbox: PodSandbox, started: StartedContainer, output: int) -> None:
        self.sandbox = sandbox
        self.started = started
        self._output = output
        self._text = b""
        self._status = b""
        self._ended = False

    @property
    def text(self) -> str:
        """What it has written so far."""
        self._read(0)
        return self._text.decode()

    def messages(self) -> list[dict[str, Any]]:
        self._read(0)
        return [json.loads(line) for line in self._status.splitlines()]

    def wait_for(self, text: str) -> None:
        """Until its output contains this."""
        self._until(lambda: text in self._text.decode(errors="replace"), f"{text!r} in the output")

    def wait_running(self) -> None:
        self._until(lambda: b'"running"' in self._status, "the container runs")

    def wait(self) -> Outcome:
        """Until it has ended and all of its output was read."""
        self._until(lambda: self._ended and self._output < 0, "the container ends")
        os.waitpid(self.started.pid, 0)
        return Outcome(self.messages(), self._text.decode(errors="replace"))

    def close(self) -> None:
        """Let go of it, as a supervisor does once process one was reaped."""
        self.sandbox.ended(self.started)

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"not within {SECONDS} s: {what}: {self._text!r} {self._status!r}"
                )
            self._read(100)

    def _read(self, milliseconds: int) -> None:
        poll = select.poll()
        if self._output >= 0:
            poll.register(self._output, select.POLLIN)
        if not self._ended:
            poll.register(self.started.status_fd, select.POLLIN)
        while ready := poll.poll(milliseconds):
            milliseconds = 0
            for number, _ in ready:
                part = os.read(number, 65536)
                if number == self._output:
                    self._text += part
                else:
                    self._status += part
                if part:
                    continue
                poll.unregister(number)
                os.close(number)
                if number == self._output:
                    self._output = -1
                else:
                    self._ended = True


@dataclass
class RunningPod:
    sandbox: PodSandbox
    containers: dict[str, Container]
    settings: Settings
    directory: str
    attempts: dict[str, int] = field(default_factory=dict)

    def start(self, name: str = "main") -> RunningContainer:
        attempt = self.attempts.get(name, -1) + 1
        self.attempts[name] = attempt
        reader, writer = os.pipe()
        started = self.sandbox.start(
            self.containers[name],
            attempt=attempt,
            helper=name in self.settings.helpers,
            stdout=writer,
            stderr=writer,
        )
        os.close(writer)
        return RunningContainer(self.sandbox, started, reader)

    def run(self, name: str = "main") -> Outcome:
        """Start a container and wait for its end."""
        container = self.start(name)
        outcome = container.wait()
        container.close()
        return outcome

    def execute(self, container: RunningContainer, *argv: str) -> tuple[int, str]:
        """Run a command in a container: exit code, and output of both kinds."""
        reader, writer = os.pipe()
        pid = self.sandbox.execute(container.started, list(argv), stdout=writer, stderr=writer)
        os.close(writer)
        output = b""
        while part := os.read(reader, 65536):
            output += part
        os.close(reader)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode()


class Machine:
    """What a test has: this machine, a user, a directory for the state of Pods."""

    def __init__(self, who: str, directory: str) -> None:
        self.who = who
        self.directory = directory
        self.pods: list[RunningPod] = []

    @property
    def root(self) -> bool:
        return self.who == "root"

    def settings(self, **more: Any) -> Settings:
        maps = {
            ("default", name): ConfigMap(data=data)
            for name, data in more.pop("config_maps", {}).items()
        }
        secrets = {
            ("default", name): Secret(string_data=data)
            for name, data in more.pop("secrets", {}).items()
        }
        return Settings(state=f"{self.directory}/state", config_maps=maps, secrets=secrets, **more)

    def place(self, name: str) -> str:
        return f"{self.directory}/state/pods/default_{name}"

    def pod(
        self,
        *containers: dict[str, Any],
        name: str = "pod",
        before: Before | None = None,
        metadata: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        **spec: Any,
    ) -> RunningPod:
        """Create a Pod of these containers; the first is called main if it has no name."""
        made = pod_of(*containers, name=name, metadata=metadata, **spec)
        chosen = self.settings(**(settings or {}))
        directory = self.place(name)
        sandbox = PodSandbox.create(made, chosen, directory, before=before)
        everyone = [*(made.spec.init_containers or ()), *made.spec.containers]
        running = RunningPod(sandbox, {one.name: one for one in everyone}, chosen, directory)
        self.pods.append(running)
        return running

    def run(self, script: str, **more: Any) -> Outcome:
        """The outcome of a shell script in a Pod of its own."""
        spec = more.pop("pod", {})
        pod = self.pod(shell(script, **more), **spec)
        try:
            return pod.run()
        finally:
            pod.sandbox.destroy()

    def close(self) -> None:
        for pod in self.pods:
            pod.sandbox.destroy()


def pod_of(
    *containers: dict[str, Any],
    name: str = "pod",
    metadata: dict[str, Any] | None = None,
    **spec: Any,
) -> Pod:
    named = [
        {"name": "main" if index == 0 else f"c{index}", "image": "none", **container}
        for index, container in enumerate(containers)
    ]
    return msgspec.convert(
        {"metadata": {"name": name, **(metadata or {})}, "spec": {"containers": named, **spec}}, Pod
    )


def shell(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **more}


def python(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["/usr/bin/python3", "-c", script], **more}


def dial(pod: RunningPod, host: str, port: int, seconds: float = 5.0) -> Any:
    """Connect from inside the Pod, through its agent. A socket, or the error's name."""
    return ask(pod.directory, "agent.sock", host, port, seconds)


def ask(directory: str, name: str, host: str, port: int, seconds: float = 5.0) -> Any:
    import socket

    with sockets.connect(directory, name, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(SECONDS)
        request = {"connect": [host, port], "timeout": seconds}
        connection.send(json.dumps(request).encode())
        answer, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
    reply = json.loads(answer)
    if reply["ok"]:
        made = socket.socket(fileno=descriptors[0])
        made.settimeout(SECONDS)
        return made
    return reply["error"]


LISTENER = """
import socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen()
print("listening", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(sys.argv[3].encode())
    connection.close()
"""


def listener(address: str, port: int, says: str, **more: Any) -> dict[str, Any]:
    """A container that tells everyone who connects a word."""
    return {"command": ["/usr/bin/python3", "-c", LISTENER, address, str(port), says], **more}


def drain(connection: Any) -> str:
    data = b""
    while part := connection.recv(4096):
        data += part
    connection.close()
    return data.decode()
