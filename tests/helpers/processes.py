"""Helper programs as they really run: `python -I -S podweave-helpers.pyz PROGRAM CONFIG`."""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from podweave.engines.helpers_archive import helpers_archive
from tests.waiting import wait_until


@functools.cache
def archive() -> str:
    """The archive of the sources as they are, packed once a test session."""
    directory = tempfile.mkdtemp(prefix="podweave-archive-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return helpers_archive(directory)


def command(*arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    return [sys.executable, "-I", "-S", *options, archive(), *arguments]


def run(*arguments: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Run a short-lived program to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=timeout, check=False
    )


class HelperProcess:
    """A running helper. What it writes to its journal is collected as it comes."""

    def __init__(
        self,
        config: dict[str, Any],
        directory: Path,
        *,
        options: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.config_file = directory / f"{config['name']}.json"
        self.config_file.write_text(json.dumps(config))
        self._admin_address: tuple[str, int] = tuple(config["admin"] or ("", 0))
        self.events: list[dict[str, Any]] = []
        self.stderr: list[str] = []
        self.process = subprocess.Popen(
            [*prefix, *command(config["program"], str(self.config_file), options=options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment if environment is not None else dict(os.environ),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        assert not self._reader.is_alive(), "somebody has inherited the helper's standard error"
        assert self.process.stderr is not None
        self.process.stderr.close()

    def event(self, name: str, seconds: float = 20.0) -> dict[str, Any]:
        """The first journal line of this name; waits for it."""

        def find() -> dict[str, Any] | None:
            found = next((event for event in self.events if event["event.action"] == name), None)
            if found is None and self.process.poll() is not None:
                self._reader.join(10)
                if not any(event["event.action"] == name for event in self.events):
                    raise AssertionError(f"ended without {name!r}: {self.stderr}")
            return found

        event = wait_until(find, seconds, f"the event {name!r}")
        assert event is not None
        return event

    def rss_kib(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the process has no VmRSS")

    def open_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def admin(self, method: str, path: str, content: bytes = b"") -> tuple[int, str]:
        """One request to the admin endpoint: the configured one, or the one that was chosen."""
        host, port = self._admin_address
        if not port:
            host, _, text = self.event("listening")["admin"].rpartition(":")
            port = int(text)
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.request(method, path, content)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        """The value of a sample of /metrics; 0 when there is none."""
        wanted = name
        if labels:
            wanted += "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
        for line in self.admin("GET", "/metrics")[1].splitlines():
            sample, _, value = line.rpartition(" ")
            if sample == wanted:
                return float(value)
        return 0.0

    def terminate(self) -> None:
        self.process.terminate()

    def wait(self, seconds: float = 30.0) -> int:
        return self.process.wait(seconds)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr.append(line)
            if line.startswith("{"):
                self.events.append(json.loads(line))
