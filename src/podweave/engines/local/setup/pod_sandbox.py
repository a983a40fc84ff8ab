"""A Pod as the lifecycle sees it: create its namespaces, start containers in them, destroy it.

Used by the supervisor alone, which is single-threaded, a child subreaper
(`PR_SET_CHILD_SUBREAPER`), outside the Pod's namespaces, and reaps with `waitpid(-1)`. Nothing
here waits for anything but the kernel and short-lived children of its own, which it reaps by pid.

What a supervisor does:

    sandbox = PodSandbox.create(pod, settings, directory)        # EngineError, SandboxError
    started = sandbox.start(container, attempt=0, helper=False, stdout=w1, stderr=w2)
    ... epoll on started.status_fd: JSON lines, see StartedContainer ...
    sandbox.signal(started, signal.SIGTERM); sandbox.kill(started)
    pid = sandbox.execute(started, ["cat", "/tmp/healthy"], stdout=w, stderr=w)
    ... waitpid(-1) → (pid, status): sandbox.reaped(pid) says whether it was one of its own ...
    sandbox.destroy()                                            # idempotent
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import msgspec

from podweave.engines.errors import EngineError
from podweave.engines.local.setup import leftovers, operations, process_one
from podweave.engines.local.setup.container_sandbox import plan_container
from podweave.engines.local.setup.operations import Operation
from podweave.engines.local.setup.pod_setup import PodSetup
from podweave.engines.local.setup.settings import Settings
from podweave.model.pods import Container, Pod
from podweave.sandbox import cgroups, namespaces, processes
from podweave.sandbox.system_calls import SandboxError


class StartedContainer(msgspec.Struct):
    """A container that was started. `pid` and `status_fd` are the supervisor's to watch."""

    name: str
    attempt: int
    pid: int
    """Process one, as seen from outside; a child of the supervisor. It is to be reaped."""
    status_fd: int
    """Non-blocking, close-on-exec, the caller closes it. JSON lines, in this order:

    `{"running": true}`                the command was executed; only now is the container running
    then one of
    `{"exit": 0}`                      the command ended with this exit code
    `{"signal": 9}`                    … was ended by this signal (kubelet: exitCode 128 + 9)
    or, in place of both,
    `{"start_error": "exec: \\"nope\\": executable file not found in $PATH", "exit": 128,
      "reason": "StartError"}`         it never ran
    and EOF. EOF without an outcome: process one was itself killed (`kill`, out of memory, the
    machine): count it as signal 9, and ask `PodSandbox.oom_killed`.
    """
    termination_log: str
    """The file behind terminationMessagePath, on this machine's side. May be empty."""
    cgroup: str | None = None


class _Running(msgspec.Struct):
    """What the supervisor keeps of a container while process one lives."""

    command: process_one.Command
    namespaces: namespaces.Namespaces
    group: cgroups.Group | None
    member_files: tuple[int, ...]

    def close(self) -> None:
        self.namespaces.close()
        for number in self.member_files:
            os.close(number)


