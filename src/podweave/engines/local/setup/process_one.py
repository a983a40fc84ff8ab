"""Process one of a container: builds the root, runs the command as its child, reaps, reports.

A fork of the supervisor that never executes another program, so a container start costs no
interpreter start. It is PID 1 of the container's PID namespace: when it ends, however it does,
the kernel kills all that is left of the container.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import stat
import termios
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from podweave.engines.local.setup.operations import Before, Operation, execute
from podweave.sandbox import capabilities, processes, users
from podweave.sandbox.system_calls import SandboxError

START_ERROR = 128
"""The exit code containerd gives a container whose command could not be executed."""


class Identity(msgspec.Struct, frozen=True):
    """Whom a command runs as, and what it may do."""

    user: int = 0
    group: int = 0
    groups: tuple[int, ...] = ()
    capabilities: frozenset[str] = capabilities.DEFAULT
    no_new_privileges: bool = False
    nested: bool = False
    """In a user namespace of one id: another user is a further user namespace."""

    def assume(self) -> None:
        """Become it, for good. The caller is root in its user namespace."""
        if self.nested:
            if (self.user, self.group) != (0, 0):
                # What else was forked from the supervisor can't be read: only this one's maps.
                processes.hide_memory(False)
                users.enter_user_namespace(self.user, self.group)
            capabilities.limit_bounding_set(self.capabilities)
        else:
            capabilities.limit_bounding_set(self.capabilities)
            users.become(self.user, self.group, self.groups)
        capabilities.limit(self.capabilities)
        if self.no_new_privileges:
            capabilities.no_new_privileges()


class Command(msgspec.Struct, frozen=True):
    """What to execute, once inside the container's root."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str = "/"
    identity: Identity = msgspec.field(default_factory=Identity)
    cgroup_files: tuple[int, ...] = ()
    """Descriptors of the cgroup.procs files to join; they were opened outside."""

    def replaced(self, argv: Sequence[str], environment: dict[str, str]) -> Command:
        """Another command line in the same place."""
        return Command(
            tuple(argv),
            {**self.environment, **environment},
            self.directory,
            self.identity,
            self.cgroup_files,
        )


