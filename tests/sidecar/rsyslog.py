"""A real rsyslog for tests: TCP, TLS and UDP, each message written as a line of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.certificates import Authority
from tests.ports import free_port
from tests.waiting import wait_until

FIELDS = {
    "priority": "pri",
    "time": "timereported:::date-rfc3339",
    "host": "hostname",
    "application": "app-name",
    "data": "structured-data",
    "message": "msg",
}


class Rsyslog:
    """`framing`: what senders over TCP use; rsyslog finds it out by itself."""

    def __init__(self, directory: Path) -> None:
        self.port, self.tls_port, self.udp_port = free_port(), free_port(), free_port()
        self.authority = Authority(directory / "authority")
        certificate, key = self.authority.issue("logs.example", "127.0.0.1")
        self.output = directory / "messages"
        self._configuration = directory / "rsyslog.conf"
        self._pid = directory / "pid"
        template = r",\"".join(
            f'{name}\\":\\"%{field}:::json%\\"'.replace(":::date-rfc3339:::json", ":::date-rfc3339")
            for name, field in FIELDS.items()
        )
        # rsyslog's gtls driver is loaded for the listener that names it.
        self._configuration.write_text(
            f'global(workDirectory="{directory}" maxMessageSize="1m"\n'
            f'  parser.escapeControlCharactersOnReceive="off"\n'
            f'  defaultNetstreamDriverCAFile="{self.authority.file}"\n'
            f'  defaultNetstreamDriverCertFile="{certificate}"\n'
            f'  defaultNetstreamDriverKeyFile="{key}")\n'
            'module(load="imtcp")\nmodule(load="imudp")\n'
            f'input(type="imtcp" port="{self.port}" address="127.0.0.1" name="tcp")\n'
            f'input(type="imtcp" port="{self.tls_port}" address="127.0.0.1" name="tls"\n'
            '  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")\n'
            f'input(type="imudp" port="{self.udp_port}" address="127.0.0.1")\n'
            f'template(name="json" type="string" string="{{\\"{template}}}\\n")\n'
            f'action(type="omfile" file="{self.output}" template="json")\n'
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["rsyslogd", "-n", "-f", str(self._configuration), "-i", str(self._pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def listens() -> bool:
            import socket

            assert self.process is not None
            assert self.process.poll() is None, "rsyslogd ended"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
                return True
            return False

        wait_until(listens, 20, "rsyslogd listens")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def messages(self, count: int = 0) -> list[dict[str, Any]]:
        """What has been written; waits until there are `count`."""
        wait_until(lambda: len(self._lines()) >= count, 20, f"{count} messages")
        return [json.loads(line) for line in self._lines()]

    def _lines(self) -> list[str]:
        if not self.output.exists():
            return []
        # The last one may be half written.
        return self.output.read_text(errors="backslashreplace").split("\n")[:-1]


@contextlib.contextmanager
def rsyslog() -> Iterator[Rsyslog]:
    """Skips where there is none."""
    if shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        pytest.skip("no rsyslogd: install rsyslog and rsyslog-gnutls")
    if not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
        pytest.skip("rsyslog without TLS: install rsyslog-gnutls")
    directory = Path(tempfile.mkdtemp(prefix="podweave-rsyslog-"))
    try:
        server = Rsyslog(directory)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory)
