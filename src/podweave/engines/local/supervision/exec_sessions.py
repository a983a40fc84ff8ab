"""`podweave exec`: a command in a container, with the caller's own descriptors."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

from podweave.engines.errors import EngineError
from podweave.engines.local.setup.pod_sandbox import PodSandbox, StartedContainer
from podweave.engines.local.supervision.control import Client, Request
from podweave.engines.local.supervision.executions import Children
from podweave.sandbox.system_calls import SandboxError


def open_session(
    sandbox: PodSandbox,
    children: Children,
    started: StartedContainer,
    client: Client,
    request: Request,
) -> None:
    """Run what the request asks for and tell the client how it ended."""
    argv: Any = request.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(each, str) for each in argv):
        client.send({"error": "exec needs a command"})
        client.end()
        return
    terminal: tuple[int, int] | None = None
    try:
        if request.get("tty"):
            terminal = sandbox.open_terminal(started)
            stdin = stdout = stderr = terminal[1]
        elif len(client.descriptors) == 3:
            stdin, stdout, stderr = client.descriptors
        else:
            raise EngineError("exec needs stdin, stdout and stderr")
        environment = request.get("environment") or {}
        pid = sandbox.execute(
            started,
            argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            tty=terminal is not None,
            environment={str(key): str(value) for key, value in environment.items()},
        )
        if terminal is not None:
            client.send({"terminal": True}, terminal[0])
    except (EngineError, SandboxError) as error:
        client.send({"error": str(error)})
        client.end()
        return
    finally:
        client.close_descriptors()
        for fd in terminal or ():
            os.close(fd)

    def reaped(status: int) -> None:
        code = os.waitstatus_to_exitcode(status)
        client.gone = None
        client.send({"exit": code if code >= 0 else 128 - code})
        client.end()

    def gone() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    client.gone = gone
    children.expect(pid, reaped)
