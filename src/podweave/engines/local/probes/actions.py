"""What probes and hooks do: exec, httpGet, tcpSocket, grpc, sleep. Each ends by `done`, once."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

from podweave.engines.errors import EngineError
from podweave.engines.local.probes.conversations import Conversation, Exchange
from podweave.engines.local.probes.grpc_health import GrpcHealth
from podweave.engines.local.probes.http_get import MAX_REDIRECTS, HttpGet, Target
from podweave.engines.local.probes.pod_dials import Dial
from podweave.engines.local.setup.pod_sandbox import PodSandbox
from podweave.engines.local.supervision.containers import Run
from podweave.engines.local.supervision.executions import Children, Done, Execution
from podweave.engines.local.supervision.loop import Loop, Timer
from podweave.model.pods import (
    Container,
    ExecAction,
    HttpGetAction,
    LifecycleHandler,
    Port,
    Probe,
)
from podweave.sandbox.system_calls import SandboxError


class Actions:
    def __init__(self, loop: Loop, children: Children, sandbox: PodSandbox, directory: str) -> None:
        self._loop = loop
        self._children = children
        self._sandbox = sandbox
        self._directory = directory

    def probe(self, run: Run, probe: Probe, done: Done) -> None:
        timeout = float(probe.timeout_seconds or 1)
        if probe.grpc is not None:
            host, port = self._sandbox.ip, probe.grpc.port
            exchange = GrpcHealth(probe.grpc.service or "", f"{host}:{port}")
            self._connect(host, port, timeout, done, exchange)
        else:
            self._handle(run, probe, timeout, done)

    def hook(self, run: Run, hook: LifecycleHandler, timeout: float | None, done: Done) -> None:
        if hook.sleep is not None:
            seconds = float(hook.sleep.seconds)
            self._loop.after(
                seconds if timeout is None else min(seconds, timeout), lambda: done(True, "")
            )
        else:
            self._handle(run, hook, timeout, done)

    def _handle(
        self, run: Run, action: Probe | LifecycleHandler, timeout: float | None, done: Done
    ) -> None:
        limit = 30.0 if timeout is None else timeout
        try:
            if action.exec is not None:
                self._execute(run, action.exec, timeout, done)
            elif action.http_get is not None:
                target = self._target(run.container, action.http_get)
                self._get(target, limit, done)
            elif action.tcp_socket is not None:
                host = action.tcp_socket.host or self._sandbox.ip
                port = port_number(run.container, action.tcp_socket.port)
                self._connect(host, port, limit, done, None)
            else:
                self._later(done, False, "neither exec, httpGet, tcpSocket nor grpc is given")
        except (EngineError, SandboxError) as error:
            self._later(done, False, str(error))

    def _later(self, done: Done, ok: bool, message: str) -> None:
        self._loop.after(0, lambda: done(ok, message))

    def _execute(self, run: Run, action: ExecAction, timeout: float | None, done: Done) -> None:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            pid = self._sandbox.execute(
                run.started, action.command or [], stdout=writer, stderr=writer
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        Execution(self._loop, self._children, pid, reader, timeout, done)

    def _target(self, container: Container, action: HttpGetAction) -> Target:
        path = action.path or "/"
        return Target(
            (action.scheme or "HTTP").lower(),
            action.host or self._sandbox.ip,
            port_number(container, action.port),
            path if path.startswith("/") else f"/{path}",
            tuple((header.name, header.value) for header in action.http_headers or ()),
        )

    def _get(self, target: Target, timeout: float, done: Done, redirects: int = 0) -> None:
        exchange = HttpGet(target)
        deadline = self._loop.now() + timeout

        def judged(ok: bool, message: str) -> None:
            if exchange.redirect is None:
                done(ok, message)
            elif redirects == MAX_REDIRECTS:
                done(False, f"stopped after {MAX_REDIRECTS} redirects")
            else:
                left = max(0.001, deadline - self._loop.now())
                self._get(exchange.redirect, left, done, redirects + 1)

        tls = target.scheme == "https"
        self._connect(target.host, target.port, timeout, judged, exchange, tls=tls)

    def _connect(
        self,
        host: str,
        port: int,
        timeout: float,
        done: Done,
        exchange: Exchange | None,
        *,
        tls: bool = False,
    ) -> None:
        """Dial, and hold the exchange if there is one, all within `timeout`."""
        cancel: list[Callable[[], None]] = []
        timer: Timer

        def end(ok: bool, message: str) -> None:
            timer.cancel()
            done(ok, message)

        def expired() -> None:
            for each in cancel:
                each()
            done(False, f"no answer from {host}:{port} within {timeout:g}s")

        def dialled(connected: socket.socket | None, why: str) -> None:
            if connected is None:
                end(False, f"dial {host}:{port}: {why}")
            elif exchange is None:
                connected.close()
                end(True, "")
            else:
                with contextlib.suppress(OSError):
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                conversation = Conversation(self._loop, connected, exchange, end, tls=tls)
                cancel.append(conversation.cancel)

        timer = self._loop.after(timeout, expired)
        cancel.append(Dial(self._loop, self._directory, host, port, timeout, dialled).cancel)


def port_number(container: Container, port: Port) -> int:
    """The number of a port that may be given by the name of one of the container's ports."""
    if isinstance(port, int):
        return port
    for each in container.ports or ():
        if each.name == port:
            return each.container_port
    if port.isdigit():
        return int(port)
    raise EngineError(
        f"container {container.name} has no port named {port!r}", container=container.name
    )
