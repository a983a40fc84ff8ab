"""Real servers for the stores' tests, where $PODWEAVE_PEERS is a folder that `scripts/peers` made.

opensearch/, elasticsearch/    distributions, which need Java 17
otelcol, loki, versitygw       programs
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trustme

from tests.ports import free_port
from tests.waiting import wait_until

FOLDER = Path(os.environ.get("PODWEAVE_PEERS", "/nonexistent"))
NOBODY = 65534
USER, PASSWORD = "shipper", "a secret word"
JAVA_OPTIONS = "-Xms512m -Xmx512m -XX:ActiveProcessorCount=1 -XX:TieredStopAtLevel=1"


def has(name: str) -> bool:
    return (FOLDER / name).exists()


def get(url: str, method: str = "GET", body: Any = None, ca: trustme.CA | None = None) -> Any:
    """Parsed JSON, or None where there is no answer yet. With a `ca`: as USER."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    context = None
    if ca is not None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
        context = ssl.create_default_context()
        ca.configure_trust(context)
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            content = answer.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


@contextlib.contextmanager
def running(
    command: list[str], log: Path, environ: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
            cwd="/",
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextlib.contextmanager
def search_engine(name: str, said: Path, authority: trustme.CA | None = None) -> Iterator[str]:
    """OpenSearch or Elasticsearch; its URL. With an authority it speaks TLS and wants a login:
    USER with PASSWORD (Elasticsearch alone has that in its distribution)."""
    # Not below pytest's folder, which only its owner may enter: both refuse to run as root.
    place = Path(tempfile.mkdtemp(prefix=f"podweave-{name}-"))
    home, port = FOLDER / name, free_port()
    settings: dict[str, object] = {
        "discovery.type": "single-node",
        "http.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
        "path.data": str(place / "data"),
        "path.logs": str(place / "logs"),
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    if name == "elasticsearch":
        settings["xpack.security.enabled"] = authority is not None
        settings["xpack.security.http.ssl.enabled"] = authority is not None
    if authority is not None:
        settings["xpack.security.http.ssl.certificate"] = "server.crt"
        settings["xpack.security.http.ssl.key"] = "server.key"
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in settings.items()]
    prefix = "OPENSEARCH" if name == "opensearch" else "ES"
    java = {
        f"{prefix}_PATH_CONF": str(place / "config"),
        f"{prefix}_JAVA_OPTS": JAVA_OPTIONS,
        f"{prefix}_TMPDIR": str(place / "tmp"),
        f"{prefix}_JAVA_HOME": _java_home(),
    }
    command = [str(home / "bin" / name)]
    if os.geteuid() == 0:
        user = str(NOBODY)
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    try:
        shutil.copytree(home / "config", place / "config")
        (place / "config" / f"{name}.yml").write_text("".join(lines))
        options = place / "config" / "jvm.options"
        options.write_text(options.read_text().replace("logs/", f"{place}/logs/"))
        for each in ("data", "logs", "tmp"):
            (place / each).mkdir()
        if authority is not None:
            certificate = authority.issue_cert("127.0.0.1")
            certificate.cert_chain_pems[0].write_to_path(place / "config" / "server.crt")
            certificate.private_key_pem.write_to_path(place / "config" / "server.key")
            add = [str(home / "bin" / "elasticsearch-users"), "useradd", USER, "-p", PASSWORD]
            add += ["-r", "superuser"]
            subprocess.run(add, env={**os.environ, **java}, check=True, capture_output=True)
        if os.geteuid() == 0:
            for path in [place, *place.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        with running(command, said, java):
            url = f"http{'' if authority is None else 's'}://127.0.0.1:{port}"
            wait_until(lambda: get(f"{url}/_cluster/health", ca=authority), 100, f"{name} is up")
            yield url
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _java_home() -> str:
    java = shutil.which("java")
    assert java is not None
    return str(Path(java).resolve().parents[1])


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[tuple[str, Path]]:
    """An OpenTelemetry Collector: its URL, and the file in which it says what it got."""
    port = free_port()
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"debug": {"verbosity": "detailed"}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["debug"]}},
        },
    }
    file, said = folder / "otelcol.yaml", folder / "otelcol.said"
    file.write_text(json.dumps(config))
    with running([str(FOLDER / "otelcol"), f"--config={file}"], said):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: b"Everything is ready" in said.read_bytes(), 60, "the collector is up")
        yield url, said


@contextlib.contextmanager
def versity(folder: Path, access: str, secret: str) -> Iterator[tuple[str, Path]]:
    """An S3 server that verifies signatures: its URL, and the folder that its buckets are in."""
    port, data = free_port(), folder / "buckets"
    data.mkdir()
    environ = {"ROOT_ACCESS_KEY_ID": access, "ROOT_SECRET_ACCESS_KEY": secret}
    command = [str(FOLDER / "versitygw"), "--port", f"127.0.0.1:{port}", "posix", str(data)]
    with running(command, folder / "versitygw.said", environ):
        wait_until(lambda: _listens(port), 60, "versitygw is up")
        yield f"http://127.0.0.1:{port}", data


@contextlib.contextmanager
def grafana_loki(folder: Path) -> Iterator[str]:
    port, place = free_port(), folder / "loki"
    place.mkdir()
    config = {
        "auth_enabled": False,
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": free_port(),
        },
        "common": {
            "path_prefix": str(place),
            "replication_factor": 1,
            "instance_addr": "127.0.0.1",
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {
                "filesystem": {
                    "chunks_directory": str(place / "chunks"),
                    "rules_directory": str(place / "rules"),
                }
            },
        },
        "schema_config": {
            "configs": [
                {
                    "from": "2020-10-24",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "analytics": {"reporting_enabled": False},
    }
    file = folder / "loki.yaml"
    file.write_text(json.dumps(config))
    with running([str(FOLDER / "loki"), f"-config.file={file}"], folder / "loki.said"):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: get(f"{url}/ready") == "ready\n", 90, "Loki is ready")
        yield url


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
