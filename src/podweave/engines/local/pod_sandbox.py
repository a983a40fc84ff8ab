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

from collections.abc import Callable
from dataclasses import dataclass, field

from podweave.engines.local.operations import Operation
from podweave.model.pods import ConfigMap, Container, Pod, Secret


@dataclass(frozen=True)
class Settings:
    """What is the same for a whole `podweave up`."""

    state: str
    """The state directory, absolute. Claims are kept in STATE/claims/NAMESPACE/CLAIM/."""
    namespace: str = "default"
    """Used where the Pod names none."""
    config_maps: dict[tuple[str, str], ConfigMap] = field(default_factory=dict)
    """By (namespace, name), as manifests.bundle gives them."""
    secrets: dict[tuple[str, str], Secret] = field(default_factory=dict)
    helpers: frozenset[str] = frozenset()
    """Names of the containers that are helpers: they get Python, the archive and the broker."""
    archive: str | None = None
    """Path of podweave-helpers.pyz on this machine; required where there are helpers."""
    images: dict[str, str] = field(default_factory=dict)
    """Image reference → directory that lies over this machine's files (`up --image`)."""
    node_name: str = ""
    """What spec.nodeName and a host-network Pod's hostname say; empty: this machine's name."""


@dataclass
class StartedContainer:
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


class PodSandbox:
    """A created Pod. One supervisor holds it."""

    ip: str
    """status.podIP (the machine's address for a host-network Pod)."""
    notices: list[str]
    """Things to tell the user once, in plain sentences: what this machine can't give."""

    @classmethod
    def plan(cls, pod: Pod, settings: Settings, directory: str) -> list[Operation]:
        """What `create` would do, then what each container's start would do (`--dry-run`).

        Print `operation.describe()` of each. Touches nothing.
        """
        raise NotImplementedError

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
        `before` is called ahead of each operation (progress; tests stop there).

        On failure everything done so far is undone, then EngineError (the manifest asks for
        what can't be) or SandboxError (a system call failed) is raised.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def signal(self, started: StartedContainer, signum: int) -> None:
        """Send a signal to the container's command; nothing happens when it has ended."""
        raise NotImplementedError

    def kill(self, started: StartedContainer) -> None:
        """SIGKILL to every process of the container."""
        raise NotImplementedError

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
        os.kill(pid, SIGKILL).
        """
        raise NotImplementedError

    def open_terminal(self, started: StartedContainer) -> tuple[int, int]:
        """A new pseudo-terminal of the container's own /dev/pts: (master, slave) descriptors."""
        raise NotImplementedError

    def oom_killed(self, started: StartedContainer) -> bool:
        """Whether the kernel killed a process of the container for want of memory."""
        raise NotImplementedError

    def ended(self, started: StartedContainer) -> None:
        """To be called once process one was reaped: removes the container's cgroup. Idempotent."""
        raise NotImplementedError

    def reaped(self, pid: int) -> bool:
        """Tell that waitpid(-1) gave `pid`. True when it was one of the sandbox's own processes
        (agent, broker, network); a broker is started again, a lost agent raises EngineError."""
        raise NotImplementedError

    def destroy(self) -> None:
        """Kill what still runs and remove all of the Pod but claims and logs. Idempotent."""
        raise NotImplementedError


def clean(directory: str) -> None:
    """Remove what a Pod whose supervisor died left: cgroups, network rules, volumes, sockets.

    From the directory's name and the records in it alone. Keeps `logs/` and `record.json`, which
    are the caller's to remove. Idempotent; the caller makes sure that no supervisor lives.
    """
    raise NotImplementedError
