"""The Pod's agent: makes and holds the Pod's namespaces, and dials inside them.

A fork of the supervisor. It runs the steps of the set-up that have to happen inside the
namespaces, when it is told to, and then serves `agent.sock`: the supervisor reaches the Pod's
ports through it. With a shared PID namespace it is its PID 1.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence

from podweave.engines.local.setup import operations
from podweave.engines.local.setup.dialling import DialServer
from podweave.engines.local.setup.operations import Operation
from podweave.sandbox import namespaces, processes, users
from podweave.sandbox.system_calls import SandboxError

_SERVE = b"serve"


class Agent:
    """The supervisor's end of a started agent."""

    def __init__(self, pid: int, channel: socket.socket, held: namespaces.Namespaces) -> None:
        self.pid = pid
        self.namespaces = held
        self._channel = channel

    @classmethod
    def start(
        cls,
        kinds: Sequence[str],
        plan: Sequence[Operation],
        listener: socket.socket,
        *,
        user_namespace: bool,
    ) -> Agent:
        """Fork an agent with new namespaces of these kinds. It knows the plan by heart."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def prepare() -> None:
            if user_namespace:
                users.enter_user_namespace(0, 0)
            namespaces.separate(kinds)

        held = [*(["user"] if user_namespace else []), *kinds]
        # In a PID namespace of its own the agent is the first child, not the one who made it.
        pid = processes.fork_orphan(prepare, lambda: _run(theirs, held, plan, listener))
        theirs.close()
        try:
            ours.send(b"go")
            _, descriptors, _, _ = socket.recv_fds(ours, 16, len(held))
        except OSError as error:
            raise SandboxError("start the Pod's agent", "", error.errno or 0) from error
        if len(descriptors) != len(held):
            raise SandboxError("start the Pod's agent", "", 10)
        return cls(pid, ours, namespaces.Namespaces(dict(zip(held, descriptors, strict=True))))

    def perform(self, index: int) -> None:
        """Have it run step `index` of the plan. Raises what the step raises."""
        try:
            self._channel.send(b"%d" % index)
            answer = self._channel.recv(8192)
        except OSError as error:
            raise SandboxError("talk to the Pod's agent", "", error.errno or 0) from error
        if answer != b"ok":
            raise (
                processes.decode_error(answer[1:])
                if answer
                else SandboxError("talk to the Pod's agent", "", 32)
            )

    def serve(self) -> None:
        """The set-up is done: from now on it only dials."""
        self._channel.send(_SERVE)

    def close(self) -> None:
        self._channel.close()
        self.namespaces.close()


def _run(
    channel: socket.socket,
    held: Sequence[str],
    plan: Sequence[Operation],
    listener: socket.socket,
) -> int:
    processes.reset_handlers()
    processes.ignore_terminal()
    # Ignored children leave no zombies: as PID 1 of a shared PID namespace it gets orphans.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    processes.restore_mask()
    processes.name("podweave-agent")
    processes.close_all_but({2, channel.fileno(), listener.fileno()})
    os.chdir("/")
    if channel.recv(16) != b"go":
        return 1
    processes.die_with_parent()
    descriptors = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in held]
    socket.send_fds(channel, [b"here"], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    while True:
        request = channel.recv(16)
        if not request:
            return 0
        if request == _SERVE:
            break
        try:
            operations.run(plan[int(request)])
        except SandboxError as error:
            channel.send(b"!" + processes.encode_error(error))
        else:
            channel.send(b"ok")
    processes.hide_memory()
    # The channel stays open: its end is the supervisor's.
    DialServer(listener, names=None, lifeline=channel).run()
    return 0
