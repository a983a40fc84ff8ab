"""Sandbox tests run twice, as root and as an ordinary user, each in a process of its own.

The process is a fork that drops to an id without any privilege: what it needs is loaded already,
so it doesn't matter whether that user may read the checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import tempfile
import traceback
from collections.abc import Iterator

import pytest

from podweave.sandbox import mounts, namespaces, processes
from tests.sandbox.machine import Machine

USER = 54322


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(who): for root or user alone")
    config.addinivalue_line("markers", "mounted: root has mounted something beneath /tmp")
    config.addinivalue_line("markers", "tun: the user may open /dev/net/tun, as on most machines")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "machine" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("only")
        metafunc.parametrize("machine", only.args if only else ["root", "user"], indirect=True)


@pytest.fixture
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    who: str = request.param
    if who == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    directory = tempfile.mkdtemp(prefix="podweave-sandbox-")
    os.chmod(directory, 0o755)
    if who == "user" and os.geteuid() == 0:
        os.chown(directory, USER, USER)
    try:
        yield Machine(who, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that have a machine in a forked child, and tell of its failure here."""
    machine = pyfuncitem.funcargs.get("machine")
    if not isinstance(machine, Machine):
        return None
    if pyfuncitem.get_closest_marker("tun") and not may_get_tun():
        pytest.skip("this user may not open /dev/net/tun")
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        report = {"kind": "failed", "text": "the child ended early"}
        try:
            report = _child(machine, pyfuncitem, arguments)
        finally:
            theirs.send(json.dumps(report).encode()[:60000])
            os._exit(0)
    theirs.close()
    try:
        answer = ours.recv(65536)
    finally:
        ours.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    report = json.loads(answer)
    if report["kind"] == "skipped":
        pytest.skip(report["text"])
    if report["kind"] == "failed":
        pytest.fail(report["text"], pytrace=False)
    return True


def may_get_tun() -> bool:
    return os.geteuid() == 0 or os.access("/dev/net/tun", os.R_OK | os.W_OK)


def open_tun_to_everyone() -> None:
    """A device node of our own in a mount namespace of our own: the machine's stays as it is."""
    namespaces.separate(["mnt"])
    mounts.make_private()
    mounts.tmpfs("/dev/net")
    os.mknod("/dev/net/tun", 0o600 | stat.S_IFCHR, os.makedev(10, 200))
    os.chmod("/dev/net/tun", 0o666)


def mount_beneath(directory: str) -> None:
    """Something mounted by somebody else: locked for the user namespaces of the user's Pods."""
    namespaces.separate(["mnt"])
    mounts.make_private()
    os.mkdir(f"{directory}/mounted")
    mounts.tmpfs(f"{directory}/mounted", mode=0o777)


def _child(machine: Machine, item: pytest.Function, arguments: dict[str, object]) -> dict[str, str]:
    signal.alarm(0)
    processes.become_subreaper()
    if machine.who == "user" and os.geteuid() == 0:
        if item.get_closest_marker("tun") is not None:
            open_tun_to_everyone()
        if item.get_closest_marker("mounted") is not None:
            mount_beneath(machine.directory)
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
        # A change of user hides a process's own /proc/self files from it; a login has an exec
        # behind it that shows them again.
        processes.hide_memory(False)
    try:
        try:
            item.obj(**arguments)
        finally:
            machine.close()
            for left in processes.descendants(os.getpid()):
                os.kill(left, signal.SIGKILL)
    except pytest.skip.Exception as skipped:
        return {"kind": "skipped", "text": str(skipped)}
    except BaseException:
        return {"kind": "failed", "text": traceback.format_exc()}
    return {"kind": "passed", "text": ""}
