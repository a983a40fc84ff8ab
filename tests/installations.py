"""podweave as root and as an ordinary user would run it, each with a state directory of its own.

Tests run as root on our machines, but most users have no root: `installed("user")` runs the
command under an id without any privilege, from a copy that this id can read.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import podweave

USER_ID = 54321
PACKAGES = ("msgspec", "yaml", "_yaml", "click", "rich", "pygments", "markdown_it", "mdurl")
DUCKDB = ("duckdb", "_duckdb", "_duckdb.*", "duckdb-*.dist-info")


class Installation:
    """Runs podweave as one kind of user. `state` is where its Pods live."""

    def __init__(self, user: str, directory: Path) -> None:
        self.user = user
        self.directory = directory
        self.state = directory / "state"
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PODWEAVE_STATE": str(self.state),
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
        }
        self.prefix: list[str] = []
        self.python = sys.executable
        if user == "user" and os.geteuid() == 0:
            self.prefix = [
                *("setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups"),
                "--inh-caps=-all",
            ]
            self.python = readable_python()
            self.environment["PYTHONPATH"] = str(readable_copy())
            os.chown(directory, USER_ID, USER_ID)

    def command(self, *arguments: str) -> list[str]:
        return [*self.prefix, self.python, "-m", "podweave", *arguments]

    def run(
        self, *arguments: str, stdin: str | None = None, check: bool = True, seconds: float = 110
    ) -> subprocess.CompletedProcess[str]:
        """Run podweave to its end; with `check` anything but exit code 0 fails the test."""
        result = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            cwd=self.directory,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if check and result.returncode != 0:
            raise AssertionError(
                f"podweave {' '.join(arguments)} ended with {result.returncode}\n"
                f"{result.stdout}{result.stderr}"
            )
        return result

    def write(self, name: str, text: str) -> str:
        """A file of the user's own; gives back its path."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if self.prefix:
            os.chown(path, USER_ID, USER_ID)
        return str(path)

    def pods(self) -> list[dict[str, Any]]:
        pods: list[dict[str, Any]] = json.loads(self.run("ps", "--json").stdout)["items"]
        return pods

    def container(self, pod: str, name: str) -> dict[str, Any]:
        """The status of one container, as `ps --json` tells it."""
        for each in self.pods():
            if each["metadata"]["name"] == pod:
                status = each["status"]
                every = status.get("initContainerStatuses", []) + status["containerStatuses"]
                for container in every:
                    if container["name"] == name:
                        found: dict[str, Any] = container
                        return found
        raise AssertionError(f"no container {name} in a Pod {pod}: {self.pods()}")

    def close(self) -> None:
        """Stop every Pod; complain when that fails, for then something is left behind."""
        if self.state.exists():
            self.run("down", "--all", "--volumes")


@contextlib.contextmanager
def installed(user: str) -> Iterator[Installation]:
    """podweave as `root` or as an ordinary `user`; at the end all its Pods are stopped."""
    if user == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    directory = Path(tempfile.mkdtemp(prefix="podweave-test-"))
    directory.chmod(0o755)
    installation = Installation(user, directory)
    try:
        yield installation
    finally:
        try:
            installation.close()
        finally:
            shutil.rmtree(directory, ignore_errors=True)


@functools.cache
def readable_python() -> str:
    """A Python of this version that every user may run."""
    own = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
    for candidate in (str(own), f"/usr/bin/python3.{sys.version_info[1]}"):
        real = os.path.realpath(candidate)
        if os.path.exists(real) and all_may_reach(Path(real)):
            return real
    pytest.skip(f"no Python {sys.version_info[0]}.{sys.version_info[1]} that every user may run")


@functools.cache
def readable_copy() -> Path:
    """podweave and what it imports, where every user may read it."""
    target = Path(tempfile.mkdtemp(prefix="podweave-copy-"))
    target.chmod(0o755)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(podweave.__file__).parent, target / "podweave", ignore=ignore)
    site = Path(msgspec.__file__).parents[1]
    for name in (*PACKAGES, *DUCKDB):
        for part in site.glob(name):
            if part.is_dir():
                shutil.copytree(part, target / part.name, ignore=ignore)
            else:
                shutil.copy(part, target)
    subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
    return target


def remove_readable_copy() -> None:
    if readable_copy.cache_info().currsize:
        shutil.rmtree(readable_copy())
        readable_copy.cache_clear()


def all_may_reach(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))
