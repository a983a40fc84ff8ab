"""A real nginx for tests: it logs each request as it reads it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.ambassador.certificates import Authority
from tests.ports import free_port
from tests.waiting import wait_until

_CONFIGURATION = """
worker_processes 1;
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  log_format seen '$request_method $request_uri $request_length $http_host';
  access_log {directory}/access.log seen;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  client_max_body_size 100m;
  keepalive_requests {keepalive_requests};
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{ return 200 "$request_method $request_uri\\n"; }}
    location /files/ {{ alias {files}/; gzip on; gzip_min_length 1; gzip_types *; }}
    location /redirect {{ return 302 /elsewhere; }}
  }}
}}
"""


class Nginx:
    def __init__(self, directory: Path, keepalive_requests: int = 1000) -> None:
        directory.mkdir()
        self.port, self.tls_port = free_port(), free_port()
        self.authority = Authority(directory / "authority")
        certificate, key = self.authority.issue("127.0.0.1", "www.example")
        self.files = directory / "files"
        self.files.mkdir()
        self._log = directory / "access.log"
        configuration = directory / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                directory=directory,
                port=self.port,
                tls_port=self.tls_port,
                certificate=certificate,
                key=key,
                files=self.files,
                keepalive_requests=keepalive_requests,
            )
        )
        # Its workers run as somebody else when it is started as root.
        for each in (directory, *directory.parents):
            with contextlib.suppress(PermissionError):
                each.chmod(each.stat().st_mode | 0o011)
        self.process = subprocess.Popen(
            ["nginx", "-c", str(configuration), "-p", str(directory)],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
        try:
            wait_until(self._listens, 20, "nginx listens")
        except BaseException:
            self.close()
            raise

    @property
    def seen(self) -> list[str]:
        """Method, target, length and Host of the requests so far, as nginx reads them."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _listens(self) -> bool:
        assert self.process.poll() is None, "nginx has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextlib.contextmanager
def nginx(directory: Path, keepalive_requests: int = 1000) -> Iterator[Nginx]:
    server = Nginx(directory, keepalive_requests)
    try:
        yield server
    finally:
        server.close()
