"""A Podman for tests with the helper image in it, podweave that uses it, and servers that its
Pods reach on this machine."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.podman_environment import Podman, PodmanError
from podweave.weave.options import HELPER_IMAGE
from tests.engine import helper_image
from tests.engine.pods import pod
from tests.installations import Installation

NETWORK = "podman-default-kube-network"
PATIENCE = 600
"""Seconds for a test with Podman: the first one waits for another suite's, and makes the image."""
IP_FREEBIND = 15


@contextlib.contextmanager
def podman_machine() -> Iterator[Podman]:
    """Skips the test where Podman can't be had."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a rootless Podman wants more of a machine than tests can ask for")
    with alone():
        try:
            made = Podman()
        except PodmanError as error:
            pytest.skip(str(error))
        try:
            helper_image.build(made)
            made.run("network", "create", NETWORK)
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One at a time on this machine: each Podman takes the bridge and the addresses that no other
    uses just now, and two that were made while no Pod ran would share them."""
    with open(Path(tempfile.gettempdir()) / "podweave-tests-of-podman.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def podman_user(podman: Podman) -> Iterator[Installation]:
    """podweave with that Podman; in the end nothing is left of any Pod."""
    directory = Path(tempfile.mkdtemp(prefix="podweave-engine-"))
    made = Installation("root", directory)
    made.environment |= podman.environment | {"PODWEAVE_ENGINE": "podman"}
    try:
        yield made
        made.run("down", "--all", "--volumes", "--grace-period", "0")
        assert podman.run("pod", "ps", "--quiet").stdout == ""
        assert podman.run("ps", "--all", "--quiet").stdout == ""
        assert podman.run("volume", "ls", "--quiet").stdout == ""
    finally:
        podman.run("pod", "rm", "--all", "--force", "--time", "0", check=False)
        podman.run("volume", "rm", "--all", "--force", check=False)
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def server(podman: Podman, answer: bytes) -> Iterator[int]:
    """Gives everybody the same answer, on this machine's loopback and where Podman's Pods see it;
    gives back its port."""
    (network,) = json.loads(podman.run("network", "inspect", NETWORK).stdout)
    with contextlib.ExitStack() as stack:
        listeners = _listeners(stack, (network["subnets"][0]["gateway"], "127.0.0.1"))
        port: int = listeners[0].getsockname()[1]
        threads = [
            threading.Thread(target=_serve, args=(listener, answer)) for listener in listeners
        ]
        for listener, thread in zip(listeners, threads, strict=True):
            listener.listen(64)
            thread.start()
        try:
            yield port
        finally:
            for listener, thread in zip(listeners, threads, strict=True):
                listener.shutdown(socket.SHUT_RDWR)
                thread.join(60)


def _listeners(stack: contextlib.ExitStack, addresses: tuple[str, ...]) -> list[socket.socket]:
    """Sockets on one port of all the addresses: one that is free on the first may be taken on
    another."""
    while True:
        with contextlib.ExitStack() as attempt:
            made = [attempt.enter_context(socket.socket()) for _ in addresses]
            port = 0
            try:
                for each, address in zip(made, addresses, strict=True):
                    # The bridge has no address before the first Pod is there.
                    each.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
                    each.bind((address, port))
                    port = each.getsockname()[1]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            stack.enter_context(attempt.pop_all())
            return made


def _serve(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(answer)


def podman_pod(name: str, *containers: dict[str, Any], **spec: Any) -> str:
    """A Pod of containers that run from the helper image."""
    for each in [*containers, *spec.get("initContainers", [])]:
        each["image"] = HELPER_IMAGE
    return pod(name, *containers, **spec)


def printed(user: Installation, name: str, *containers: str) -> list[str]:
    only = [argument for each in containers for argument in ("-c", each)]
    return user.run("logs", name, *only).stdout.splitlines()