class CommandError(Exception):
    """The command could not be executed. `code` is what a shell would exit with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def become_command(
    command: Command, descriptors: Sequence[int], *, terminal: bool = False, tied: bool = False
) -> NoReturn:
    """Turn this process into the command. Raises CommandError or SandboxError when it can't.

    `descriptors` become 0, 1 and 2. `terminal`: 0 becomes the controlling terminal. `tied`: it
    is killed when its parent ends.
    """
    os.setsid()
    for number in command.cgroup_files:
        try:
            os.write(number, b"0\n")
        except OSError as error:
            raise SandboxError("join the container's cgroup", "", error.errno or 0) from error
    # Above the targets first: a source may be one of them.
    saved = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in descriptors]
    for target, source in enumerate(saved):
        os.dup2(source, target)
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    try:
        os.chdir(command.directory)
    except OSError as error:
        raise CommandError(
            f"chdir to cwd ({json.dumps(command.directory)}): {error.strerror}", 126
        ) from error
    os.umask(0o022)
    home = _home(command.identity.user)
    environment = {"HOME": home, **command.environment}
    command.identity.assume()
    if tied:
        processes.die_with_parent()
    program = find_program(command.argv[0], environment.get("PATH", ""))
    processes.restore_signals()
    try:
        os.execve(program, list(command.argv), environment)
    except OSError as error:
        raise _cannot_execute(command.argv[0], error) from error


def find_program(name: str, path: str) -> str:
    """Look a command up as the container runtimes do, with their words when it isn't there."""
    quoted = json.dumps(name, ensure_ascii=False)
    if "/" in name:
        try:
            found = os.stat(name)
        except OSError as error:
            code = 127 if error.errno in (errno.ENOENT, errno.ENOTDIR) else 126
            raise CommandError(
                f"exec: {quoted}: stat {name}: {(error.strerror or '').lower()}", code
            ) from error
        if stat.S_ISDIR(found.st_mode):
            raise CommandError(f"exec: {quoted}: is a directory", 126)
        if not os.access(name, os.X_OK):
            raise CommandError(f"exec: {quoted}: permission denied", 126)
        return name
    for directory in path.split(":"):
        candidate = os.path.join(directory or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise CommandError(f"exec: {quoted}: executable file not found in $PATH", 127)


def _cannot_execute(name: str, error: OSError) -> CommandError:
    words = {
        errno.ENOEXEC: "exec format error",
        errno.ENOENT: "no such file or directory",  # its #! interpreter
        errno.EACCES: "permission denied",
    }
    text = words.get(error.errno or 0, (error.strerror or "").lower())
    return CommandError(f"exec: {json.dumps(name, ensure_ascii=False)}: {text}", 126)


def _home(user: int) -> str:
    try:
        with open("/etc/passwd", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.rstrip("\n").split(":")
                if len(fields) > 5 and fields[2] == str(user):
                    return fields[5] or "/"
    except OSError:
        pass
    return "/"


def run(
    channel: socket.socket,
    status: int,
    descriptors: Sequence[int],
    plan: Sequence[Operation],
    command: Command,
    namespaces: Sequence[str],
    before: Before | None,
) -> int:
    """The whole life of process one. The result is its exit code."""
    processes.block_signals()
    processes.reset_handlers()
    processes.forbid_imports()
    processes.name("podweave-one")
    # 0 to 2 stay taken: a pipe in their place would be covered by the command's own ones.
    keep = {0, 1, 2, channel.fileno(), status, *descriptors, *command.cgroup_files}
    processes.close_all_but(keep)
    os.chdir("/")
    if channel.recv(16) != b"go":
        return 1  # the supervisor ended
    processes.die_with_parent()
    processes.hide_memory()
    own = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in namespaces]
    try:
        socket.send_fds(channel, [b"here"], own)
    except OSError:
        return 1  # … between its message and die_with_parent
    for number in own:
        os.close(number)
    channel.close()
    try:
        execute(plan, before)
        child = _start(command, descriptors)
    except CommandError as error:
        _report(status, {"start_error": str(error), "exit": START_ERROR, "reason": "StartError"})
        return 1
    except Exception as error:
        # Not SandboxError alone: whatever it was, the supervisor is to tell it to the user.
        text = str(error) if isinstance(error, SandboxError) else repr(error)
        _report(status, {"start_error": text, "exit": START_ERROR, "reason": "RunContainerError"})
        return 1
    processes.close_all_but({status})
    _report(status, {"running": True})
    return _supervise(child, status)


def _start(command: Command, descriptors: Sequence[int]) -> int:
    """Fork the command; returns its pid once it was really executed."""
    reader, writer = os.pipe2(os.O_CLOEXEC)

    def child() -> int:
        os.close(reader)
        try:
            become_command(command, descriptors, tied=True)
        except CommandError as error:
            os.write(writer, b"C" + os.fsencode(str(error)))
        except SandboxError as error:
            os.write(writer, b"S" + processes.encode_error(error))
        return 1

    pid = processes.fork(child)
    os.close(writer)
    failure = b""
    while part := os.read(reader, 4096):
        failure += part
    os.close(reader)
    if not failure:
        return pid
    os.waitpid(pid, 0)
    if failure.startswith(b"C"):
        raise CommandError(os.fsdecode(failure[1:]), START_ERROR)
    raise processes.decode_error(failure[1:])


def _supervise(child: int, status: int) -> int:
    """Pass signals on, reap orphans, until the command ends."""
    while True:
        received = signal.sigwait(processes.ALL_SIGNALS)
        if received != signal.SIGCHLD:
            try:
                os.kill(child, received)
            except ProcessLookupError:
                pass
            continue
        while True:
            try:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == child:
                # Where the PID namespace isn't the container's own, nobody else would.
                for orphan in processes.descendants(os.getpid()):
                    try:
                        os.kill(orphan, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                code = os.waitstatus_to_exitcode(wait_status)
                _report(status, {"exit": code} if code >= 0 else {"signal": -code})
                return code if code >= 0 else 128 - code


def _report(status: int, message: dict[str, object]) -> None:
    try:
        os.write(status, json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # nobody is left to be told