class PodSandbox:
    """A created Pod. One supervisor holds it."""

    def __init__(self, setup: PodSetup) -> None:
        self._setup = setup
        self._running: dict[int, _Running] = {}
        self._destroyed = False

    @property
    def ip(self) -> str:
        """status.podIP (the machine's address for a host-network Pod)."""
        return self._setup.network.ip

    @property
    def pod(self) -> Pod:
        """The Pod as it runs: with a name, a namespace and a uid."""
        return self._setup.pod

    @property
    def notices(self) -> list[str]:
        """Things to tell the user once, in plain sentences: what this machine can't give."""
        return self._setup.notices

    @classmethod
    def plan(cls, pod: Pod, settings: Settings, directory: str) -> list[Operation]:
        """What `create` would do, then what each container's start would do (`--dry-run`).

        Print `operation.describe()` of each. Touches nothing.
        """
        setup = PodSetup(pod, settings, directory)
        steps = setup.steps()
        shared = setup.shared()
        for container in [*(pod.spec.init_containers or ()), *pod.spec.containers]:
            steps += plan_container(
                container,
                shared,
                helper=container.name in settings.helpers,
                termination_log=_termination_log(setup.directory, container.name, 0),
            ).operations
        return steps

    @classmethod
    def create(
        cls,
        pod: Pod,
        settings: Settings,
        directory: str,
        *,
        before: Callable[[Operation], None] | None = None,
    ) -> PodSandbox:
        """Make the Pod's namespaces, network, volumes, agent and broker.

        `directory` is the Pod's own (<state>/pods/<namespace>_<name>), absolute; it is created
        when missing, with `volumes/` and `termination/` in it. `agent.sock` there serves the
        broker protocol from inside the Pod: connect to the Pod's ports through it.
        `before` is called ahead of each operation, in whichever process runs it, those of the
        containers' starts included (progress; tests stop there).

        On failure everything done so far is undone, then EngineError (the manifest asks for
        what can't be) or SandboxError (a system call failed) is raised.
        """
        processes.become_subreaper()
        sandbox = cls(PodSetup(pod, settings, directory, before))
        try:
            operations.execute(sandbox._setup.steps(), before)
            sandbox._setup.finish()
        except BaseException:
            sandbox.destroy()
            raise
        return sandbox

    def start(
        self,
        container: Container,
        *,
        attempt: int,
        helper: bool,
        stdout: int,
        stderr: int,
    ) -> StartedContainer:
        """Start a container (again: `attempt` counts from 0). Returns before its command runs.

        `stdout` and `stderr` stay the caller's to close. Standard input is /dev/null.
        Raises EngineError with reason CreateContainerConfigError (a missing ConfigMap, runAsNonRoot
        with user 0, no command, …) or CreateContainerError. Whatever fails later is told through
        `status_fd`.
        """
        setup = self._setup
        log = _termination_log(setup.directory, container.name, attempt)
        plan = plan_container(container, setup.shared(), helper=helper, termination_log=log)
        _make_empty(log)
        group = setup.groups.group_for(container, attempt)
        member_files = tuple(
            os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            for path in (group.member_files if group else ())
        )
        command = msgspec.structs.replace(plan.command, cgroup_files=member_files)
        own = ["mnt", "pid"] if setup.own_processes else ["mnt"]
        held = setup.agent.namespaces
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status, report = os.pipe2(os.O_CLOEXEC)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

        def prepare() -> None:
            processes.block_signals()
            held.enter()
            namespaces.separate(own)

        def child() -> int:
            ours.close()
            return process_one.run(
                theirs,
                report,
                (nothing, stdout, stderr),
                plan.operations,
                command,
                own,
                setup.before,
            )

        try:
            pid = processes.fork_orphan(prepare, child)
            # Only now its parent is the supervisor, whose end it is to follow.
            ours.send(b"go")
            _, descriptors, _, _ = socket.recv_fds(ours, 16, len(own))
        except OSError as error:
            for number in (status, *member_files):
                os.close(number)
            if group is not None:
                cgroups.remove(group.distinct)
            raise EngineError(
                f"container {container.name} can't be started: {error}",
                reason="CreateContainerError",
                container=container.name,
            ) from error
        finally:
            for end in (ours, theirs):
                end.close()
            os.close(report)
            os.close(nothing)
        os.set_blocking(status, False)
        entered = dict(zip(own, descriptors, strict=False))
        self._running[pid] = _Running(command, namespaces.Namespaces(entered), group, member_files)
        place = None if group is None else group.distinct[0]
        return StartedContainer(container.name, attempt, pid, status, log, place)

    def signal(self, started: StartedContainer, signum: int) -> None:
        """Send a signal to the container's command; nothing happens when it has ended."""
        if signum == signal.SIGKILL:
            self.kill(started)
        elif started.pid in self._running:
            _send(started.pid, signum)

    def kill(self, started: StartedContainer) -> None:
        """SIGKILL to every process of the container."""
        if started.pid not in self._running:
            return
        if not self._setup.own_processes:
            # No PID namespace ends with process one: it mustn't, before the others have.
            _send(started.pid, signal.SIGSTOP)
            while below := processes.descendants(started.pid):
                for pid in below:
                    _send(pid, signal.SIGKILL)
        _send(started.pid, signal.SIGKILL)

    def execute(
        self,
        started: StartedContainer,
        argv: list[str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        tty: bool = False,
        environment: dict[str, str] | None = None,
    ) -> int:
        """Run a command in a running container, with its user, environment and directory.

        Returns a pid that is (by re-parenting to the subreaper) a child of the caller. It ends
        with 127 when the command isn't found, 126 when it can't be executed, the message on its
        stderr. Descriptors stay the caller's; None is /dev/null. With `tty`, `stdin` is a
        terminal (see `open_terminal`) that becomes the controlling one. `environment` is added
        to the container's. The process is killed when the container ends; to kill it alone:
        os.kill(pid, SIGKILL). Raises EngineError when the container isn't running.
        """
        running = self._live(started)
        command = running.command.replaced(argv, environment or {})
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        chosen = [nothing if number is None else number for number in (stdin, stdout, stderr)]

        def child() -> int:
            processes.forbid_imports()
            processes.close_all_but({*chosen, *command.cgroup_files})
            try:
                process_one.become_command(command, chosen, terminal=tty)
            except (process_one.CommandError, SandboxError) as error:
                os.write(chosen[2], f"{error}\n".encode())
                return error.code if isinstance(error, process_one.CommandError) else 126

        try:
            return processes.fork_orphan(lambda: self._enter(running), child)
        finally:
            os.close(nothing)

    def open_terminal(self, started: StartedContainer) -> tuple[int, int]:
        """A new pseudo-terminal of the container's own /dev/pts: (master, slave) descriptors."""
        running = self._live(started)
        user = running.command.identity
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def child() -> int:
            master, slave = os.openpty()
            if not user.nested:
                os.fchown(slave, user.user, -1)
            socket.send_fds(theirs, [b"here"], [master, slave])
            return 0

        try:
            pid = processes.fork_orphan(lambda: self._enter(running), child)
            theirs.close()
            _, descriptors, _, _ = socket.recv_fds(ours, 16, 2)
            os.waitpid(pid, 0)
        finally:
            ours.close()
            theirs.close()
        if len(descriptors) != 2:
            raise EngineError(f"container {started.name} gives no terminal")
        for number in descriptors:
            os.set_inheritable(number, False)
        return descriptors[0], descriptors[1]

    def oom_killed(self, started: StartedContainer) -> bool:
        """Whether the kernel killed a process of the container for want of memory.

        To be asked before `ended`.
        """
        running = self._running.get(started.pid)
        if running is None or running.group is None:
            return False
        return cgroups.out_of_memory_kills(running.group) > 0

    def ended(self, started: StartedContainer) -> None:
        """To be called once process one was reaped: removes the container's cgroup. Idempotent."""
        running = self._running.pop(started.pid, None)
        if running is not None:
            running.close()
            if running.group is not None:
                cgroups.remove(running.group.distinct)

    def reaped(self, pid: int) -> bool:
        """Tell that waitpid(-1) gave `pid`. True when it was one of the sandbox's own processes
        (agent, broker, network); a broker is started again, a lost agent raises EngineError."""
        return self._setup.reaped(pid)

    def destroy(self) -> None:
        """Kill what still runs and remove all of the Pod but claims and logs. Idempotent."""
        if self._destroyed:
            return
        self._destroyed = True
        for pid in list(self._running):
            self.kill(StartedContainer("", 0, pid, -1, ""))
        for pid, running in self._running.items():
            processes.reap(pid)
            running.close()
        self._running.clear()
        self._setup.end()
        clean(self._setup.directory)

    def _live(self, started: StartedContainer) -> _Running:
        running = self._running.get(started.pid)
        if running is None:
            raise EngineError(
                f"container {started.name} is not running",
                reason="ContainerNotRunning",
                container=started.name,
            )
        return running

    def _enter(self, running: _Running) -> None:
        processes.hide_memory()
        held = self._setup.agent.namespaces
        held.without("mnt", *running.namespaces.kinds).enter()
        running.namespaces.enter()


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _termination_log(directory: str, container: str, attempt: int) -> str:
    return f"{directory}/termination/{container}-{attempt}"


def _make_empty(path: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    # Whoever the container runs as may leave a message.
    os.fchmod(descriptor, 0o666)
    os.close(descriptor)


def clean(directory: str) -> None:
    """Remove what a Pod whose supervisor died left: cgroups, network rules, volumes, sockets.

    From the directory's name and the records in it alone. Keeps `logs/` and `record.json`, which
    are the caller's to remove. Idempotent; the caller makes sure that no supervisor lives.
    """
    leftovers.remove(directory)
