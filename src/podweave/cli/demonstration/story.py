"""The story of the demonstration: each chapter does something real and checks what it says."""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from podweave.cli.demonstration.guard import end_descendants
from podweave.cli.demonstration.load import Load, post
from podweave.cli.demonstration.postgres import (
    Installation,
    PostgresError,
    Server,
    count_orders,
    reserved_port,
)

POD = "orders"
IMAGE = "registry.example/shop/orders:2.3"
MEMORY_CEILING = 20
"""MiB that each helper may hold after the load."""
ORDERS_BEFORE_SWITCH = 200
ORDERS_IN_ALL = 500


class StoryError(Exception):
    """Something the story says turned out not to be so."""


class Story:
    """Runs the demonstration in a directory of its own. `clear` is to be called at the end.

    Raises StoryError (or PostgresError) as soon as something is not as it should be.
    """

    def __init__(self, example: Path) -> None:
        self.example = example
        self.directory = Path(tempfile.gettempdir()) / f"podweave-demo-{secrets.token_hex(6)}"
        self.environment = {
            **os.environ,
            "PODWEAVE_STATE": str(self.directory / "state"),
            "PODWEAVE_ENGINE": "local",
        }
        self.servers: list[Server] = []
        self.load: Load | None = None
        self.reserved: list[socket.socket] = []
        self.port = self.reserve(8080)

    def tell(self) -> None:
        begin = time.monotonic()
        self.directory.mkdir()
        self.directory.chmod(0o755)  # the database servers run as another user
        self.databases()
        self.weave()
        self.up()
        self.switch_under_load()
        self.logs()
        self.cost()
        self.down()
        self.clear()
        click.secho(f"\nThat was all, in {time.monotonic() - begin:.0f} seconds.", bold=True)

    # --- the chapters ---------------------------------------------------------------------

    def databases(self) -> None:
        chapter("Two environments: real PostgreSQL servers, dev and qa")
        software = self.directory / "postgres"
        software.mkdir()
        installation = Installation(software)
        ports = {"dev": self.reserve(15432), "qa": self.reserve(25432)}
        for name, like in (("dev", None), ("qa", "dev")):
            self.servers.append(installation.create(name, ports[name], like=like))
            say(f"{name}: 127.0.0.1:{ports[name]}, table orders is empty")
        patterns = (self.example / "patterns.yaml").read_text()
        for preferred, name in ((15432, "dev"), (25432, "qa")):
            patterns = patterns.replace(f":{preferred}", f":{ports[name]}")
        self.patterns = self.directory / "patterns.yaml"
        self.patterns.write_text(patterns)

    def weave(self) -> None:
        chapter("An order service with localhost:5432 hard-coded, woven without touching it")
        manifest = self.example / "deployment.yaml"
        woven = self.podweave("weave", str(manifest), str(self.patterns), "--explain", show=True)
        for line in woven.stderr.splitlines():
            say(line)
        text = self.directory / "woven.yaml"
        text.write_text(woven.stdout)
        if self.podweave("unweave", str(text)).stdout != manifest.read_text():
            raise StoryError("unweave did not give back the original, byte for byte")
        say("podweave unweave gives back the original file, byte for byte")

    def up(self) -> None:
        chapter("The Pod, on this machine, without a container engine")
        image = self.directory / "image"
        shutil.copytree(self.example / "image", image)
        install_driver(image / "opt/orders/lib")
        begin = time.monotonic()
        result = self.podweave(
            *("up", str(self.example / "deployment.yaml"), str(self.patterns)),
            *("--image", f"{IMAGE}={image}", "--publish", f"127.0.0.1:{self.port}:8080"),
            show=True,
        )
        for line in (result.stdout + result.stderr).splitlines():
            say(line)
        say(f"ready after {time.monotonic() - begin:.2f} s")

    def switch_under_load(self) -> None:
        chapter("Orders without a pause, while the database changes from dev to qa")
        before = self.container(POD)
        self.load = Load(self.port)
        self.wait_for_orders(ORDERS_BEFORE_SWITCH)
        say(f"{self.load.placed} orders placed so far, all of them in dev; now:")
        result = self.podweave("switch", "qa", POD, show=True)
        for line in (result.stdout + result.stderr).splitlines():
            say(line)
        self.wait_for_orders(ORDERS_IN_ALL)
        self.load.stop()
        after = self.container(POD)
        placed, failures = self.load.placed, self.load.failures
        if failures:
            raise StoryError(f"{len(failures)} requests failed, the first: {failures[0]}")
        dev, qa = (count_orders(server.port) for server in self.servers)
        say(f"{placed} orders confirmed, 0 failed; rows in dev: {dev}, in qa: {qa}")
        if dev + qa != placed or not dev or not qa:
            raise StoryError(f"{placed} orders were confirmed, but dev has {dev} and qa {qa}")
        if (before["state"], before["restartCount"]) != (after["state"], after["restartCount"]):
            raise StoryError(f"the application was restarted: {before} became {after}")
        say(f"the application ran on: started {after['state']['running']['startedAt']}, 0 restarts")

    def logs(self) -> None:
        chapter("Two log formats in, one schema out, found again")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        status, _ = post(connection, {"item": "anvil", "quantity": 0})
        connection.close()
        if status != 400:
            raise StoryError(f"an order of nothing was answered with {status}, not 400")
        raw = self.podweave(
            "exec", POD, "--", "tail", "-n", "1", "/var/log/orders/access.log"
        ).stdout.strip()
        say(f"the application wrote: {raw}")
        record = self.search("http.response.status_code:400")
        say(f"the store holds:       {json.dumps(record, ensure_ascii=False)}")
        if raw.split('"')[1].split()[1] not in json.dumps(record):
            raise StoryError("the record in the store is not the line the application wrote")
        self.search("level:error quantity")
        result = self.podweave("search", "level:error quantity", show=True)
        for line in result.stdout.splitlines():
            say(line)

    def cost(self) -> None:
        chapter("What the helpers cost")
        for name in ("orders-db", "orders-logs", "orders-ship"):
            # Its PID 1 is the container's init, which forks the program as PID 2.
            status = self.podweave("exec", "-c", name, POD, "--", "cat", "/proc/2/status")
            memory = resident(status.stdout)
            say(f"{name:12} {memory:.1f} MiB resident")
            if memory > MEMORY_CEILING:
                raise StoryError(f"{name} takes more than {MEMORY_CEILING} MiB")
        result = self.podweave("ps", show=True)
        for line in result.stdout.splitlines():
            say(line)

    def down(self) -> None:
        chapter("The end, leaving nothing behind")
        self.podweave("down", POD, "--volumes", show=True)
        left = [
            str(path) for path in sorted((self.directory / "state").rglob("*")) if not path.is_dir()
        ]
        mounts = [
            line
            for line in Path("/proc/self/mounts").read_text().splitlines()
            if str(self.directory) in line
        ]
        if left or mounts:
            raise StoryError(f"left behind: {left + mounts}")
        say("no process, no mount, no network device, no file is left of the Pod")

    # --- what the chapters use ------------------------------------------------------------

    def reserve(self, preferred: int) -> int:
        """A free port that no other demonstration takes meanwhile."""
        self.reserved.append(reserved_port(preferred))
        port: int = self.reserved[-1].getsockname()[1]
        return port

    def podweave(self, *arguments: str, show: bool = False) -> subprocess.CompletedProcess[str]:
        """Run podweave as a user would; `show` prints the command. A failure is a StoryError."""
        if show:
            shown = " ".join(arguments).replace(str(self.directory), "$DEMO")
            click.secho(f"  $ podweave {shown}", fg="cyan")
        result = subprocess.run(
            [sys.executable, "-m", "podweave", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise StoryError(f"podweave {' '.join(arguments)}: {result.stdout}{result.stderr}")
        return result

    def container(self, name: str) -> dict[str, Any]:
        """The status of a container of the Pod, as `ps --json` tells it."""
        pods = json.loads(self.podweave("ps", "--json").stdout)["items"]
        statuses = pods[0]["status"]["containerStatuses"]
        return next(status for status in statuses if status["name"] == name)

    def wait_for_orders(self, number: int) -> None:
        assert self.load is not None
        if not self.load.wait_for(number, 60):
            raise StoryError(f"only {self.load.placed} of {number} orders placed in a minute")

    def search(self, query: str) -> dict[str, Any]:
        """The newest record that matches, once it has arrived in the store."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = self.podweave("search", query, "--json", "--limit", "1").stdout
            if found.strip():
                record: dict[str, Any] = json.loads(found.splitlines()[0])
                return record
            time.sleep(0.1)
        raise StoryError(f"nothing found in the store for: {query}")

    def clear(self) -> None:
        """Stop and remove whatever was started, however far the story came."""
        if self.load is not None:
            self.load.give_up()
        self.end_pods()
        for server in self.servers:
            server.stop()
        # A Pod in the middle of its set-up, a server not yet among `servers`.
        end_descendants()
        self.end_pods()
        for each in self.reserved:
            each.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def end_pods(self) -> None:
        if (self.directory / "state" / "pods").exists():
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "podweave",
                    *["down", "--all", "--volumes", "--grace-period", "5"],
                ],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )


def install_driver(target: Path) -> None:
    """Put the database driver, and what it requires, where the application looks for it."""
    wanted = ["pg8000"]
    for name in wanted:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise PostgresError(f"{name} is not installed: pip install 'podweave[demo]'") from None
        for requirement in distribution.requires or []:
            required = re.match(r"[\w.-]+", requirement)
            if required and "extra ==" not in requirement and required[0] not in wanted:
                wanted.append(required[0])
        for file in distribution.files or []:
            if file.suffix != ".pyc" and ".." not in file.parts:
                place = target / file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), place)


def resident(status: str) -> float:
    """Resident memory in MiB, out of /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise StoryError(f"no VmRSS in {status[:200]!r}")


def chapter(title: str) -> None:
    click.secho(f"\n{title}", bold=True)


def say(line: str) -> None:
    click.echo(f"  {line}")
