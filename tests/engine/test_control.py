"""control.sock against clients that don't keep to the rules."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from podweave.engines.local import sockets
from podweave.engines.local.records import PodLock, supervisor_of
from tests.engine.pods import pod, sleeper
from tests.installations import Installation
from tests.waiting import wait_until


def test_a_burst_of_connections_waits_in_the_backlog(tmp_path: Path) -> None:
    burst = 1000
    with contextlib.ExitStack() as stack:
        stack.enter_context(sockets.listen(str(tmp_path), "s.sock", socket.SOCK_SEQPACKET))
        for _ in range(min(burst, socket.SOMAXCONN)):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            stack.enter_context(client)
            client.connect(str(tmp_path / "s.sock"))


@pytest.fixture
def directory(one: Installation) -> str:
    one.run("up", one.write("pod.yaml", pod("here", sleeper())))
    return str(one.state / "pods/default_here")


def said(directory: str, data: bytes, *, finish: bool = False) -> bytes:
    with sockets.connect(directory, "control.sock") as client:
        client.settimeout(60)
        client.sendall(data)
        if finish:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while received := client.recv(65536):
            answer += received
    return answer


@pytest.mark.parametrize(
    "request_line",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"op": "nothing"}\n',
        b'{"op": "exec"}\n',
        b'{"op": "exec", "container": "app", "argv": "sh"}\n',
        b'{"op": "exec", "container": "app", "argv": ["sh"]}\n',
        b'{"op": "exec", "container": "app", "argv": []}\n',
        b"\xff\xfe\n",
    ],
)
def test_what_can_not_be_done_is_answered_with_an_error(
    directory: str, request_line: bytes
) -> None:
    assert "error" in json.loads(said(directory, request_line))
    assert json.loads(said(directory, b'{"op": "status"}\n'))["status"]["phase"] == "Running"


def test_clients_that_go_away_leave_no_descriptor_behind(directory: str) -> None:
    pid = supervisor_of(directory)
    # An answer says that it has also seen the end of `up`, which watched it before.
    said(directory, b'{"op": "status"}\n')
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for data in (b"", b'{"op": "wa', b'{"op": "watch"}\n', b'{"op": "status"}\n'):
        for _ in range(20):
            client = sockets.connect(directory, "control.sock")
            client.sendall(data)
            client.close()
    assert json.loads(said(directory, b'{"op": "status"}\n'))["status"]["phase"] == "Running"
    wait_until(
        lambda: len(os.listdir(f"/proc/{pid}/fd")) == before, 60, f"{before} descriptors are open"
    )


def test_a_request_without_end_is_cut_off(directory: str) -> None:
    with sockets.connect(directory, "control.sock") as client:
        client.settimeout(60)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            client.sendall(b"x" * 64 * 1024 * 1024)


def test_a_state_directory_may_have_a_long_path(one: Installation) -> None:
    one.environment["PODWEAVE_STATE"] = str(one.directory / ("long" * 40) / ("longer" * 30))
    file = one.write("pod.yaml", pod("deep", sleeper()))
    try:
        one.run("up", file)
        assert one.pods()[0]["status"]["phase"] == "Running"
        assert one.run("exec", "deep", "--", "echo", "yes").stdout == "yes\n"
    finally:
        one.run("down", "--all")


def test_the_lock_is_one_holders_and_ends_with_it(tmp_path: Path) -> None:
    directory = str(tmp_path / "pod")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        PodLock.acquire(directory)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    try:
        wait_until(lambda: supervisor_of(directory) == child, 60, "the lock is held")
        assert PodLock.acquire(directory) is None
    finally:
        os.close(writer)
        os.waitpid(child, 0)
    assert supervisor_of(directory) is None
    lock = PodLock.acquire(directory)
    assert lock is not None
    lock.release()
