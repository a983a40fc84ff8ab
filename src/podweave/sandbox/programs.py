"""Other programs that the sandbox calls: nft, iptables, pasta, slirp4netns.

By posix_spawn: `subprocess` costs more to import than a container to start.
"""

from __future__ import annotations

import os

from podweave.sandbox.system_calls import SandboxError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find(name: str) -> str | None:
    """The program's path. A user's PATH often lacks the sbin directories."""
    for directory in (os.environ.get("PATH", "") + ":" + _PATH).split(":"):
        path = f"{directory}/{name}"
        if directory and os.access(path, os.X_OK):
            return path
    return None


def run(argv: list[str], stdin: str = "", *, check: bool = True) -> str:
    """Run a program to its end, with short input. Returns its output.

    Raises SandboxError with what it said when it fails and `check` is set.
    """
    path = find(argv[0])
    if path is None:
        raise SandboxError("run", argv[0], 2)
    given, give = os.pipe2(os.O_CLOEXEC)
    answer, answered = os.pipe2(os.O_CLOEXEC)
    try:
        os.write(give, stdin.encode())  # shorter than a pipe holds
        os.close(give)
        actions = [
            (os.POSIX_SPAWN_DUP2, given, 0),
            (os.POSIX_SPAWN_DUP2, answered, 1),
            (os.POSIX_SPAWN_DUP2, answered, 2),
        ]
        environment = {"PATH": _PATH, "LC_ALL": "C"}
        try:
            pid = os.posix_spawn(path, argv, environment, file_actions=actions, setsigmask=[])
        except OSError as error:
            raise SandboxError("run", path, error.errno or 0) from error
    finally:
        os.close(given)
        os.close(answered)
    output = b""
    while part := os.read(answer, 65536):
        output += part
    os.close(answer)
    _, status = os.waitpid(pid, 0)
    text = output.decode(errors="replace")
    if check and status != 0:
        raise SandboxError(f"run {' '.join(argv)}", "", 5, " ".join(text.split())[:300])
    return text
