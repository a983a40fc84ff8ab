"""A log adapter as a process of its own, started the way a Pod starts it."""

from __future__ import annotations

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


class Adapter:
    """Its folder has `log/` (followed), `out.ndjson`, `state/` and `said` (standard error)."""

    def __init__(self, folder: Path, **logs: Any) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.mkdir(exist_ok=True)
        self.out = folder / "out.ndjson"
        self.said = folder / "said"
        self.config: dict[str, Any] = {
            "version": 1,
            "program": "adapter",
            "name": "orders-logs",
            "admin": ["127.0.0.1", 0],
            "state": str(folder / "state"),
            "logs": [
                {
                    "from": [str(self.log / "*.log")],
                    "format": "auto",
                    "schema": "ecs",
                    "to": [{"path": str(self.out)}],
                    **logs,
                }
            ],
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, stdout: int | None = None) -> None:
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config))
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "POD_NAMESPACE": "shop",
            "POD_NAME": "orders-7d9f8b6c5-x2x7q",
            "TZ": "UTC",
        }
        command = [sys.executable, "-S", "-m", "podweave.helpers", "adapter", str(file)]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(command, env=environ, stdout=stdout, stderr=said)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def append(self, name: str, data: bytes) -> None:
        with (self.log / name).open("ab") as file:
            file.write(data)

    def rows(self) -> list[dict[str, Any]]:
        """All whole rows; what is not JSON fails."""
        data = self.out.read_bytes() if self.out.exists() else b""
        return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]

    def lines(self) -> int:
        """Whole rows, only counted."""
        return self.out.read_bytes().count(b"\n") if self.out.exists() else 0

    def messages(self) -> list[str]:
        return [row["message"] for row in self.rows()]

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

    def admin(self, path: str) -> str:
        """Ask the admin endpoint, whose port the kernel chose."""
        port = wait_until(self._port, 10, "the admin endpoint listens")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
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
            except FileNotFoundError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].rpartition(":")[2], 16)
        return None
