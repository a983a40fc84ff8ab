"""Log helpers as processes of their own, to be stopped, killed and started again.

Run from the sources, so that a start costs no packing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.waiting import wait_until

SOURCE = Path(__file__).parents[2] / "src"


class LogProgram:
    """Its folder has `log/` (followed), `state/` and `said` (what it says on standard error)."""

    def __init__(self, folder: Path, config: dict[str, Any], identity: dict[str, str]) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.mkdir(exist_ok=True)
        self.said = folder / "said"
        self.config = {
            "version": 1,
            "admin": ["127.0.0.1", 0],
            "state": str(folder / "state"),
            **config,
        }
        self.identity = identity
        """Who the Pod is, as the downward API tells it."""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, stdout: int | None = None) -> None:
        program = self.config["program"]
        file = self.folder / f"{program}.json"
        file.write_text(json.dumps(self.config))
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **self.identity}
        command = [sys.executable, "-S", "-m", "podweave.helpers", program, str(file)]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(command, env=environ, stdout=stdout, stderr=said)

    def live_for(self, seconds: float) -> None:
        """Unless it ends earlier, which is what `stop` then says."""
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if signum == signal.SIGTERM:
            # Before it has its handler the interpreter would simply end.
            wait_until(self._minds_sigterm, 20, "a program that minds SIGTERM, or its end")
        self.process.send_signal(signum)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def _minds_sigterm(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            return True
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
        assert caught is not None
        return bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)

    def close(self) -> None:
        """Let nothing of it stay behind a test, however that ended."""
        if self.process is not None:
            self.stop(signal.SIGKILL)

    def append(self, name: str, data: bytes) -> None:
        with (self.log / name).open("ab") as file:
            file.write(data)

    def messages(self) -> list[str]:
        """The messages of all that it has made so far."""
        raise NotImplementedError

    def wait_for(self, messages: list[str], seconds: float = 20) -> None:
        wait_until(lambda: self.messages() == messages, seconds, f"{len(messages)} messages")

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def resident_bytes(self, field: str = "VmRSS") -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def admin(self, path: str, content: bytes | None = None) -> str:
        """Ask the admin endpoint, whose port the kernel chose: GET, or POST of the content."""
        port = wait_until(self._port, 10, "the admin endpoint listens")
        url = f"http://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(url, content, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.admin("/metrics"), re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    def _port(self) -> int | None:
        """The listening port among the process's own sockets."""
        assert self.process is not None
        folder = Path(f"/proc/{self.process.pid}/fd")
        inodes = set()
        for link in folder.iterdir():
            try:
                target = os.readlink(link)
            except FileNotFoundError:
                continue  # closed since
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].rpartition(":")[2], 16)
        return None


def whole_rows(data: bytes) -> list[dict[str, Any]]:
    """The rows whose newline is there; what is not JSON fails."""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
