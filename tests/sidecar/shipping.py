"""A log sidecar as a process of its own, started the way a Pod starts it."""

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


class Sidecar:
    """Its folder has `log/` (followed), `store/`, `state/` and `said` (its standard error)."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.log.mkdir(exist_ok=True)
        self.store = folder / "store"
        self.said = folder / "said"
        self.config = {
            "version": 1,
            "program": "sidecar",
            "name": "ship",
            "admin": ["127.0.0.1", 0],
            "state": str(folder / "state"),
            "logs": [
                {
                    "from": [str(self.log / "*.log")],
                    "store": {"files": {"directory": str(self.store)}},
                }
            ],
            **config,
        }
        self.program = "sidecar"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        file = self.folder / f"{self.program}.json"
        file.write_text(json.dumps(self.config))
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "POD_NAMESPACE": "shop",
            "POD_NAME": "orders-1",
            "POD_UID": "5f1c",
        }
        command = [sys.executable, "-S", "-m", "podweave.helpers", self.program, str(file)]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(command, env=environ, stderr=said)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def append(self, name: str, data: bytes) -> None:
        with (self.log / name).open("ab") as file:
            file.write(data)

    def files(self) -> list[Path]:
        """In the order of writing."""
        place = self.store / "shop" / "orders-1"
        key = re.compile(r"(.*)-(\d+)\.ndjson").fullmatch

        def order(path: Path) -> tuple[str, int]:
            match = key(path.name)
            assert match is not None, path
            return match[1], int(match[2])

        return sorted(place.iterdir(), key=order) if place.exists() else []

    def records(self) -> list[dict[str, Any]]:
        """All whole records; what is not JSON fails."""
        found = []
        for path in self.files():
            data = path.read_bytes()
            found += [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
        return found

    def messages(self) -> list[str]:
        return [record["message"] for record in self.records()]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def wait_for(self, messages: list[str], seconds: float = 20) -> None:
        wait_until(lambda: self.messages() == messages, seconds, f"{len(messages)} messages")

    def resident_bytes(self, field: str = "VmRSS") -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"{field}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def admin(self, path: str) -> str:
        """Ask the admin endpoint, whose port the kernel chose."""
        assert self.process is not None
        port = wait_until(self._port, 10, "the admin endpoint listens")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

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
